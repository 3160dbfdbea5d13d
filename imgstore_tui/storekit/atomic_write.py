"""Writing a file whole or not at all, and never over another by accident."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from imgstore_tui.core.errors import FileTakenError, UnavailableError


def write_atomic(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file that is whole and durable once it has its name.

    Raises:
        FileTakenError: If it exists and may not be replaced.
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
        raise FileTakenError(f"{path} exists already. Name another file, or allow it to be replaced.") from None
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
