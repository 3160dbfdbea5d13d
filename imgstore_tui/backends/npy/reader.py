"""Reads the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.npy.layout import ENDS, IMAGES, PAYLOADS
from imgstore_tui.backends.npy.mapped import MappedColumn
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.folder_writer import LABELS
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.names_file import read_names
from imgstore_tui.storekit.npy_file import NpyColumn
from imgstore_tui.storekit.payload_row import read_row

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_JOINT_BELOW = 16 * 2**10
"""Payloads smaller than this are read together and cut; larger ones one by one, which saves a copy."""


class NpyReader(CheckedReader):
    """Copies images and payloads, through NumPy or straight from the files."""

    _location: Path

    def __init__(self, location: Path, *, direct: bool) -> None:
        self._location, self._kind = location, NpyColumn if direct else MappedColumn
        self.content, _ = load_manifest("npy", location)
        self._columns: list[NpyColumn] = []
        content, count = self.content, self.content.count
        try:
            if content.kind is PayloadKind.ARRAY:
                self._images = self._column(IMAGES, str(content.dtype), content.shape or (), count)
            else:
                self._ends = self._column(ENDS, "int64", (), count)
                self._images = self._column(PAYLOADS, "uint8", (), None)
            self._labels = self._column(LABELS, "int64", (), count)
        except StoreError:
            self.close()
            raise

    def _column(self, name: str, dtype: str, item: tuple[int, ...], count: int | None) -> NpyColumn:
        column = self._kind(self._location / name, dtype, item, count)
        self._columns.append(column)
        return column

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy images into the caller's array."""
        self._images.read(ids, span, out)
        self._labels.read(ids, span, labels)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Read where the payloads end, then copy them from the row."""
        self._labels.read(ids, span, labels)
        return read_row(
            ids,
            span,
            self._ends.read,
            self._images.count,
            self._images.read_range,
            _JOINT_BELOW * len(ids),
            self._unfitting,
        )

    def _unfitting(self) -> StoreError:
        return StoreError(f"{self._ends.path} is damaged: its numbers do not fit the payloads.")

    def read_labels(self) -> Labels:
        """Read the labels file."""
        labels: Labels = self._labels.all("int64")
        return labels

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read names from their file."""
        return read_names(self._location, self.content, ids, self._check_ids(ids))

    def payload_end(self) -> int:
        """Return the end of the last payload, in bytes from the start of the row."""
        last = np.zeros(1, np.int64)
        if self.content.count:
            self._ends.read([self.content.count - 1], None, last)
        return int(last[0])

    def close(self) -> None:
        """Close the files."""
        for column in self._columns:
            column.close()
