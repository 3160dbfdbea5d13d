"""Implements what local stores share: their files, forcing them to the device, weighing and removing them."""

from __future__ import annotations

import os
import re
from abc import ABC
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from imgstore_tui.core.backend import Backend, DiskUsage, Durability, DurableBy, Reader
from imgstore_tui.core.errors import UnsupportedError, UsageError
from imgstore_tui.core.files import force_all, walk
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.safe_remove import remove_tree


class LocalBackend(Backend[Path], ABC):
    """A storage system whose store is a folder of its own, or one file.

    Whether a store is there, whether it is many files, and what a run that died has left is looked up in the file
    system, by the location: nothing of a store may lie elsewhere without a trace in it.
    """

    signature_files: ClassVar[tuple[str, ...]] = ()
    """Names in a store's folder; if one exists, the folder may be a store of this backend. Empty: every folder may."""
    owned_pattern: ClassVar[re.Pattern[str] | None] = None
    """Matches the whole path, below a store's folder and with slashes, of every file that the backend makes there, and
    of no other file. None: unknown, so nothing is ever removed to make room for another store."""
    foreign_suffixes: ClassVar[frozenset[str]] = frozenset()
    """Suffixes, with the dot and in lower case, of files of other programs that ``open_foreign`` reads, whatever their
    first bytes say."""
    foreign_kinds: ClassVar[frozenset[str]] = frozenset()
    """Formats of other programs, as ``plugins.file_kind`` names them, whose files ``open_foreign`` reads."""
    foreign_beside: ClassVar[tuple[str, ...]] = ()
    """What the names of files end in that ``open_foreign`` looks into beside those that it is called with."""
    reads_packed: ClassVar[bool] = False
    """Whether ``open_foreign`` reads files of these formats that gzip or bzip2 compresses as a whole."""
    file_suffix: ClassVar[str] = ""
    """Suffix, with the dot, that a run gives to the name of a store; empty where a store is a folder."""

    @classmethod
    def claims_foreign_folder(cls, location: Path) -> bool:  # noqa: ARG003 - for subclasses
        """Whether a folder as a whole is what another program wrote in a layout that ``open_foreign`` reads.

        It is then called with the folder as the only file.

        Args:
            location: A folder that exists.
        """
        return False

    @classmethod
    def open_foreign(cls, location: Path, files: Sequence[Path]) -> Reader:  # noqa: ARG003 - for subclasses
        """Open files that another program has written, for reading only.

        Args:
            location: The file or folder that the user names, for messages.
            files: One file or more whose suffix is among ``foreign_suffixes``, in the order of their names; all of
                them are read as one store.

        Raises:
            StoreError: If a file is damaged, or there are no images in it.
        """
        raise UnsupportedError(f"Backend {cls.name} reads no files of other programs.")

    @classmethod
    def open_foreign_as(cls, location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
        """Open files that another program has written, in which the user may name what is to be read.

        Args:
            location: As for ``open_foreign``, which a backend may implement alone, if there is nothing to name.
            files: As for ``open_foreign``.
            layout: What the user names.

        Raises:
            UsageError: If the user names something that the backend does not ask for.
            StoreError: If a file is damaged, or there are no images in it.
        """
        if layout.named:
            raise UsageError(
                f"Backend {cls.name} reads {location} as it is; leave out the options {', '.join(layout.named)}."
            )
        return cls.open_foreign(location, files)

    def exists(self, location: Path) -> bool:
        """Whether a file, a folder or a link is at ``location``."""
        return os.path.lexists(location)

    def files(self, location: Path) -> Iterator[Path]:
        """Yield the store's regular files, so that the page cache can be dropped and proven."""
        if not location.is_dir():
            yield location
            return
        yield from (Path(entry.path) for entry in walk(location) if entry.is_file(follow_symlinks=False))

    def paths_to_open(self, location: Path) -> Sequence[Path]:
        """Return the files and folders in a store's folder that other programs of the format open.

        Empty where that is the store itself: one file, or a folder as a whole.
        """
        if not location.is_dir():
            return ()
        return [location / name for name in self.signature_files if (location / name).exists()]

    @classmethod
    def unowned_files(cls, location: Path) -> Iterator[Path]:
        """Yield the files in a store's folder that the backend did not make; folders count by what is in them."""
        for entry in walk(location) if location.is_dir() else ():
            if entry.is_dir(follow_symlinks=False):
                continue
            name = Path(entry.path).relative_to(location).as_posix()
            owned = cls.owned_pattern is not None and cls.owned_pattern.fullmatch(name) is not None
            if not owned or not entry.is_file(follow_symlinks=False):
                yield Path(entry.path)

    def disk_usage(self, location: Path) -> DiskUsage:
        """Return what the store weighs, folders included in the allocated bytes, as ``du`` counts."""
        own = location.stat()
        allocated = own.st_blocks * 512
        if not location.is_dir():
            return DiskUsage(own.st_size, allocated, 1)
        apparent, files = 0, 0
        for entry in walk(location):
            status = entry.stat(follow_symlinks=False)
            allocated += status.st_blocks * 512
            if entry.is_file(follow_symlinks=False):
                apparent += status.st_size
                files += 1
        return DiskUsage(apparent, allocated, files)

    def make_durable(self, location: Path, changed: Iterable[Path] | None = None) -> int:
        """Force files of the closed store, then their folders and the store's own, to the device.

        Args:
            location: The store.
            changed: Its files and folders that changed; None for all, and for the parent of a new store.

        Returns:
            How many sync calls were made.
        """
        folders = {location} if location.is_dir() else set()
        if changed is None:
            folders.add(location.parent)
        return force_all(self.files(location) if changed is None else changed, folders)

    def durability(self, location: Path, sync: SyncLevel) -> Durability:
        """Return that the caller forces the files: before that, they are in the page cache."""
        return Durability(DurableBy.FORCE)

    def unknown_cache(self) -> str | None:
        """Return None: the pages of its files tell."""
        return None

    def destroy(self, location: Path) -> None:
        """Remove exactly the store at ``location``, whole or broken off, and nothing beside it.

        Raises:
            StoreError: If a part of it must be left.
            OSError: If a part of it cannot be removed, or there is nothing.
        """
        remove_tree(location)
