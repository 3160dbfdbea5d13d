"""The contract of a storage system: create, write by batches, close; open, read by ids; account; destroy.

Whoever writes a backend imports all of the contract from here.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from imgstore_tui.core.capabilities import Capabilities, Continuation, Family, Preset
from imgstore_tui.core.content import Content, DiskUsage, PayloadKind
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.files import force, walk
from imgstore_tui.core.former_names import adopt_former_names
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.reader_writer import Editor, Reader, Writer
from imgstore_tui.core.safe_remove import remove_tree

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels as Labels
    from imgstore_tui.core.content import Pixels as Pixels

__all__ = [
    "Backend",
    "Capabilities",
    "Content",
    "Continuation",
    "DiskUsage",
    "Editor",
    "Family",
    "PayloadKind",
    "Preset",
    "Reader",
    "Writer",
    "force",
]

_FORMER_NAMES = {"marks": "signature_files", "own_files": "owned_pattern", "strangers": "unowned_files"}


class Backend(ABC):
    """One storage system with its options set. A store lives in a folder of its own, the *location*.

    Whether a store is there, whether it is many files, and what a run that died has left is asked of the file system,
    by the location: nothing of a store may lie elsewhere without a trace in it.

    Subclasses declare the class variables and import their driver inside methods only, so that
    listing backends loads no driver.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Family]
    requires: ClassVar[tuple[str, ...]] = ()
    """Import names of the driver; all must be found for the backend to be available."""
    extra: ClassVar[str | None] = None
    """What to ``pip install`` for it: the name of our extra, or None where the core install has it."""
    payloads: ClassVar[frozenset[PayloadKind]]
    default_codec: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()
    presets: ClassVar[tuple[Preset, ...]]
    """The first is the default."""
    options: ClassVar[tuple[Option, ...]] = ()
    signature_files: ClassVar[tuple[str, ...]] = ()
    """Names in a store's folder; if one exists, the folder may be a store of this backend. Empty: every folder may."""
    owned_pattern: ClassVar[re.Pattern[str] | None] = None
    """Matches the whole path, below a store's folder and with slashes, of every file that the backend makes there, and
    of no other file. None: unknown, so nothing is ever removed to make room for another store."""
    caveats: ClassVar[str]
    when_to_choose: ClassVar[str]

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        adopt_former_names(cls, _FORMER_NAMES)

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        self.values = dict(values)
        """Every declared option with its value."""

    @abstractmethod
    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create a store in ``location``, a folder that does not exist yet.

        Args:
            location: Folder to make; its parent exists.
            content: What will be put.
            sync: Nothing is forced to the device for ``buffered`` and ``end`` (the caller calls
                ``make_durable`` after ``close`` for ``end``); every batch is for ``batch``.

        Raises:
            UnsupportedError: If the backend does not claim such content or sync level.
            StoreError: If something is there already, or the store cannot be made.
        """

    @abstractmethod
    def open(self, location: Path) -> Reader:
        """Open a store for reading only; nothing in it changes, no lock outlives the reader.

        Raises:
            StoreError: If it is missing, foreign, damaged, or written by a newer version.
        """

    def edit(self, location: Path, sync: SyncLevel) -> Editor:
        """Open a store to append, overwrite or delete, where ``capabilities`` claim it.

        Args:
            location: Folder of a store of this backend, closed.
            sync: As for ``create``.

        Raises:
            UnsupportedError: If the backend, as its options are, cannot change what is written.
            StoreError: As for ``open``.
        """
        raise UnsupportedError(f"Backend {self.name} cannot change a store once it is written.")

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return how a store of such payloads goes on, with the options as they are, when its writer is gone."""
        return Continuation.APPEND if self.capabilities.append else Continuation.RESTART

    def resume(self, location: Path, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Go on with a store that was created by another process and never closed, where ``continuation`` says so.

        Args:
            location: Its folder.
            content: What was given to ``create``.
            labels: int64 array (n,) of the images that ``Writer.checkpoint`` said are there; what follows them counts
                no more, and is put again.
            sizes: int64 array (n,), the bytes of their payloads.

        Raises:
            UnsupportedError: If the backend cannot go on.
            StoreError: If not so much is there, or something else.
        """
        raise UnsupportedError(f"Backend {self.name} cannot go on with a store that was not closed.")

    def probe(self, location: Path, images: Pixels, labels: Labels) -> dict[str, list[float]]:
        """Try out a habit of this storage system that no operation shows; most have none.

        Args:
            location: An empty folder; whatever is left in it is removed afterwards.
            images: Array (n, H, W[, C]) of images.
            labels: int64 array (n,).

        Returns:
            Numbers by name, one a repetition; the name ends in the unit: ``_s``, ``_bytes``, ``_count``.
        """
        return {}

    def files(self, location: Path) -> Iterator[Path]:
        """Yield the store's regular files, so that the page cache can be dropped and proven."""
        yield from (Path(entry.path) for entry in walk(location) if entry.is_file(follow_symlinks=False))

    @classmethod
    def unowned_files(cls, location: Path) -> Iterator[Path]:
        """Yield the files in a store's folder that the backend did not make; folders count by what is in them."""
        for entry in walk(location):
            if entry.is_dir(follow_symlinks=False):
                continue
            name = Path(entry.path).relative_to(location).as_posix()
            owned = cls.owned_pattern is not None and cls.owned_pattern.fullmatch(name) is not None
            if not owned or not entry.is_file(follow_symlinks=False):
                yield Path(entry.path)

    def disk_usage(self, location: Path) -> DiskUsage:
        """Return what the store weighs, folders included in the allocated bytes, as ``du`` counts."""
        apparent, files = 0, 0
        allocated = location.stat().st_blocks * 512
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
        calls = 0
        folders = {location} if changed is not None else {location, location.parent}
        for path in self.files(location) if changed is None else changed:
            if path.is_dir():
                folders.add(path)
                continue
            force(path)
            folders.add(path.parent)
            calls += 1
        for folder in sorted(folders, key=lambda path: -len(path.parts)):
            force(folder)
            calls += 1
        return calls

    def destroy(self, location: Path) -> None:
        """Remove exactly the store at ``location``, whole or broken off, and nothing beside it.

        Raises:
            StoreError: If a part of it must be left.
            OSError: If a part of it cannot be removed, or there is nothing.
        """
        remove_tree(location)
