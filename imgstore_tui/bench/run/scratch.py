"""Chooses the folder in which stores are made: never in the user's data or around it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.bench.system.mounts import is_inside
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.paths import current_folder, expand_path


def choose_scratch(scratch: str | None, data_roots: Sequence[Path], before: str | None = None) -> Path:
    """Return the folder in which the run makes its own folder.

    If the user names none: the current directory, unless it is inside the data or not writable; then the folder beside
    the data, on its device; then the system's folder for temporary files. A named folder that contains the data is
    refused: stores among the data are seldom intended.

    Args:
        scratch: The folder that the user has named; None if none was named.
        data_roots: Folders and files of the data.
        before: The scratch folder of a run that is resumed; no other is used then.

    Raises:
        UsageError: If the named folder is not a folder, is inside the data or contains it.
        UnavailableError: If no folder is writable.
    """
    if scratch is not None:
        folder = named_folder(scratch)
        for root in data_roots:
            if is_inside(folder, root):
                raise UsageError(f"Scratch folder {folder} lies in the data ({root}). Name one apart from it.")
            if is_inside(root, folder):
                raise UsageError(f"Scratch folder {folder} holds the data ({root}). Name one apart from it.")
        if not _is_writable(folder):
            raise UnavailableError(f"Scratch folder {folder} cannot be written. Name another with --scratch.")
        return folder.resolve()
    if before is not None:
        folder = Path(before)
        if any(is_inside(folder, root) for root in data_roots) or not folder.is_dir() or not _is_writable(folder):
            raise UnavailableError(f"The run was begun in {folder}, where nothing can be written now. Start a new run.")
        return folder.resolve()
    candidates = [*(root.resolve().parent for root in data_roots), Path(tempfile.gettempdir())]
    with contextlib.suppress(UnavailableError):  # the current folder is gone: the others may do
        candidates.insert(0, current_folder())
    for folder in candidates:
        if not any(is_inside(folder, root) for root in data_roots) and _is_writable(folder):
            return folder.resolve()
    raise UnavailableError("No folder for scratch can be written. Name one with --scratch.")


def named_folder(scratch: str) -> Path:
    """Return the scratch folder that the user names.

    Raises:
        UsageError: If it is no folder.
    """
    if not scratch:
        raise UsageError("No scratch folder is named. Write --scratch DIR, or leave it out.")
    folder = expand_path(scratch)
    if not folder.is_dir():
        raise UsageError(f"Scratch folder {folder} is no folder. Make it, or name another with --scratch.")
    return folder


def _is_writable(folder: Path) -> bool:
    """Return whether a file can be made: mode bits do not show root, read-only mounts or immutable folders."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
