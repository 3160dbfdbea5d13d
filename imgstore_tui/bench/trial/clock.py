"""Measures wall time by phase, and what the process used meanwhile, gaps left out."""

from __future__ import annotations

import contextlib
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.bench.system.counters import (
    private_bytes,
    process_cpu_seconds,
    process_io,
    system_busy_seconds,
    system_dirty_bytes,
)

Phase = Literal["open", "storage", "codec", "sync", "close"]

_NANO = 1e-9
_now = time.perf_counter_ns


@dataclass(frozen=True, slots=True)
class Sample:
    """One pass over the clock."""

    seconds: float
    phases: dict[Phase, float]
    """Seconds by phase, only those that occurred. They add up to ``seconds``; with several workers they are the sums
    of all workers, which overlap."""
    pixel_bytes: int | None = None
    """Raw pixels that it handled, bytes; None if the operation handles none."""
    requests: int = 0
    """Requests sent to a server."""
    retries: int = 0
    """Requests that were sent again."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The process and the system at one moment."""

    private_bytes: int | None
    dirty_bytes: int | None
    """Page-cache bytes of the whole system that are not on the device yet."""
    busy_s: float | None
    """CPU seconds of all processes since boot."""
    own_cpu_s: float
    """CPU seconds of this process and of its children that have ended."""
    wall_s: float

    @classmethod
    def take(cls) -> Snapshot:
        """Read all counters now."""
        dirty = system_dirty_bytes()
        return cls(
            private_bytes(),
            None if dirty is None else sum(dirty),
            system_busy_seconds(),
            process_cpu_seconds(),
            time.perf_counter(),
        )


@dataclass
class Clock:
    """Runs only between ``start`` and ``stop``; every interval in between belongs to one phase.

    What the process used (CPU, bytes read and dirtied) is read outside the intervals, so that reading it costs the
    measurement nothing, and summed over them, so that gaps do not count.
    """

    progress: SharedProgress | None = None
    phases: dict[Phase, int] = field(default_factory=dict)
    worker_phases: dict[Phase, int] = field(default_factory=dict)
    before: Snapshot | None = None
    """The process and the system just before the first start."""
    cpu_user_s: float = 0.0
    cpu_system_s: float = 0.0
    io_read_bytes: int = 0
    io_dirtied_bytes: int = 0
    requests: int = 0
    retries: int = 0
    first: int | None = None
    last: int = 0
    _mark: int = 0
    _on: bool = False
    _usage: resource.struct_rusage | None = None
    _io: tuple[int, int] | None = None

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Read the process's counters only before the first and after the last of several intervals.

        Reading them costs some ten microseconds and disturbs the processor's caches for what is timed next. What the
        process uses between the intervals counts as well, so next to nothing may happen there.
        """
        self.start()
        self._on = True
        try:
            yield
        finally:
            self._on = False
            self.stop()

    def start(self) -> None:
        """Begin a timed interval."""
        if self._on:
            self._mark = _now()
            return
        if self.before is None:
            self.before = Snapshot.take()
            if self.progress is not None:
                self.progress.set_measuring(True)
        self._io = process_io()
        self._usage = resource.getrusage(resource.RUSAGE_SELF)
        self._mark = _now()
        if self.first is None:
            self.first = self._mark

    def lap(self, phase: Phase) -> None:
        """Give the time since ``start`` or the last lap to ``phase``."""
        now = _now()
        self.phases[phase] = self.phases.get(phase, 0) + now - self._mark
        self._mark = now

    def count_worker(self, phase: Phase, nanoseconds: int) -> None:
        """Add the time that one of several workers spent in a phase."""
        self.worker_phases[phase] = self.worker_phases.get(phase, 0) + nanoseconds

    def stop(self) -> None:
        """End a timed interval; time since the last lap belongs to no phase."""
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

    @contextlib.contextmanager
    def left_out(self) -> Iterator[None]:
        """Leave the processor time of this thread out of what the process used, while ``running``."""
        began = time.thread_time()
        try:
            yield
        finally:
            if self._on:
                self.cpu_user_s -= time.thread_time() - began

    def take_sample(self, pixel_bytes: int | None = None) -> Sample:
        """Return the phases so far as one sample, and reset them.

        Args:
            pixel_bytes: Raw pixels that the sample handled, bytes.
        """
        seconds = sum(self.phases.values()) * _NANO
        phases = {name: count * _NANO for name, count in (self.phases | self.worker_phases).items()}
        sample = Sample(seconds, phases, pixel_bytes, self.requests, self.retries)
        self.phases, self.worker_phases, self.requests, self.retries = {}, {}, 0, 0
        return sample

    def count_requests(self, requests: int, retries: int) -> None:
        """Add what was sent to a server."""
        self.requests += requests
        self.retries += retries

    @property
    def elapsed_s(self) -> float:
        """Seconds from the first start to the last stop, gaps included."""
        return 0.0 if self.first is None else (self.last - self.first) * _NANO
