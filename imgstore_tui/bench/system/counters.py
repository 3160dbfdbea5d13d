"""Reads the kernel's counters: memory, CPU and I/O of this process, its children, and the whole system."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path


def process_io() -> tuple[int, int] | None:
    """Return the bytes that storage fetched for this process, and the page-cache bytes it dirtied; None if unknown.

    Source: ``/proc/PID/io``, fields ``read_bytes`` and ``write_bytes`` (proc(5)).
    """
    return _io_of("/proc/self/io")


def thread_io() -> tuple[int, int] | None:
    """Return the same for this thread alone."""
    return _io_of("/proc/thread-self/io")


def _io_of(path: str) -> tuple[int, int] | None:
    try:
        with open(path, "rb", buffering=0) as stream:
            tokens = stream.read(512).split()
    except OSError:
        return None
    return int(tokens[tokens.index(b"read_bytes:") + 1]), int(tokens[tokens.index(b"write_bytes:") + 1])


def process_cpu_seconds() -> float:
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
        tokens = Path(f"/proc/{pid}/smaps_rollup").read_bytes().split()
        return int(tokens[tokens.index(b"Private_Dirty:") + 1]) * 1024
    except (OSError, ValueError):
        return 0


def private_bytes(pid: int | str = "self") -> int | None:
    """Return the private (anonymous resident) memory of a process in bytes; None if unknown.

    Source: ``/proc/PID/statm``: resident pages less file-backed and shared ones (proc(5)), the value that
    ``/proc/PID/status`` calls RssAnon.
    """
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as stream:
            tokens = stream.read(128).split()
    except OSError:
        return None
    return (int(tokens[1]) - int(tokens[2])) * resource.getpagesize() if len(tokens) > 2 else None


def system_dirty_bytes() -> tuple[int, int] | None:
    """Return the page-cache bytes of the whole system that are dirty, and those being written; None if unknown.

    Source: ``/proc/meminfo``, fields Dirty and Writeback (proc(5)).
    """
    try:
        with open("/proc/meminfo", "rb", buffering=0) as stream:
            tokens = stream.read(4096).split()
    except OSError:
        return None
    dirty, writeback = (int(tokens[tokens.index(name) + 1]) * 1024 for name in (b"Dirty:", b"Writeback:"))
    return dirty, writeback


def system_busy_seconds() -> float | None:
    """Return the CPU seconds used by all processes since boot, those stolen by the host included; None if unknown.

    Source: ``/proc/stat`` (proc(5)).
    """
    try:
        with open("/proc/stat", "rb", buffering=0) as stream:
            fields = [int(word) for word in stream.read(256).split(b"\n", 1)[0].split()[1:]]
    except OSError:
        return None
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
