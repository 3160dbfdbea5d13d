"""Finds the class of each picture of an archive by its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from imgstore_tui.storekit.splits import is_split


def class_folders(names: Sequence[str]) -> list[str]:
    """Return the class of each picture by its folder; empty if there are no folders that tell pictures apart.

    Folders that all pictures share are passed over, and so are ``train``, ``test`` and the like, which are no classes.

    Args:
        names: Names of the pictures in the archive, with slashes between folders.
    """
    depth = 0
    while True:
        folders = [_folder_at(name, depth) for name in names]
        if not folders or "" in folders:
            return []
        if len(set(folders)) > 1 and not all(map(is_split, set(folders))):
            return folders
        depth += 1


def _folder_at(name: str, depth: int) -> str:
    """Return the folder of a picture at a depth; empty if there is none."""
    folders = [part for part in name.split("/")[:-1] if part not in {"", "."}]
    return sys.intern(folders[depth]) if depth < len(folders) else ""
