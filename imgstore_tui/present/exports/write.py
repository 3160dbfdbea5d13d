"""Writes exports to files: whole or not at all, and over another file only on request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from imgstore_tui.core.errors import FileTakenError, UsageError
from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.storekit.atomic_write import write_atomic


def default_name(run: Run, name: str) -> str:
    """Return the file name of a run in the format called ``name``."""
    return file_name(run, exports.get(name).suffix)


def file_name(run: Run, suffix: str, part: str = "") -> str:
    """Return the name of a file that holds a run, or one named part of it."""
    name = "".join(character if character.isalnum() or character in "-_." else "-" for character in run.id)
    return f"imgstore-{name}{part and f'-{part}'}{suffix}"


def write_export(run: Run, name: str, destination: Path, *, overwrite: bool = False) -> Path:
    """Write a run in the format called ``name``.

    Args:
        run: The run.
        name: Name of the exporter.
        destination: File to write, or an existing folder, in which the file gets its default name.
        overwrite: Whether an existing file may be replaced.

    Returns:
        The file written.

    Raises:
        UsageError: If there is no such format, the file exists, or its folder does not.
        UnavailableError: If a library is missing, or the file system refuses.
    """
    exporter = exports.get(name)
    path = destination / default_name(run, name) if destination.is_dir() else destination
    return write_new(path, lambda: exporter.export(run), overwrite=overwrite)


def write_new(path: Path, make: Callable[[], bytes], *, overwrite: bool = False) -> Path:
    """Write what ``make`` returns; ``make`` is called only if the file can be written.

    Args:
        path: The file.
        make: Returns its content.
        overwrite: Whether an existing file may be replaced.

    Raises:
        UsageError: If the file exists and may not be replaced, is no ordinary file, or its folder does not exist.
        UnavailableError: If a library is missing, or the file system refuses.
    """
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no ordinary file and is left as it is. Name another.")
    if path.exists() and not overwrite:
        raise FileTakenError(f"{path} exists already. Name another file, or allow it to be replaced.")
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist. Make it first, or name another.")
    write_atomic(path, make(), overwrite=overwrite)
    return path
