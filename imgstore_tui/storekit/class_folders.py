"""Finds the class of each picture of an archive by its folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from imgstore_tui.storekit.folder_roles import are_roles, roles_text


def class_folders(names: Sequence[str]) -> tuple[list[str], str]:
    """Return the class of each picture by its folder, and a note on folders that are no classes; often empty.

    There are no classes if there are no folders that tell pictures apart.

    Folders that all pictures share are passed over, and so are ``train``, ``images``, ``masks`` and the like, which are
    no classes.

    Args:
        names: Names of the pictures in the archive, with slashes between folders.
    """
    depth, note = 0, ""
    while True:
        folders = [_folder_at(name, depth) for name in names]
        if not folders or "" in folders:
            return [], note
        if len(distinct := set(folders)) > 1:
            if not are_roles(distinct):
                return folders, note
            note = note or roles_text(sorted(distinct))
        depth += 1


def is_in_folder(name: str, folder: str) -> bool:
    """Whether a file of an archive is in a folder, of any depth, or below it.

    Args:
        name: Its name, with slashes between folders.
        folder: One folder or several, one in the other, without slashes around.
    """
    return f"/{folder}/" in f"/{name}"


def _folder_at(name: str, depth: int) -> str:
    """Return the folder of a picture at a depth; empty if there is none."""
    folders = [part for part in name.split("/")[:-1] if part not in {"", "."}]
    return sys.intern(folders[depth]) if depth < len(folders) else ""
