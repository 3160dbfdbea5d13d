"""Implements stores that are one file: where the file is, what lies beside it while it is open, and its removal.

The location is the file itself. Until it is complete it is called ``NAME.partial``, and a rename that replaces nothing
gives it its name. Earlier versions made a folder with the file in it; such a store is still read, changed and removed.
"""

from __future__ import annotations

import contextlib
import os
import stat
from abc import ABC
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from imgstore_tui.core.backend import Content, DiskUsage
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.safe_remove import remove_tree

PARTIAL = ".partial"
"""What follows the name of a file until it is complete."""
METADATA_KEY = "imgstore-tui"
"""Name of the manifest among the metadata of formats that keep text by name."""


class OneFileBackend(LocalBackend, ABC):
    """A storage system whose store is one file, whose format has room for the manifest."""

    file_signature: ClassVar[tuple[int, bytes]]
    """An offset and the bytes that every file of the format has there."""
    side_suffixes: ClassVar[tuple[str, ...]] = (PARTIAL,)
    """What follows the name of the store in the names of files that belong to it while it is written or changed."""

    @classmethod
    def has_signature(cls, path: Path) -> bool:
        """Whether an ordinary file begins like one of the format; it may be of another program."""
        offset, signature = cls.file_signature
        try:
            # A pipe that nobody writes to would never open.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return False
        with open(descriptor, "rb") as file:
            try:
                return (
                    stat.S_ISREG(os.fstat(descriptor).st_mode)
                    and file.read(offset + len(signature))[offset:] == signature
                )
            except OSError:
                return False

    @classmethod
    def side_files(cls, location: Path) -> list[Path]:
        """Return the paths beside a location that belong to the store there, whether they exist or not."""
        return [beside(location, suffix) for suffix in cls.side_suffixes]

    def exists(self, location: Path) -> bool:
        """Whether something is at ``location``, or a part of a store that is not complete beside it."""
        return any(map(os.path.lexists, (location, *self.side_files(location))))

    def files(self, location: Path) -> Iterator[Path]:
        """Yield the file and what lies beside it, or the files in a store that is a folder."""
        if location.is_dir():
            yield from super().files(location)
            return
        yield from (path for path in (location, *self.side_files(location)) if path.is_file())

    def disk_usage(self, location: Path) -> DiskUsage:
        """Return what the file and those beside it weigh."""
        if location.is_dir():
            return super().disk_usage(location)
        statuses = [path.stat() for path in self.files(location)] or [location.stat()]
        lengths = sum(status.st_size for status in statuses)
        return DiskUsage(lengths, sum(status.st_blocks * 512 for status in statuses), len(statuses))

    def destroy(self, location: Path) -> None:
        """Remove the file and what lies beside it, or the folder of a store of an earlier version."""
        if location.is_dir() and not location.is_symlink():
            super().destroy(location)
            return
        paths = [path for path in (location, *self.side_files(location)) if os.path.lexists(path)]
        for path in paths or [location]:
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)  # where a library writes what it then gives its name
            else:
                path.unlink()


def beside(location: Path, suffix: str) -> Path:
    """Return the path of a file beside a store, whose name is that of the store and a suffix."""
    return Path(f"{location}{suffix}")


def partial_path(location: Path) -> Path:
    """Return the path that the file of a store has until it is complete."""
    return beside(location, PARTIAL)


def file_of(location: Path, name_in_folder: str) -> Path:
    """Return the file of a store: its location or, in a store that is a folder, the file of that name."""
    return location / name_in_folder if location.is_dir() else location


def begin_file(backend: OneFileBackend, location: Path, content: Content) -> None:
    """Create the empty file of a new store under its temporary name, after a check that the backend takes the content.

    Raises:
        UnsupportedError: If the backend does not claim such content.
        StoreError: If something is there already, or the file cannot be created.
    """
    from imgstore_tui.core.manifest import check_content  # it needs numpy, which lists and help do without

    check_content(backend, content)
    for path in (location, *backend.side_files(location)):
        if os.path.lexists(path):
            raise StoreError(f"{path} exists already; a store is made where nothing is.")
    try:
        os.close(os.open(partial_path(location), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666))
    except OSError as error:
        raise StoreError(f"{location} cannot be made: {error.strerror or error}.") from None


def leave_to_library(path: Path) -> None:
    """Remove the empty file of ``begin_file``, in whose place a library makes another.

    Were it truncated or replaced, ext4 would begin to write all of the file to the device when it is closed or renamed
    (its mount option ``auto_da_alloc``), on the clock, in a row that says that nothing is forced.
    """
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        if stat.S_ISREG(status.st_mode) and not status.st_size:
            path.unlink()
