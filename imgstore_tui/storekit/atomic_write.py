"""Writes a file whole or not at all, and never over another by accident."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from imgstore_tui.core.backend import force
from imgstore_tui.core.errors import FileTakenError, UnavailableError

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_UNKNOWN_FLAG = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)
"""Errors of a kernel or a file system that cannot rename without replacing."""


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
            rename_new(partial, path)
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
    """Give the finished file of a new store its name, and force the name to the device if ``durable``.

    Returns:
        How many sync calls were made.

    Raises:
        OSError: If the name is taken, or the file system refuses.
    """
    rename_new(partial, path)
    if durable:
        force(path.parent)
    return int(durable)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file or a folder unless the new name is taken, in one step where the file system can.

    Raises:
        FileExistsError: If it is taken.
        OSError: If the file system refuses.
    """
    rename = _renameat2()
    if rename is not None:
        if rename(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in _UNKNOWN_FLAG:
            raise OSError(number, os.strerror(number), str(source), None, str(target))
    if source.is_dir() and not source.is_symlink():
        _rename_unchecked(source, target)
        return
    try:
        os.link(source, target, follow_symlinks=False)  # refuses where a rename would replace
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        _rename_unchecked(source, target)
    else:
        source.unlink()


def _rename_unchecked(source: Path, target: Path) -> None:
    """Rename after a check that another process may overtake."""
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(source), None, str(target))
    source.rename(target)


@functools.cache
def _renameat2() -> Any:
    """Return the C library's ``renameat2``, see rename(2); None where it has none."""
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
