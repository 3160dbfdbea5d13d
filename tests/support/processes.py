"""Looks at processes through ``/proc``, with other code than the program's own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Return the children of a process, their children, and so on."""
    pids = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(_fields(int(entry.name))[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                pids += [int(entry.name), *descendants(int(entry.name))]
    return pids


def have_ended(pids: Iterable[int]) -> bool:
    """Tell whether all of some processes end, however busy the machine is; a zombie has ended."""

    def alive(pid: int) -> bool:
        try:
            return _fields(pid)[0] != "Z"
        except OSError:
            return False

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not any(alive(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _fields(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` after the name: state, parent, ...

    Raises:
        OSError: If there is no such process.
    """
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
