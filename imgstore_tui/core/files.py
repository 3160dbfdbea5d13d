"""Lists files below a folder, and forces files to the device."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield all entries below a folder; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from walk(Path(entry.path))


def force(path: Path) -> None:
    """Force a file, or the names in a folder, to the device."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def force_all(paths: Iterable[Path], folders: Iterable[Path]) -> int:
    """Force files to the device, then the names in their folders, the deepest first.

    Args:
        paths: Files, and folders whose names changed.
        folders: More folders whose names changed.

    Returns:
        How many sync calls were made.
    """
    calls, named = 0, set(folders)
    for path in paths:
        if path.is_dir():
            named.add(path)
            continue
        force(path)
        named.add(path.parent)
        calls += 1
    for folder in sorted(named, key=lambda path: -len(path.parts)):
        force(folder)
        calls += 1
    return calls
