"""Writes a file whole or not at all, and never over another by accident."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from imgstore_tui.core.backend import force
from imgstore_tui.core.errors import FileTakenError, UnavailableError


@contextlib.contextmanager
def atomic_file(
    path: Path, *, overwrite: bool = True, durable: bool = True, partial_name: str | None = None
) -> Iterator[IO[bytes]]:
    """Open a new file for writing that gets its name when the block ends, and is removed if the block raises.

    Args:
        path: The name that the file gets, in a folder that exists.
        overwrite: Whether a file of that name is replaced.
        durable: Whether the file and its name are forced to the device.
        partial_name: Name of the file while it is written, in the same folder; one that a process which died has left
            is removed. None for a name that no other process takes.

    Raises:
        FileExistsError: If a file of that name exists and is not to be replaced.
        OSError: If the file system refuses.
    """
    partial = path.with_name(partial_name or f".imgstore-{secrets.token_hex(8)}.part")
    if partial_name is not None:
        partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        if overwrite:
            partial.replace(path)
        else:
            _rename_new(partial, path)
        if durable:
            force(path.parent)
    finally:
        with contextlib.suppress(OSError):  # it has its name, or the same refusal again
            partial.unlink()


def write_atomic(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file that is whole and durable once it has its name.

    Raises:
        FileTakenError: If it exists and may not be replaced.
        UnavailableError: If the file system refuses.
    """
    try:
        with atomic_file(path, overwrite=overwrite) as file:
            file.write(data)
    except FileExistsError:
        raise FileTakenError(f"{path} exists already. Name another file, or allow it to be replaced.") from None
    except OSError as error:
        raise UnavailableError(f"Cannot write {path}: {error.strerror or error}.") from None


def publish(partial: Path, path: Path, *, durable: bool) -> int:
    """Give the finished file of a new store its name, and force the folder and its entry in the parent if ``durable``.

    Returns:
        How many sync calls were made.

    Raises:
        OSError: If the file system refuses.
    """
    partial.rename(path)
    if not durable:
        return 0
    force(path.parent)
    force(path.parent.parent)
    return 2


def _rename_new(partial: Path, path: Path) -> None:
    """Rename a file unless the new name is taken; a hard link refuses where a rename would replace."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: a check beforehand has to do
        if path.exists():
            raise FileExistsError(path) from None
        partial.replace(path)
