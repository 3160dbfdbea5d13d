"""Numbers the classes of a tree by its folders, with those that hold no pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.splits import is_split

ROOT_CLASS = "."
"""Class of pictures beside the class folders; no folder can have this name."""
_MOST_NAMED = 3


def class_of(name: str) -> str:
    """Return the class of a picture by its path below the root."""
    folder, slash, _ = name.partition("/")
    return folder if slash else ROOT_CLASS


def class_folders(root: Path, names: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Return the classes in the order of their numbers, and a note on folders that are none; no class without folders.

    A folder that is empty keeps its number, so that the parts of a data set agree. One with other files is no class.

    Args:
        root: The folder of the data.
        names: Paths of the pictures below it, ``/`` between folders.
    """
    folders = {class_of(name) for name in names}
    if not folders - {ROOT_CLASS}:
        return (), ""
    others = []
    for folder in _folders_in(root):
        if folder in folders:
            continue
        if _is_empty(root / folder):
            folders.add(folder)
        else:
            others.append(folder)
    classes = tuple(sorted(folders, key=lambda folder: (folder != ROOT_CLASS, folder)))
    if len(classes) > 1 and all(map(is_split, classes)):
        splits = " and ".join(map(safe_text, classes))
        return classes, f"{splits} are the names of splits; name one of these folders to have the classes in it"
    if not others:
        return classes, ""
    shown = ", ".join(safe_text(folder) for folder in sorted(others)[:_MOST_NAMED])
    more = f" and {len(others) - _MOST_NAMED} more" if len(others) > _MOST_NAMED else ""
    return classes, f"without pictures, and so without a number: {shown}{more}"


def _folders_in(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return [
                entry.name
                for entry in entries
                if not entry.name.startswith((".", "@", "__MACOSX")) and entry.is_dir(follow_symlinks=False)
            ]
    except OSError:  # what cannot be read is named by the scan
        return []


def _is_empty(folder: Path) -> bool:
    """Whether there is no file in a folder and below it but hidden ones."""
    failed: list[OSError] = []
    for _, _, files in os.walk(folder, onerror=failed.append):
        if any(not file.startswith(".") for file in files):
            return False
    return not failed
