"""Walks the files of a local store by itself: what they are, weigh and force; the backend is not asked."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.core.content import DiskUsage
from imgstore_tui.core.files import force_all, walk

SECTOR = 512
"""Unit of ``st_blocks``, bytes; see stat(2)."""


@dataclass(frozen=True, slots=True)
class FilesState:
    """Files at one moment; it differs as soon as one of them is written."""

    files: int
    size: int
    """Sum of their lengths, bytes."""
    modified_ns: int
    """Sum of their modification times."""


def parts_of(location: Path) -> Iterator[Path]:
    """Yield the file or folder of a store, then what lies beside it under its name and more, such as a log."""
    if os.path.lexists(location):
        yield location
    with os.scandir(location.parent) as entries:
        for entry in entries:
            more = entry.name.removeprefix(location.name)
            if len(more) < len(entry.name) and more and not more[0].isalnum():
                yield Path(entry.path)


def files_of(location: Path) -> Iterator[Path]:
    """Yield the regular files of a store; links are not followed."""
    for part in parts_of(location):
        if part.is_symlink():
            continue
        if part.is_dir():
            yield from (Path(entry.path) for entry in walk(part) if entry.is_file(follow_symlinks=False))
        elif part.is_file():
            yield part


def _statuses(location: Path) -> Iterator[os.stat_result]:
    for part in parts_of(location):
        yield part.lstat()
        if part.is_dir() and not part.is_symlink():
            yield from (entry.stat(follow_symlinks=False) for entry in walk(part))


def usage_of(location: Path) -> DiskUsage:
    """Return what a store weighs as ``du`` counts: folders are included in what is allocated, links count once."""
    apparent = allocated = files = 0
    linked: set[tuple[int, int]] = set()
    for status in _statuses(location):
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) in linked:
                continue
            linked.add((status.st_dev, status.st_ino))
        allocated += status.st_blocks * SECTOR
        if stat.S_ISREG(status.st_mode):
            apparent += status.st_size
            files += 1
    return DiskUsage(apparent, allocated, files)


def state_of(*locations: Path) -> FilesState:
    """Return the state of all files of stores."""
    statuses = [status for location in locations for status in _statuses(location) if stat.S_ISREG(status.st_mode)]
    return FilesState(
        len(statuses), sum(status.st_size for status in statuses), sum(status.st_mtime_ns for status in statuses)
    )


def data_bytes(files: Iterable[Path]) -> int:
    """Return the bytes of files that a device holds: holes do not count."""
    return sum(min(status.st_size, status.st_blocks * SECTOR) for status in map(Path.lstat, files))


def force_files(location: Path, changed: Iterable[Path] | None = None) -> int:
    """Force a closed store to the device: its files, then all folders whose names changed.

    Args:
        location: The store.
        changed: Its files and folders that changed; None for all, and for the parent of a new store.

    Returns:
        How many sync calls were made.
    """
    folders: set[Path] = set()
    paths: Iterable[Path] = changed if changed is not None else files_of(location)
    if changed is None:
        folders.add(location.parent)
        for part in parts_of(location):
            if part.is_dir() and not part.is_symlink():
                folders.add(part)
                folders |= {Path(entry.path) for entry in walk(part) if entry.is_dir(follow_symlinks=False)}
    return force_all(paths, folders)
