"""Why a trial failed, as far as the system tells: drivers' own words for a full disk or killed process often lie."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.protocol.messages import TrialOutcome
from imgstore_tui.bench.system.memory import oom_kills
from imgstore_tui.core.units import format_bytes

FULL_BYTES = 1 << 20
"""With less than this free, a disk counts as full: file systems keep a little for themselves."""

_GET_FLAGS = 0x80086601
"""Source: ioctl_iflags(2), FS_IOC_GETFLAGS, and below FS_IMMUTABLE_FL and FS_APPEND_FL."""
_UNCHANGEABLE = {0x10: "immutable (chattr +i)", 0x20: "append-only (chattr +a)"}

_FAILED_DEVICE = (os.strerror(errno.EIO), f"[Errno {errno.EIO}]", f"errno = {errno.EIO},")


def with_cause(outcome: TrialOutcome, place: Path | None, kills_before: int | None) -> TrialOutcome:
    """Return a failure with the cause that the system shows, looked at right after it.

    Args:
        outcome: What the executor said.
        place: Folder in which was written.
        kills_before: What ``oom_kills`` said before the trial.
    """
    if outcome.ok or outcome.cancelled or outcome.skipped:
        return outcome
    said = outcome.reason or ""
    # Where a trial hung, whoever asks the file system may hang as well.
    causes = [] if outcome.hung or place is None else [*_of_the_place(place), *_of_the_limits(said)]
    if place is not None and any(words in said for words in _FAILED_DEVICE):
        causes.append(f"The device or file system under {place} failed; the kernel's log says more (dmesg).")
    kills = oom_kills()
    if kills is not None and kills_before is not None and kills > kills_before:
        causes.append("The kernel killed it because memory ran out.")
    return replace(outcome, reason=" ".join([*causes, said]).strip())


def _of_the_place(place: Path) -> Iterator[str]:
    try:
        status = os.statvfs(place)
    except OSError as error:
        yield f"{place} is out of reach: {error.strerror}."
        return
    free = status.f_bavail * status.f_frsize
    if free < FULL_BYTES:
        yield f"The disk is full: {format_bytes(free)} free at {place}."
    if status.f_files and not status.f_favail:
        yield f"No inodes are left at {place}: it can hold no more files."
    try:
        # Mode bits tell nothing of a mount that is read-only, a folder that must not change, or root.
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            yield f"{place} cannot be written{_unchangeable(place)}: {error.strerror}."


def _unchangeable(place: Path) -> str:
    """Return why a folder that cannot be written cannot, where its file system tells."""
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return ""
    try:
        flags = struct.unpack("i", fcntl.ioctl(descriptor, _GET_FLAGS, bytes(4)))[0]
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    found = [words for flag, words in _UNCHANGEABLE.items() if flags & flag]
    return f", it is {' and '.join(found)}" if found else ""


def _of_the_limits(said: str) -> Iterator[str]:
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if largest != resource.RLIM_INFINITY and "came back" not in said:
        yield f"No file may grow beyond {format_bytes(largest)} here (ulimit -f)."
