"""Writing an export to a file: whole or not at all, and never over another by accident."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Run
from imgstore_tui.present import exports


def default_name(run: Run, name: str) -> str:
    """Return the file name of a run in the format called ``name``."""
    kept = "".join(character if character.isalnum() or character in "-_." else "-" for character in run.id)
    return f"imgstore-{kept}{exports.get(name).suffix}"


def write_export(run: Run, name: str, destination: Path, *, overwrite: bool = False) -> Path:
    """Write a run in the format called ``name``.

    Args:
        run: What to write.
        name: Name of the exporter.
        destination: File to make, or a folder that exists, in which the file gets its default name.
        overwrite: Whether a file of that name may be replaced.

    Returns:
        The file written.

    Raises:
        UsageError: If there is no such format, the file exists, or its folder does not.
        UnavailableError: If a library is missing, or the file system refuses.
    """
    exporter = exports.get(name)
    path = destination / default_name(run, name) if destination.is_dir() else destination
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no ordinary file and is left as it is. Name another.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists already. Name another file, or allow it to be replaced.")
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist. Make it first, or name another.")
    write_atomic(path, exporter.export(run), overwrite=overwrite)
    return path


def write_atomic(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file that is whole and durable once it has its name.

    Raises:
        UsageError: If it exists and may not be replaced.
        UnavailableError: If the file system refuses.
    """
    temporary = path.parent / f".imgstore-{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            _name_new(temporary, path)
        _sync_folder(path.parent)
    except FileExistsError:
        raise UsageError(f"{path} exists already. Name another file, or allow it to be replaced.") from None
    except OSError as error:
        raise UnavailableError(f"Cannot write {path}: {error.strerror or error}.") from None
    finally:
        with contextlib.suppress(OSError):  # gone already, or the same refusal once more
            temporary.unlink()


def _name_new(temporary: Path, path: Path) -> None:
    """Give the file its name unless something has it; a link refuses where a rename would replace."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the check above has to do
        if path.exists():
            raise FileExistsError(path) from None
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
