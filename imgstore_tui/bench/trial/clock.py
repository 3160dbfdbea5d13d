"""The clock: wall time by phase, and what the process used meanwhile, gaps left out."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imgstore_tui.bench.protocol.shared_progress import SharedProgress

_NANO = 1e-9
_now = time.perf_counter_ns


@dataclass(frozen=True, slots=True)
class Sample:
    """One pass over the clock."""

    seconds: float
    phases: dict[str, float]
    """Seconds by phase, only those that occurred; they add up to ``seconds``, but for several workers: then those of
    all workers together, which overlap."""
    pixel_bytes: int | None = None
    """Raw pixels that it handled, bytes; None where that is no question."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The process and the system at one moment."""

    private_bytes: int | None
    dirty_bytes: int | None
    """Page-cache bytes of the whole system that are not on the device yet."""
    busy_s: float | None
    """CPU seconds of all processes since boot."""
    own_s: float
    wall_s: float

    @classmethod
    def take(cls) -> Snapshot:
        """Look now."""
        dirty = system_dirty_bytes()
        return cls(
            private_bytes(),
            None if dirty is None else sum(dirty),
            system_busy_seconds(),
            own_cpu_seconds(),
            time.perf_counter(),
        )


@dataclass
class Clock:
    """Runs only between ``start`` and ``stop``; every stretch in between belongs to one phase.

    What the process used (CPU, bytes read and dirtied) is read outside the stretches, so that reading it
    costs the measurement nothing, and summed over them, so that gaps do not count.
    """

    progress: SharedProgress | None = None
    phases: dict[str, int] = field(default_factory=dict)
    worker_phases: dict[str, int] = field(default_factory=dict)
    before: Snapshot | None = None
    """The process and the system just before the first start."""
    cpu_user_s: float = 0.0
    cpu_system_s: float = 0.0
    io_read_bytes: int = 0
    io_dirtied_bytes: int = 0
    first: int | None = None
    last: int = 0
    _mark: int = 0
    _on: bool = False
    _usage: resource.struct_rusage | None = None
    _io: tuple[int, int] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Look at the process before the first line and after the last only; stretches in between are not looked at.

        To look at it costs some ten microseconds, and leaves what is timed next with the processor's caches as looking
        left them. For where there is nothing to speak of between the stretches: what the process uses there counts.
        """
        self.start()
        self._on = True
        try:
            yield
        finally:
            self._on = False
            self.stop()

    def start(self) -> None:
        """Begin a timed stretch."""
        if self._on:
            self._mark = _now()
            return
        if self.before is None:
            self.before = Snapshot.take()
            if self.progress is not None:
                self.progress.measure(True)
        self._io = process_io()
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self._mark = _now()
        if self.first is None:
            self.first = self._mark

    def lap(self, phase: str) -> None:
        """Give the time since ``start`` or the last lap to ``phase``."""
        now = _now()
        self.phases[phase] = self.phases.get(phase, 0) + now - self._mark
        self._mark = now

    def count_worker(self, phase: str, nanoseconds: int) -> None:
        """Add what one of several workers spent in a phase, its own time beside the others'."""
        self.worker_phases[phase] = self.worker_phases.get(phase, 0) + nanoseconds

    def stop(self) -> None:
        """End a timed stretch; time since the last lap is nobody's."""
        if self._on:
            return
        self.last = self._mark
        usage, io = resource.getrusage(resource.RUSAGE_SELF), process_io()
        if self._usage is not None:
            self.cpu_user_s += usage.ru_utime - self._usage.ru_utime
            self.cpu_system_s += usage.ru_stime - self._usage.ru_stime
        if self._io is not None and io is not None:
            self.io_read_bytes += io[0] - self._io[0]
            self.io_dirtied_bytes += io[1] - self._io[1]

    def take_sample(self, pixel_bytes: int | None = None) -> Sample:
        """Return the phases so far as one sample, which handled so many pixels, and set them back to nothing."""
        seconds = sum(self.phases.values()) * _NANO
        phases = {name: count * _NANO for name, count in (self.phases | self.worker_phases).items()}
        self.phases, self.worker_phases = {}, {}
        return Sample(seconds, phases, pixel_bytes)

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first start to the last stop, gaps included."""
        return 0.0 if self.first is None else (self.last - self.first) * _NANO


def process_io() -> tuple[int, int] | None:
    """Return bytes that storage fetched for this process and page-cache bytes it dirtied; None if unknown.

    Source: ``/proc/PID/io``, fields ``read_bytes`` and ``write_bytes`` (proc(5)).
    """
    try:
        with open("/proc/self/io", "rb", buffering=0) as stream:
            words = stream.read(512).split()
    except OSError:
        return None
    return int(words[words.index(b"read_bytes:") + 1]), int(words[words.index(b"write_bytes:") + 1])


def own_cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def tree_private_bytes(pid: int) -> int:
    """Return the private memory of a process and its children in bytes; 0 if unknown."""
    total = private_bytes(pid) or 0
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb", buffering=0) as stream:
            children = stream.read(4096).split()
    except OSError:
        return total
    return total + sum(_unshared_bytes(int(child)) for child in children)


def _unshared_bytes(pid: int) -> int:
    """Return the memory that a forked child does not share with its parent, bytes; 0 if unknown.

    Source: ``/proc/PID/smaps_rollup``, field Private_Dirty (proc(5)); pages still shared after a fork do not count.
    """
    try:
        words = Path(f"/proc/{pid}/smaps_rollup").read_bytes().split()
        return int(words[words.index(b"Private_Dirty:") + 1]) * 1024
    except (OSError, ValueError):
        return 0


def private_bytes(pid: int | str = "self") -> int | None:
    """Return the private (anonymous resident) memory of a process in bytes; None if unknown.

    Source: ``/proc/PID/statm``: resident pages less file-backed and shared ones (proc(5)), the value that
    ``/proc/PID/status`` calls RssAnon.
    """
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as stream:
            words = stream.read(128).split()
    except OSError:
        return None
    return (int(words[1]) - int(words[2])) * resource.getpagesize() if len(words) > 2 else None


def system_dirty_bytes() -> tuple[int, int] | None:
    """Return the page-cache bytes of the whole system that wait to be written, and those being written; or None.

    Source: ``/proc/meminfo``, fields Dirty and Writeback (proc(5)).
    """
    try:
        with open("/proc/meminfo", "rb", buffering=0) as stream:
            words = stream.read(4096).split()
    except OSError:
        return None
    dirty, writeback = (int(words[words.index(name) + 1]) * 1024 for name in (b"Dirty:", b"Writeback:"))
    return dirty, writeback


def system_busy_seconds() -> float | None:
    """Return the CPU seconds that all processes have used since boot, and those the host kept; None if unknown."""
    try:
        with open("/proc/stat", "rb", buffering=0) as stream:
            fields = [int(word) for word in stream.read(256).split(b"\n", 1)[0].split()[1:]]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
