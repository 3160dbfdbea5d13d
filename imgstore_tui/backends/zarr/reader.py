"""Reads the arrays, through the library or straight from their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.zarr import FOLDER
from imgstore_tui.backends.zarr.chunks import Chunks
from imgstore_tui.backends.zarr.layout import read_layout
from imgstore_tui.backends.zarr.library_chunks import LibraryChunks
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, is_count
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.names_file import read_names
from imgstore_tui.storekit.payload_row import read_row
from imgstore_tui.storekit.store_errors import layout_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_JOINT_BYTES = 2**22
"""A span of payloads is read by one call if it has no more bytes than this."""


class ZarrReader(CheckedReader):
    """Reads arrays that match the manifest and have the layout of our writer."""

    _location: Path

    def __init__(self, location: Path, *, direct: bool) -> None:
        self._location, self._direct = location, direct
        self.content, manifest = load_manifest("zarr", location)
        size, count = manifest.get("bytes"), self.content.count
        if not is_count(size):
            raise layout_error(location)
        self._size = size
        if self.content.kind is PayloadKind.ARRAY:
            self._images = self._chunks("images", (count, *(self.content.shape or ())), str(self.content.dtype))
        else:
            self._images = self._chunks("payloads", (size,), "uint8")
            self._ends = self._chunks("ends", (count,), "int64")
        self._labels = self._chunks("labels", (count,), "int64")

    def _chunks(self, name: str, shape: tuple[int, ...], dtype: str) -> Chunks:
        folder = self._location / FOLDER / name
        return (Chunks if self._direct else LibraryChunks)(folder, read_layout(folder, shape, dtype))

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy images chunk by chunk."""
        self._images.read(ids, span, out)
        self._labels.read(ids, span, labels)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Read where the payloads end, then cut them from the row."""
        self._labels.read(ids, span, labels)
        return read_row(ids, span, self._ends.read, self._size, self._images.read_range, _JOINT_BYTES, self._unfitting)

    def _unfitting(self) -> StoreError:
        return StoreError(f"{self._location / FOLDER} is damaged: its ends do not fit the payloads.")

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read names from their file, beside the arrays."""
        return read_names(self._location, self.content, ids, self._check_ids(ids))

    def read_labels(self) -> Labels:
        """Read the array of labels."""
        labels = np.empty(self.content.count, np.int64)
        if len(labels):
            self._labels.read(range(len(labels)), (0, len(labels)), labels)
        return labels

    def close(self) -> None:
        """Close the files."""
        self._images.close()
        self._labels.close()
        if self.content.kind is PayloadKind.BYTES:
            self._ends.close()
