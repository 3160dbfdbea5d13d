"""Declares the contract of a storage system: create, write by batches, close; open, read by ids; weigh; destroy.

It knows no path. A store of files is a ``LocalBackend`` (``imgstore_tui.storekit.local``), one on a server is a
``ServerBackend`` (``imgstore_tui.storekit.server``). A class that derives from ``Backend`` alone counts as local.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic

from imgstore_tui.core.access import Access
from imgstore_tui.core.capabilities import Capabilities, Continuation, Family, Preset
from imgstore_tui.core.content import Content, DiskUsage, PayloadKind
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.files import force
from imgstore_tui.core.former_names import adopt_former_names
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.reader_writer import Editor, Reader, Writer

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    from imgstore_tui.core.content import Labels as Labels
    from imgstore_tui.core.content import Pixels as Pixels

    L = TypeVar("L", default=Any)
else:
    from typing import TypeVar

    L = TypeVar("L")

__all__ = [
    "Access",
    "Backend",
    "Capabilities",
    "Content",
    "Continuation",
    "DiskUsage",
    "Durability",
    "DurableBy",
    "Editor",
    "Family",
    "PayloadKind",
    "Preset",
    "Reader",
    "Writer",
    "force",
]

_FORMER_NAMES = {"marks": "signature_files", "own_files": "owned_pattern", "strangers": "unowned_files"}


class DurableBy(StrEnum):
    """What makes a store safe from a power failure."""

    FORCE = "force"
    """The caller, which forces the files of the closed store to the device (``LocalBackend.make_durable``)."""
    ACKNOWLEDGE = "acknowledge"
    """The server, which answers only when the data is on its device."""
    NOTHING = "nothing"
    """Nothing does at this level."""


@dataclass(frozen=True, slots=True)
class Durability:
    """How durable a store is at a sync level when its clock stops."""

    by: DurableBy
    reason: str = ""
    """The settings that decide, in words; for ``NOTHING`` the sentence that refuses the level."""


class Backend(ABC, Generic[L]):
    """One storage system with its options set. A store has a *location* of the type ``L``.

    Subclasses declare the class variables and import their driver inside methods only, so that
    listing backends loads no driver.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[Family]
    requires: ClassVar[tuple[str, ...]] = ()
    """Import names of the driver; the backend is available if all of them exist."""
    extra: ClassVar[str | None] = None
    """Name of the extra that installs the driver; None if the core installation has it."""
    payloads: ClassVar[frozenset[PayloadKind]]
    default_codec: ClassVar[str]
    capabilities: ClassVar[Capabilities] = Capabilities()
    presets: ClassVar[tuple[Preset, ...]]
    """Presets; the first is the default."""
    options: ClassVar[tuple[Option, ...]] = ()
    caveats: ClassVar[str]
    when_to_choose: ClassVar[str]
    opened_by: ClassVar[str] = ""
    """Programs and libraries that open a store without this one, for a list; empty where that is not known."""
    forced_formerly: ClassVar[bool] = False
    """Whether its library forced files at ``buffered`` in rows of before: in those that do not say their access."""

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        adopt_former_names(cls, _FORMER_NAMES)

    def __init__(self, values: Mapping[str, OptionValue]) -> None:
        self.values = dict(values)
        """Every declared option with its value."""

    @classmethod
    def imports_for(cls, values: Mapping[str, OptionValue]) -> tuple[str, ...]:  # noqa: ARG003 - for subclasses
        """Return the import names that stores with these option values need: ``requires``, unless one does without."""
        return cls.requires

    @abstractmethod
    def create(self, location: L, content: Content, sync: SyncLevel) -> Writer:
        """Create a store at ``location``, where nothing is yet.

        Args:
            location: Where to make it; a local one is a path whose parent exists.
            content: What will be put.
            sync: Nothing is forced to the device for ``buffered``, unless the ``capabilities`` say that it cannot be
                otherwise; every batch is for ``batch``; for ``end`` see
                ``durability``.

        Raises:
            UnsupportedError: If the backend does not claim such content or sync level.
            StoreError: If something is there already, or the store cannot be made.
        """

    @abstractmethod
    def open(self, location: L) -> Reader:
        """Open a store for reading only; nothing in it changes, no lock outlives the reader.

        Raises:
            StoreError: If it is missing, foreign, damaged, or written by a newer version.
        """

    def access(self, operation: Operation, kind: PayloadKind) -> Access:
        """Return who reads or writes the bytes of a store in an operation, as the options are.

        By default the library that the backend requires does; without one, files are the system's, and everything else
        is code of the backend.

        Args:
            operation: The operation.
            kind: The form of the images in the store.
        """
        if self.requires:
            return Access.LIBRARY
        return Access.SYSTEM if self.family is Family.FILES else Access.OWN

    def edit(self, location: L, sync: SyncLevel) -> Editor:
        """Open a store to append, overwrite or delete, where ``capabilities`` claim it.

        Args:
            location: Where a closed store of this backend is.
            sync: As for ``create``.

        Raises:
            UnsupportedError: If the backend, as its options are, cannot change what is written.
            StoreError: As for ``open``.
        """
        raise UnsupportedError(f"Backend {self.name} cannot change a store once it is written.")

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return how writing of a store of such payloads continues after its writer has died."""
        return Continuation.APPEND if self.capabilities.append else Continuation.RESTART

    def resume(self, location: L, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Continue to write a store that another process created and never closed, if ``continuation`` is ``RESUME``.

        Args:
            location: Where it is.
            content: What was given to ``create``. Where images have names, those of the images that are kept are given
                again, by ``put_names``.
            labels: int64 array (n,) of the images that ``Writer.checkpoint`` counted; later ones are put again.
            sizes: int64 array (n,), the bytes of their payloads.

        Raises:
            UnsupportedError: If the backend cannot continue.
            StoreError: If there are fewer images, or something else.
        """
        raise UnsupportedError(f"Backend {self.name} cannot go on with a store that was not closed.")

    def probe(self, location: L, images: Pixels, labels: Labels) -> dict[str, list[float]]:
        """Measure a property of this storage system that no operation shows; most backends measure none.

        Args:
            location: An empty folder, or a name of a server where nothing is; what is left is removed afterwards.
            images: Array (n, H, W[, C]) of images.
            labels: int64 array (n,).

        Returns:
            Numbers by name, one per repetition; the name ends in the unit: ``_s``, ``_bytes``, ``_count``.
        """
        return {}

    @abstractmethod
    def exists(self, location: L) -> bool:
        """Whether something is at ``location``: a store of this backend or anything else, whole or broken off."""

    @abstractmethod
    def disk_usage(self, location: L) -> DiskUsage:
        """Return the disk use of the store; None, never 0, for what cannot be known."""

    @abstractmethod
    def durability(self, location: L, sync: SyncLevel) -> Durability:
        """Return what makes a store at ``location`` durable at a sync level."""

    @abstractmethod
    def unknown_cache(self) -> str | None:
        """Return why it cannot be known whether a store is in memory; None if the page cache shows it."""

    @abstractmethod
    def destroy(self, location: L) -> None:
        """Remove the store at ``location``, complete or not, and nothing else.

        Raises:
            StoreError: If a part of it must be left.
            OSError: If a part of it cannot be removed, or there is nothing.
        """
