"""Finding and reading the picture files of a tree without ever changing it, leaving it, or waiting for a pipe."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from imgstore_tui.core.dataset import BrokenImageError, Excluded, ScanProgress
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count

LARGEST_FILE = 1 << 30
"""Files beyond this are left out: they would be read into memory whole."""
PROGRESS_EVERY = 256
"""Progress is told once in so many files."""
RAW_SUFFIXES = frozenset({
    ".3fr", ".arw", ".cr2", ".cr3", ".dng", ".exr", ".gif", ".hdr", ".j2k", ".jp2", ".nef", ".orf", ".pef", ".psd",
    ".raf", ".raw", ".rw2", ".srw", ".svg", ".tga", ".x3f",
})  # fmt: skip
"""Suffixes of pictures that nobody here decodes."""
# Thumbnails that a NAS keeps, and what macOS leaves in archives.
_NOT_THE_USERS = frozenset({"@eaDir", "__MACOSX"})


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the header and the file system say about a picture file."""

    size: int
    """Bytes of the file."""
    modified_ns: int
    shape: tuple[int, ...]
    """Empty where nobody looked inside."""
    dtype: str


def check_root(root: Path) -> None:
    """Raise DataError, with what to do, unless ``root`` is a folder that may be read."""
    where = f"'{safe_text(str(root))}'"
    try:
        if not stat.S_ISDIR(root.stat().st_mode):
            raise DataError(f"{where} is a file, not a folder. Name the folder that it lies in.")
        with os.scandir(root) as entries:
            next(entries, None)
    except FileNotFoundError:
        raise DataError(f"There is no folder {where}. Check the path.") from None
    except PermissionError:
        raise DataError(f"The folder {where} may not be read. Ask its owner for the permission to.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"The folder {where} cannot be read: {_why(error)}. Check the path.") from None


def list_files(root: Path, suffixes: frozenset[str], report: ScanProgress) -> Iterator[str | Excluded]:
    """Walk the tree and yield what may be a picture, in no order.

    Hidden files and folders, and those that a NAS or macOS puts beside the user's, are skipped. Links to folders are
    not followed.

    Args:
        root: Folder to walk.
        suffixes: Suffixes to look for, lower case, with the dot.
        report: Told now and then how many were found, also where none are.

    Yields:
        The path of a file relative to ``root``, or what is passed over and why.
    """
    waiting = [""]
    count = passed = 0
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    passed += 1
                    if not passed % PROGRESS_EVERY:
                        report("looking for pictures", count, None)
                    if entry.name.startswith(".") or entry.name in _NOT_THE_USERS:
                        continue
                    name = f"{folder}{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{name}/")
                    elif entry.is_symlink() and _is_folder(entry):
                        yield Excluded(name, "It is a link to a folder, which is not followed.")
                    elif os.path.splitext(entry.name)[1].lower() in suffixes:  # noqa: PTH122 - ten times Path's speed
                        count += 1
                        yield name
        except OSError as error:
            yield Excluded(folder.rstrip("/") or ".", f"The folder cannot be read: {_why(error)}.")


def read_header(root: Path, name: str) -> FileFacts:
    """Read a picture's header.

    Raises:
        BrokenImageError: If it is no picture that we take, no regular file, or a link that leaves ``root``.
    """
    from imgstore_tui.images.decode import NoDecoderError, probe

    facts = file_facts(root, name)
    try:
        shape, dtype = probe(root / name)
    except NoDecoderError as error:
        raise BrokenImageError(name, f"{error} With decode=no it takes part as it is.") from None
    except DataError as error:
        raise BrokenImageError(name, str(error)) from None
    return replace(facts, shape=shape, dtype=dtype)


def file_facts(root: Path, name: str) -> FileFacts:
    """Look at a file as the file system does, without a look inside.

    Raises:
        BrokenImageError: If it is no regular file, empty, too large, or a link that leaves ``root``.
    """
    path = root / name
    try:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            # Not Path.resolve, whose error for a circle depends on the version of Python.
            if not Path(os.path.realpath(path, strict=True)).is_relative_to(root.resolve()):
                raise BrokenImageError(name, "It is a link that leaves the folder, which is not followed.")
            status = path.stat()
    except OSError as error:
        raise BrokenImageError(name, _broken_link_or(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise BrokenImageError(name, "It is no regular file.")
    if not status.st_size:
        raise BrokenImageError(name, "The file is empty.")
    if status.st_size > LARGEST_FILE:
        raise BrokenImageError(name, f"The file has {format_count(status.st_size)} bytes, more than 1 GiB.")
    return FileFacts(status.st_size, status.st_mtime_ns, (), "")


def read_unchanged(root: Path, name: str, size: int, modified_ns: int) -> bytes:
    """Return the bytes of a file that has not changed since it was looked at.

    Raises:
        BrokenImageError: If it has, or is gone, or cannot be read.
    """
    try:
        # A pipe put where the picture was must not hang us.
        descriptor = os.open(root / name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
            data = file.read(size + 1) if regular else b""
            modified_now = os.fstat(descriptor).st_mtime_ns  # afterwards, to notice a change meanwhile
    except FileNotFoundError:
        raise BrokenImageError(name, "The file is gone since the folder was scanned.") from None
    except OSError as error:
        raise BrokenImageError(name, f"The file cannot be read: {_why(error)}.") from None
    if len(data) != size or modified_now != modified_ns:
        raise changed_error(name)
    return data


def changed_error(name: str) -> BrokenImageError:
    """Return the error for a file that is not what it was."""
    return BrokenImageError(name, "The file has changed since the folder was scanned.")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link in a circle: it is looked at again, with the files
        return False


def _broken_link_or(error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "It is a link to nothing, or has just gone."
    if error.errno == errno.ELOOP:
        return "It is a link that leads in a circle."
    return f"The file cannot be read: {_why(error)}."


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
