"""Finds what is read in the folders below one that holds nothing to read, as a repository's root has it in ``data``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import safe_text

_MOST_FOLDERS = 256
"""Folders that are looked into."""
_MOST_DEEP = 5
"""Folders one in the other: enough for those of TensorFlow's data sets, ``name/config/version``."""
_MOST_FILES = 8
"""Files that are looked at in a folder."""
_MOST_NAMED = 4
_SNAPSHOTS, _BLOBS = "snapshots", "blobs"
"""Folders beside each other in the cache of Hugging Face: the first has the names of the files in the second."""


def refuse_outer_folder(location: Path, kind_of: Callable[[Path], str]) -> None:
    """Name the folders below one, if what is in them is read.

    Args:
        location: A folder in which no file is read.
        kind_of: Returns what a file or a folder is read as, such as ``Parquet``, or ``picture``; empty if as nothing.

    Raises:
        StoreError: If there are such folders.
    """
    kinds: dict[str, str] = {}
    for folder in islice(_folders(location), _MOST_FOLDERS):
        if len(kinds) > _MOST_NAMED:
            break
        if kind := kind_of(folder) or next(filter(None, map(kind_of, _files(folder))), ""):
            kinds[folder.relative_to(location).as_posix()] = kind
    if not kinds:
        return
    pictures = {name for name, kind in kinds.items() if kind == "picture"}
    if pictures == set(kinds):
        raise StoreError(
            f"{location} is no store: it holds folders with pictures, such as {safe_text(min(pictures))}. Name it as "
            f"folder:{safe_text(str(location))}."
        )
    stores = {name: kind for name, kind in kinds.items() if name not in pictures}
    shown = ", ".join(f"{safe_text(name)} ({kind})" for name, kind in islice(stores.items(), _MOST_NAMED))
    more = ", ..." if len(stores) > _MOST_NAMED else ""
    first = next(iter(stores))
    number = "this folder" if len(stores) == 1 else "these folders"
    raise StoreError(
        f"No file in {location} is read, but those in {number} below it are: {shown}{more}. Name one: "
        f"store:{safe_text(str(location / first))}."
    )


def _folders(location: Path) -> Iterator[Path]:
    """Yield the folders below one, by depth and name; links are not followed, and what cannot be read is passed."""
    level = [location]
    for _ in range(_MOST_DEEP):
        below: list[Path] = []
        for folder in level:
            entries = _entries(folder, folders=True)
            snapshots = any(entry.name == _SNAPSHOTS for entry in entries)
            below += [entry for entry in entries if not (snapshots and entry.name == _BLOBS)]
            if len(below) > _MOST_FOLDERS:
                break
        yield from below
        level = below


def _files(folder: Path) -> list[Path]:
    return _entries(folder, folders=False)[:_MOST_FILES]


def _entries(folder: Path, *, folders: bool) -> list[Path]:
    """Return the folders or the files in a folder by name, without hidden ones, of the first few thousand."""
    try:
        with os.scandir(folder) as listing:
            entries = list(islice(listing, 16 * _MOST_FOLDERS))
    except OSError:
        return []
    visible = [
        entry for entry in entries
        if not entry.name.startswith(".") and (
            entry.is_dir(follow_symlinks=False) if folders else not entry.is_dir(follow_symlinks=False)
        )
    ]  # fmt: skip
    return [Path(entry.path) for entry in sorted(visible, key=lambda entry: entry.name)]
