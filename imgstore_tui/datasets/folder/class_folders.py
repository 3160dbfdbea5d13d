"""Numbers the classes of a tree by its folders, with those that hold no pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.folder_roles import (
    are_roles,
    holds_annotations,
    holds_images,
    is_role,
    listed,
    roles_text,
)

_SYSTEM_FOLDERS = frozenset({"system volume information", "lost+found", "$recycle.bin", "recycler", "#recycle"})
"""Folders, in lower case, that file systems make: no classes, unless there are pictures in them."""
ROOT_CLASS = "."
"""Class of pictures beside the class folders; no folder can have this name."""


def class_of(name: str) -> str:
    """Return the class of a picture by its path below the root."""
    folder, slash, _ = name.partition("/")
    return folder if slash else ROOT_CLASS


def class_folders(root: Path, names: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Return the classes in the order of their numbers, and a note on folders that are none; no class without folders.

    A folder that is empty keeps its number, so that the parts of a data set agree. One with other files is no class,
    and neither are folders of splits or parts of a data set, such as ``train``, ``images``, ``masks``.

    Args:
        root: The folder of the data.
        names: Paths of the pictures below it, sorted, ``/`` between folders.
    """
    names = list(names)
    folders = {class_of(name) for name in names}
    named = sorted(folders - {ROOT_CLASS})
    if not named:
        return (), ""
    if are_roles(named):
        return (), _roles_text(root, names, named)
    others = []
    for folder in _folders_in(root):
        if folder in folders:
            continue
        if _is_empty(root / folder):
            folders.add(folder)
        else:
            others.append(folder)
    classes = tuple(sorted(folders, key=lambda folder: (folder != ROOT_CLASS, folder)))
    if not others:
        return classes, ""
    return classes, f"without pictures, and so without a number: {listed(sorted(others))}"


def _roles_text(root: Path, names: Iterable[str], folders: list[str]) -> str:
    """Return why folders of pictures are no classes, what is not read beside them, and which folder to name."""
    text = roles_text(folders)
    if annotations := sorted(filter(holds_annotations, set(_folders_in(root)) - set(folders))):
        text += f"; what is in {listed(annotations)} is not read"
    if len(folders) > 1:
        text += "; the pictures of all are taken"
    first = min(folders, key=lambda folder: (not holds_images(folder), holds_annotations(folder), folder))
    inner = next(name for name in names if class_of(name) == first).split("/")[:-1]
    depth = next((number for number, folder in enumerate(inner) if not is_role(folder)), len(inner))
    return f"{text}; name the folder that is meant, such as {safe_text('/'.join(inner[:depth]))}"


def _folders_in(root: Path) -> list[str]:
    try:
        with os.scandir(root) as entries:
            return [
                entry.name
                for entry in entries
                if not entry.name.startswith((".", "@", "__MACOSX"))
                and entry.name.lower() not in _SYSTEM_FOLDERS
                and entry.is_dir(follow_symlinks=False)
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
