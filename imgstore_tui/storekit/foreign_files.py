"""Reads files of other programs, each with pictures in it, as one store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np

from imgstore_tui.core.backend import Content, PayloadKind, Reader
from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import read_error

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels


class ForeignFile(ABC):
    """One file, indexed when it is opened."""

    labels: list[int]
    """One label per picture, 0 where the file has none."""

    @abstractmethod
    def payload(self, number: int) -> bytes:
        """Return the encoded bytes of picture ``number`` of this file."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""


class ByteRangeFile(ForeignFile):
    """A file in which each encoded picture is a range of bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.labels: list[int] = []
        self.ranges: list[tuple[int, int]] = []
        """Offset and length of each picture, in bytes."""
        try:
            self.file = RawFile(path)
        except OSError as error:
            raise read_error(path, error) from None

    def payload(self, number: int) -> bytes:
        """Copy the bytes of a picture."""
        return self.file.read_at(*self.ranges[number])

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class ForeignReader(Reader):
    """Reads pictures in the order of the files, and in each file in its own order."""

    def __init__(self, location: Path, files: Sequence[ForeignFile]) -> None:
        self._location, self._files = location, list(files)
        self._starts = np.cumsum([0, *(len(file.labels) for file in files)])
        self._labels = np.array([label for file in files for label in file.labels], np.int64)
        self.content = Content(int(self._starts[-1]), PayloadKind.BYTES, ORIGINAL_CODEC)

    @classmethod
    def open(
        cls, location: Path, paths: Sequence[Path], open_file: Callable[[Path], ForeignFile], format_name: str
    ) -> Self:
        """Open files.

        Args:
            location: What the user names, for messages.
            paths: The files, in the order in which their pictures are numbered.
            open_file: Opens and indexes one file; raises StoreError.
            format_name: Name of the format, for messages.

        Raises:
            StoreError: If a file is damaged, or there is no picture in any.
        """
        files: list[ForeignFile] = []
        try:
            files.extend(map(open_file, paths))
            if not any(file.labels for file in files):
                raise StoreError(f"{location} holds no pictures that are found by the conventions of {format_name}.")
        except BaseException:
            for file in files:
                file.close()
            raise
        return cls(location, files)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Return encoded pictures as their files hold them."""
        check_ids(self._location, self.content.count, ids)
        payloads = []
        for image_id in ids:
            index = int(np.searchsorted(self._starts, image_id, side="right")) - 1
            payloads.append(self._files[index].payload(image_id - int(self._starts[index])))
        if len(ids):
            labels[:] = self._labels[list(ids)]
        return payloads

    def read_labels(self) -> Labels:
        """Return all labels."""
        return self._labels.copy()

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


def label_of(text: bytes, path: Path) -> int:
    """Parse a label that a file holds as text.

    Raises:
        StoreError: If it is not a whole number of 64 bits.
    """
    try:
        label = int(text.decode("ascii").strip())
    except ValueError:
        label = 2**63
    if not -(2**63) <= label < 2**63:
        raise StoreError(f"{path} has a label that is no whole number.")
    return label
