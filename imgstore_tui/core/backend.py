"""The contract of a storage system: create, write by batches, close; open, read by ids; account; destroy."""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.removal import remove_tree

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Labels = NDArray[np.int64]
    Pixels = NDArray[np.uint8] | NDArray[np.uint16]


class Family(StrEnum):
    """The kinds of storage system, in the order in which they are listed."""

    FILES = "files"
    EMBEDDED = "embedded"
    ARRAY = "array"
    RECORD = "record"
    SQL = "sql"
    NOSQL = "nosql"
    OBJECT = "object"


class PayloadKind(StrEnum):
    """The two forms in which a backend can take a batch."""

    BYTES = "bytes"
    """One ``bytes`` object an image, of any length."""
    ARRAY = "array"
    """One C-contiguous array (n, ...) of images that all have one shape and dtype."""


class Continuation(StrEnum):
    """How the writing of a store goes on when the process that wrote it is gone."""

    APPEND = "append"
    """``edit`` adds to the store, which was closed now and then."""
    RESUME = "resume"
    """``resume`` goes on with the store, which was never closed."""
    ANEW = "anew"
    """Not at all: it is written once more."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a backend claims; the conformance suite asserts that the rest is refused in a sentence."""

    append: bool = False
    overwrite: bool = False
    delete: bool = False
    random_access: bool = True
    labels_apart: bool = True
    """Labels can be read without touching pixels."""
    uniform_only: bool = False
    label_minimum: int = -(2**63)
    label_maximum: int = 2**63 - 1
    server: bool = False
    fork_safe: bool = True
    """The imported driver survives a fork (it starts no threads on import)."""


@dataclass(frozen=True, slots=True)
class Preset:
    """A named set of options of a backend."""

    name: str
    summary: str
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    codec: str | None = None
    """The codec when the spec names none; None for the backend's default."""
    codec_options: Mapping[str, OptionValue] = field(default_factory=dict)
    uniform_only: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """What a store holds: known before it is created, and found again when it is opened."""

    count: int
    kind: PayloadKind
    codec: str
    """Name of the codec of the payloads; ``raw`` for arrays."""
    shape: tuple[int, ...] | None = None
    """Shape of every image, (H, W, C) or (H, W); None where they vary."""
    dtype: str | None = None
    """``uint8`` or ``uint16`` where ``shape`` is given, else None."""
    payload_bytes: int = 0
    """Expected sum of all payloads in bytes, to size maps and chunks; a hint, not a promise."""


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """What a store weighs; None where only a server could know and does not say."""

    apparent_bytes: int | None
    """Sum of the lengths of all files."""
    allocated_bytes: int | None
    """Blocks held on the file system, folders included: what ``du -s --block-size=1`` prints."""
    files: int | None
    """Number of regular files."""


class Writer(ABC):
    """A store being written. Ids of a new store are 0, 1, 2, ... in order, as many as its content says."""

    syncs: int = 0
    """Calls made so far that forced data to the device; none but for the level ``batch``."""

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add a batch of encoded images.

        Args:
            ids: Ids of the images, ascending, following those already put.
            payloads: One bytes object an image.
            labels: int64 array (n,).

        Raises:
            UnsupportedError: If the backend does not take bytes.
            StoreError: If the store cannot take them.
        """
        raise UnsupportedError(f"{type(self).__name__} does not take bytes, only arrays of one shape.")

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Add a batch of images of one shape.

        Args:
            ids: Ids of the images, ascending, following those already put.
            images: C-contiguous array (n, H, W[, C]) of the content's shape and dtype.
            labels: int64 array (n,).

        Raises:
            UnsupportedError: If the backend does not take arrays.
            StoreError: If the store cannot take them.
        """
        raise UnsupportedError(f"{type(self).__name__} does not take arrays, only bytes.")

    def checkpoint(self) -> int:
        """Let the files be such that ``Backend.resume`` can go on with them, if this process gets no further.

        Returns:
            How many images, from the first on, are whole in the files. Nothing is forced to the device.

        Raises:
            UnsupportedError: If nobody could go on with them.
            StoreError: If the files cannot be written.
        """
        raise UnsupportedError(f"{type(self).__name__} puts its files together at the end; nobody can go on with them.")

    @abstractmethod
    def close(self) -> None:
        """Finish the store: after this it can be opened and holds all that was put. Safe to call twice.

        Raises:
            StoreError: If fewer images were put than the content announced, or the store cannot be finished.
        """

    @abstractmethod
    def abort(self) -> None:
        """Let go of every handle without promising anything about what was put. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class Editor(Writer):
    """A store opened to be changed. ``put_bytes`` and ``put_array`` take ids of two kinds, never mixed in one call.

    New ids follow the highest one there ever was (append); ids that are there get another image and label (overwrite).
    Ids that were deleted stay free: the others keep theirs, and reading one that is gone is an error.
    """

    content: Content

    def touched(self) -> Iterable[Path] | None:
        """Return the files written since the store was opened, and folders in which names came or went; None for all.

        Asked after ``close``, so that making a change durable costs what the change is, not what the store is.
        """
        return None

    def delete(self, ids: Sequence[int]) -> None:
        """Remove images and their labels.

        Args:
            ids: Ids that are there, each once.

        Raises:
            UnsupportedError: If the backend does not claim it.
            StoreError: If an id is not there.
        """
        raise UnsupportedError(f"{type(self).__name__} does not delete single images.")


class Reader(ABC):
    """A store opened for reading only. What it returns is the caller's own memory."""

    content: Content

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Read payloads by ids, in any order, with repeats.

        Args:
            ids: Ids to read.
            labels: int64 array (n,) that receives the labels.

        Returns:
            One owned bytes object an id, in the order of ``ids``.

        Raises:
            UnsupportedError: If the store holds arrays.
            StoreError: If an id does not exist, or the store is damaged.
        """
        raise UnsupportedError("This store holds arrays; read them with read_array.")

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Read images by ids, in any order, with repeats, into the caller's array.

        Args:
            ids: Ids to read.
            out: C-contiguous array (n, H, W[, C]) of the content's dtype, overwritten.
            labels: int64 array (n,) that receives the labels.

        Raises:
            UnsupportedError: If the store holds bytes.
            StoreError: If an id does not exist, or the store is damaged.
        """
        raise UnsupportedError("This store holds encoded images; read them with read_bytes.")

    def ids(self) -> Sequence[int]:
        """Return the ids that are there, ascending: all below the count, where nothing can be deleted."""
        return range(self.content.count)

    @abstractmethod
    def read_labels(self) -> Labels:
        """Return all labels as an owned int64 array (count,), without reading pixels."""

    @abstractmethod
    def close(self) -> None:
        """Let go of every handle. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Backend(ABC):
    """One storage system with its options set. A store lives in a folder of its own, the *location*.

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
    marks: ClassVar[tuple[str, ...]] = ()
    """Names in a store's folder, one of which tells that it may be a store of this backend; none: it is tried."""
    own_files: ClassVar[re.Pattern[str] | None] = None
    """Matches the whole path below a store's folder, written with slashes, of every file that the backend makes there,
    and of no other; None: it does not say, and then nothing of it is ever removed to make room."""
    caveats: ClassVar[str]
    when_to_choose: ClassVar[str]

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
        return Continuation.APPEND if self.capabilities.append else Continuation.ANEW

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
        yield from (Path(entry.path) for entry in _walk(location) if entry.is_file(follow_symlinks=False))

    @classmethod
    def strangers(cls, location: Path) -> Iterator[Path]:
        """Yield what lies in a store's folder and is no file of the backend's; folders count by what is in them."""
        for entry in _walk(location):
            if entry.is_dir(follow_symlinks=False):
                continue
            name = Path(entry.path).relative_to(location).as_posix()
            own = cls.own_files is not None and cls.own_files.fullmatch(name) is not None
            if not own or not entry.is_file(follow_symlinks=False):
                yield Path(entry.path)

    def disk_usage(self, location: Path) -> DiskUsage:
        """Return what the store weighs, folders included in the allocated bytes, as ``du`` counts."""
        apparent, files = 0, 0
        allocated = location.stat().st_blocks * 512
        for entry in _walk(location):
            status = entry.stat(follow_symlinks=False)
            allocated += status.st_blocks * 512
            if entry.is_file(follow_symlinks=False):
                apparent += status.st_size
                files += 1
        return DiskUsage(apparent, allocated, files)

    def make_durable(self, location: Path, touched: Iterable[Path] | None = None) -> int:
        """Force files of the closed store, then their folders and the store's own, to the device.

        Args:
            location: The store.
            touched: Its files and folders that changed; None for all, and for the parent of a store that is new.

        Returns:
            How many sync calls were made.
        """
        calls = 0
        folders = {location} if touched is not None else {location, location.parent}
        for path in self.files(location) if touched is None else touched:
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


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path))


def force(path: Path) -> None:
    """Force a file, or the names in a folder, to the device."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
