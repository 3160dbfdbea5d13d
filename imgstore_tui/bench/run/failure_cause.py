"""Finds why a trial failed, as far as the system shows: drivers' messages for a full disk or a kill often mislead."""

from __future__ import annotations

import errno
import os
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.protocol.messages import TrialOutcome
from imgstore_tui.bench.system.inode_flags import APPEND_ONLY, IMMUTABLE, read_flags
from imgstore_tui.bench.system.memory import oom_kills
from imgstore_tui.core.units import format_bytes

FULL_BYTES = 1 << 20
"""With less than this free, a disk counts as full: file systems keep a little for themselves."""

_UNCHANGEABLE = {IMMUTABLE: "immutable (chattr +i)", APPEND_ONLY: "append-only (chattr +a)"}

_FAILED_DEVICE = (os.strerror(errno.EIO), f"[Errno {errno.EIO}]", f"errno = {errno.EIO},")


def with_cause(outcome: TrialOutcome, folder: Path | None, kills_before: int | None) -> TrialOutcome:
    """Return a failure with the cause that the system shows right after it.

    Args:
        outcome: The executor's outcome.
        folder: The folder of the store; None if it is not in a local file system.
        kills_before: ``oom_kills`` before the trial.
    """
    if outcome.ok or outcome.cancelled or outcome.skipped:
        return outcome
    reason = outcome.reason or ""
    # Where a trial hung, a call to the file system may hang as well.
    causes = [] if outcome.hung or folder is None else [*causes_at(folder), *_limit_causes(reason)]
    if folder is not None and any(text in reason for text in _FAILED_DEVICE):
        causes.append(f"The device or file system under {folder} failed; the kernel's log says more (dmesg).")
    kills = oom_kills()
    if kills is not None and kills_before is not None and kills > kills_before:
        causes.append("The kernel killed it because memory ran out.")
    return replace(outcome, reason=" ".join([*causes, reason]).strip())


def causes_at(folder: Path) -> Iterator[str]:
    """Yield a sentence for each reason for which nothing can be written in a folder, looked at now."""
    try:
        status = os.statvfs(folder)
    except OSError as error:
        yield f"{folder} is out of reach: {error.strerror}."
        return
    free = status.f_bavail * status.f_frsize
    if free < FULL_BYTES:
        yield f"The disk is full: {format_bytes(free)} free at {folder}."
    if status.f_files and not status.f_favail:
        yield f"No inodes are left at {folder}: it can hold no more files."
    try:
        # Mode bits do not show a read-only mount, an immutable folder, or root.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            yield f"{folder} cannot be written{_unchangeable(folder)}: {error.strerror}."


def _unchangeable(folder: Path) -> str:
    """Return why a folder cannot be written, if its flags show it."""
    try:
        flags = read_flags(folder)
    except OSError:
        return ""
    reasons = [reason for flag, reason in _UNCHANGEABLE.items() if flags & flag]
    return f", it is {' and '.join(reasons)}" if reasons else ""


def _limit_causes(reason: str) -> Iterator[str]:
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    if largest != resource.RLIM_INFINITY and "came back" not in reason:
        yield f"No file may grow beyond {format_bytes(largest)} here (ulimit -f)."
