"""Why a trial failed, as far as the system tells: drivers' own words for a full disk or killed process often lie."""

from __future__ import annotations

import os
import resource
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.job import Outcome
from imgstore_tui.core.units import format_bytes

FULL_BYTES = 1 << 20
"""With less than this free, a disk counts as full: file systems keep a little for themselves."""

_CGROUP_EVENTS = (
    "/sys/fs/cgroup/memory.events",
    "/sys/fs/cgroup/memory/memory.oom_control",
)


def oom_kills() -> int | None:
    """Return how often the kernel has killed for want of memory in this control group; None if it does not tell."""
    for place in _CGROUP_EVENTS:
        try:
            words = Path(place).read_text(encoding="ascii").split()
        except OSError:
            continue
        if "oom_kill" in words:
            return int(words[words.index("oom_kill") + 1])
    return None


def with_cause(outcome: Outcome, place: Path, kills_before: int | None) -> Outcome:
    """Return a failure with the cause that the system shows, looked at right after it.

    Args:
        outcome: What the executor said.
        place: Folder on the file system that was written.
        kills_before: What ``oom_kills`` said before the trial.
    """
    if outcome.ok or outcome.cancelled or outcome.unsupported:
        return outcome
    causes = []
    status = os.statvfs(place)
    if status.f_bavail * status.f_frsize < FULL_BYTES:
        causes.append(f"The disk is full: {format_bytes(status.f_bavail * status.f_frsize)} free at {place}.")
    if status.f_files and not status.f_favail:
        causes.append(f"No inodes are left at {place}: it can hold no more files.")
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if largest != resource.RLIM_INFINITY and "came back" not in (outcome.reason or ""):
        causes.append(f"No file may grow beyond {format_bytes(largest)} here (ulimit -f).")
    kills = oom_kills()
    if kills is not None and kills_before is not None and kills > kills_before:
        causes.append("The kernel killed it because memory ran out.")
    return replace(outcome, reason=" ".join([*causes, outcome.reason or ""]).strip())
