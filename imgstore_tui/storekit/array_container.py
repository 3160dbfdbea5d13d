"""Declares the contract of an open file of another program that holds arrays by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.array_facts import ArrayFacts
from imgstore_tui.storekit.store_errors import read_error

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

HEAD = 32
"""Bytes that show whether a value is a picture file."""


@dataclass(frozen=True, slots=True)
class PictureFunctions:
    """What backends know of pictures, which files of arrays may hold as well."""

    sniff: Callable[[bytes], str | None]
    """Returns the format of a picture file by its first bytes, or None."""
    pack: Callable[[Pixels], bytes]
    """Returns pixels behind a header."""
    most_pixels: int


class ArrayContainer(ABC):
    """A file, or a folder, of arrays by name; it is opened when it is read, and must not change in between."""

    what: ClassVar[str] = "array"
    """What the format calls an array."""
    format_name: ClassVar[str]
    """What the file should be, such as ``HDF5 file``, for messages."""
    functions: ClassVar[PictureFunctions]

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version: tuple[int, ...] | None = None

    def check_unchanged(self) -> None:
        """Note the state of the file when it is opened first, and compare it later.

        Raises:
            StoreError: If it has changed, or cannot be looked at.
        """
        try:
            facts = self.path.stat()
        except OSError as error:
            raise read_error(self.path, error) from None
        version = facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
        if self._version not in (None, version):
            raise StoreError(f"{self.path} has changed since it was scanned.")
        self._version = version

    @abstractmethod
    def arrays(self) -> list[ArrayFacts]:
        """Return what is known of the arrays, without reading them; raises any exception if the file is damaged."""

    @abstractmethod
    def values(self, path: str) -> Any:
        """Return an array as what is sliced like one of NumPy; raises any exception if it is damaged."""

    def head(self, facts: ArrayFacts, index: int | None) -> bytes:
        """Return the first bytes of a value, or of a whole array of bytes for None."""
        return self.value_bytes(facts, index)[:HEAD]

    def value_bytes(self, facts: ArrayFacts, index: int | None) -> bytes:
        """Return a value as bytes, or the whole array for None."""
        array = self.values(facts.path)
        value = array[()] if index is None else array[index]
        data: bytes = value if isinstance(value, bytes) else value.tobytes()
        return data

    def is_picture(self, facts: ArrayFacts, index: int | None) -> bool:
        """Whether a value, or the whole array of bytes for None, begins like a picture file."""
        return self.functions.sniff(self.head(facts, index).ljust(HEAD, b"\0")) is not None

    def require_memory(self, path: str) -> None:  # noqa: B027 - most libraries say it themselves
        """Raise MemoryError if an array cannot be read for lack of memory."""

    @abstractmethod
    def close(self) -> None:
        """Close the file until it is read again."""
