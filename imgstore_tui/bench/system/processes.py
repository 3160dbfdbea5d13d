"""Ties child processes to their parent and to the kernel's memory killer; lists and inspects processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent is gone; end at once if it is gone already.

    Source: prctl(2), PR_SET_PDEATHSIG. It is the death of the parent's thread that counts, so the parent must fork
    from its only thread; and it is not inherited, so every fork must ask again.

    Args:
        parent: Process id of the process that forked, taken before the fork.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def die_first() -> None:
    """Ask the kernel to end this process before any other when memory runs out: a trial, not its supervisor.

    Source: proc(5), ``/proc/PID/oom_score_adj``; raising it needs no privilege.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def adopt_orphans() -> None:
    """Ask the kernel to make this process the parent of descendants whose parents end, so that it sees them.

    Source: prctl(2), PR_SET_CHILD_SUBREAPER; it is not inherited.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def descendants_of(pid: int) -> list[int]:
    """Return all living descendants of a process. Source: ``/proc/PID/task/TID/children`` (proc(5))."""
    pids: list[int] = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text(encoding="ascii").split()):
                pids += [child, *descendants_of(child)]
    return pids


def start_time(pid: int) -> str:
    """Return when a process was started, in ticks of the kernel's clock; empty if there is none, or it has ended.

    Source: ``/proc/PID/stat``, field 22 (proc(5)).
    """
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return "" if fields[0] == "Z" else fields[19]
    return ""


def wait_state(pid: int) -> str | None:
    """Return what a process waits for: the name of a kernel function, or its state.

    Returns:
        None if the process has ended.
    """
    channel = ""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
        with contextlib.suppress(PermissionError):
            channel = Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")
    except OSError:
        return None
    if state in "ZX":
        return None
    return channel if channel not in ("", "0") else f"state {state}"
