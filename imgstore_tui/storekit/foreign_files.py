"""Several files of pictures as one store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.backend import Content, PayloadKind, Reader
from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids
from imgstore_tui.storekit.raw_file import RawFile, failed

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels


class ForeignFile(ABC):
    """One file: looked through once, then read by places."""

    labels: list[int]
    """A label a picture, 0 where the file has none."""

    @abstractmethod
    def payload(self, number: int) -> bytes:
        """Return the file of picture ``number`` of this part."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file."""


class ByteRangeFile(ForeignFile):
    """A file in which pictures lie as they are, each at a place of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.labels: list[int] = []
        self.places: list[tuple[int, int]] = []
        try:
            self.file = RawFile(path)
        except OSError as error:
            raise failed(path, error) from None

    def payload(self, number: int) -> bytes:
        """Copy the bytes of a picture."""
        return self.file.piece(*self.places[number])

    def close(self) -> None:
        """Close the file."""
        self.file.close()


class ForeignReader(Reader):
    """Pictures in the order of the files and of what is in them."""

    def __init__(self, place: Path, parts: Sequence[ForeignFile]) -> None:
        self._place, self._parts = place, list(parts)
        counts = [len(part.labels) for part in parts]
        self._starts = np.cumsum([0, *counts])
        self._labels = np.array([label for part in parts for label in part.labels], np.int64)
        self.content = Content(int(self._starts[-1]), PayloadKind.BYTES, ORIGINAL_CODEC)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Return the files of pictures."""
        check_ids(self._place, self.content.count, ids)
        payloads = []
        for number in ids:
            part = int(np.searchsorted(self._starts, number, side="right")) - 1
            payloads.append(self._parts[part].payload(number - int(self._starts[part])))
        if len(ids):
            labels[:] = self._labels[list(ids)]
        return payloads

    def read_labels(self) -> Labels:
        """Return all labels."""
        return self._labels.copy()

    def close(self) -> None:
        """Close the files."""
        for part in self._parts:
            part.close()


def label_of(text: bytes, place: Path) -> int:
    """Return a label that is written as text.

    Raises:
        StoreError: If it is no whole number of 64 bits.
    """
    try:
        label = int(text.decode("ascii").strip())
    except ValueError:
        label = 2**63
    if not -(2**63) <= label < 2**63:
        raise StoreError(f"{place} has a label that is no whole number.")
    return label
