"""Reads how much memory new processes can have, and how often the kernel killed for lack of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from imgstore_tui.bench.system.cgroups import memory_groups


def available_bytes() -> int | None:
    """Return the memory that new processes can have, bytes; None if the system does not tell.

    Source: ``/proc/meminfo``, MemAvailable (proc(5)); and what the control groups leave (cgroups(7)).
    """
    try:
        tokens = Path("/proc/meminfo").read_text(encoding="ascii").split()
        limits = [int(tokens[tokens.index("MemAvailable:") + 1]) * 1024]
    except (OSError, ValueError):
        return None
    for group in memory_groups():
        for limit, used in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
            # A group without a limit has a word there, or a number larger than any memory.
            with contextlib.suppress(OSError, ValueError):
                left = _number(group / limit) - _number(group / used)
                limits.append(left + _reclaimable_bytes(group))
    return max(0, min(limits))


def _number(path: Path) -> int:
    return int(path.read_text(encoding="ascii"))


def _reclaimable_bytes(group: Path) -> int:
    """Return the page cache that a control group gives back when memory is needed."""
    tokens = (group / "memory.stat").read_text(encoding="ascii").split()
    return sum(int(tokens[tokens.index(name) + 1]) for name in ("inactive_file", "active_file"))


def oom_kills() -> int | None:
    """Return how often the kernel has killed for lack of memory in this control group; None if it does not tell.

    Source: cgroups(7), ``memory.events`` and ``memory.oom_control``; without them proc(5), ``/proc/vmstat``, which
    counts for the whole system.
    """
    counters = [group / name for group in memory_groups() for name in ("memory.events", "memory.oom_control")]
    for path in (*counters, Path("/proc/vmstat")):
        try:
            tokens = path.read_text(encoding="ascii").split()
        except OSError:
            continue
        if "oom_kill" in tokens:
            return int(tokens[tokens.index("oom_kill") + 1])
    return None
