"""Where stores are made: a folder of ours, never in the user's data or around it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.core.errors import UnavailableError, UsageError

SENTINEL = ".imgstore-tui-scratch"
"""Marks a folder as made by this program, and so as one it may remove."""


def choose_scratch(wanted: str | None, data_roots: Sequence[Path]) -> Path:
    """Return the folder in which to make the run's own folder.

    Without a wish: the current directory, unless it lies in the data or cannot be written; then the folder beside
    the data, on its device; then the system's place for temporary files. A wish is taken at its word, so a folder
    that holds the data is refused: stores among the data are seldom what was meant.

    Raises:
        UsageError: If the wished folder is none, or lies in the data or around it.
        UnavailableError: If no place can be written.
    """
    if wanted is not None:
        place = Path(wanted).expanduser()
        if not place.is_dir():
            raise UsageError(f"Scratch folder {place} is no folder. Make it, or name another with --scratch.")
        for root in data_roots:
            if _lies_in(place, root):
                raise UsageError(f"Scratch folder {place} lies in the data ({root}). Name one apart from it.")
            if _lies_in(root, place):
                raise UsageError(f"Scratch folder {place} holds the data ({root}). Name one apart from it.")
        if not _writable(place):
            raise UnavailableError(f"Scratch folder {place} cannot be written. Name another with --scratch.")
        return place.resolve()
    for place in (Path.cwd(), *(root.resolve().parent for root in data_roots), Path(tempfile.gettempdir())):
        if not any(_lies_in(place, root) for root in data_roots) and _writable(place):
            return place.resolve()
    raise UnavailableError("No folder for scratch can be written. Name one with --scratch.")


def _lies_in(place: Path, folder: Path) -> bool:
    """Tell whether ``place`` is ``folder`` or below it, by what the folders are, not by how they are spelt."""
    real = place.resolve()
    wanted = folder.resolve().stat()
    return any(os.path.samestat(above.stat(), wanted) for above in (real, *real.parents))


def _writable(place: Path) -> bool:
    """Tell by making a file: mode bits say nothing about root, read-only mounts or immutable folders."""
    try:
        with tempfile.TemporaryFile(dir=place):
            return True
    except OSError:
        return False


def make_run_folder(place: Path, run_id: str) -> Path:
    """Make the run's own folder, marked as ours.

    Raises:
        UnavailableError: If it cannot be made.
    """
    folder = place / f"imgstore-tui-{run_id}"
    try:
        folder.mkdir(mode=0o700)
        (folder / SENTINEL).write_text("Made by imgstore-tui; safe to delete when no run is going on.\n")
    except OSError as error:
        raise UnavailableError(f"Scratch folder {folder} cannot be made: {error.strerror}.") from None
    return folder


def remove_run_folder(folder: Path) -> None:
    """Remove a folder that ``make_run_folder`` made, through directory handles that follow no link."""
    if (folder / SENTINEL).is_file() and not folder.is_symlink():
        shutil.rmtree(folder)


def free_bytes(place: Path) -> int:
    """Return the bytes that an ordinary user may still write on the file system of a place."""
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize
