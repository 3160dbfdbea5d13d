"""Reads the chunks of an array through the library, whole, and keeps some, because each call costs a millisecond.

The library itself keeps none. What its metadata name was checked before, because it loads any codec that they name.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.zarr.chunks import UNPACKED_BYTES, Chunks
from imgstore_tui.backends.zarr.layout import Layout
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LibraryChunks(Chunks):
    """An array open for reading by the library."""

    def __init__(self, folder: Path, layout: Layout) -> None:
        super().__init__(folder, layout)
        import zarr
        from zarr.buffer.cpu import NDBuffer

        self._buffer = NDBuffer.from_numpy_array
        try:
            self._array: Any = zarr.open_array(os.fspath(folder), mode="r", zarr_format=3)
        except Exception as error:  # each store of the library raises its own errors
            raise damaged_error(folder, first_line(error), "Zarr array") from None

    def _read_chunk_into(self, number: int, target: Any) -> None:
        self._load(number, target)

    def _items(self, number: int) -> NDArray[np.uint8]:
        if not self._open:
            raise StoreError(f"{self._folder} is closed: nothing can be read.")
        items = self._unpacked.get(number)
        if items is None:
            layout = self._layout
            items = np.empty((min(layout.chunk, layout.items - number * layout.chunk), layout.size), np.uint8)
            self._load(number, items)
            if len(self._unpacked) >= max(1, UNPACKED_BYTES // layout.chunk_bytes):
                self._unpacked.pop(next(iter(self._unpacked)))
            self._unpacked[number] = items
        return items if self._layout.sides > 1 or self._layout.size > 1 else items.reshape(-1)

    def _load(self, number: int, target: Any) -> None:
        """Read all items of a chunk into a uint8 array (n, bytes)."""
        if not self._open:
            raise StoreError(f"{self._folder} is closed: nothing can be read.")
        layout, first = self._layout, number * self._layout.chunk
        path = self._chunk_path(number if layout.in_shard is None else number // layout.in_shard)
        if not path.is_file() or path.is_symlink():  # the library takes a file that is not there for zeros
            raise StoreError(f"{path} is missing: the store is damaged.")
        out = target.reshape(-1).view(self._array.dtype).reshape(len(target), *self._array.shape[1:])
        try:
            self._array.get_basic_selection(slice(first, first + len(target)), out=self._buffer(out))
        except Exception as error:  # each codec raises its own errors
            raise damaged_error(path, first_line(error), "Zarr chunk") from None

    def close(self) -> None:
        """Forget the array and the chunks."""
        super().close()
        self._array = None
