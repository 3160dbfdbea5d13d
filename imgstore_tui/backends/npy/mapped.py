"""Reads an array through NumPy: by slices and ``take`` of what ``numpy.load`` maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.npy_file import NpyColumn
from imgstore_tui.storekit.store_errors import read_error


class MappedColumn(NpyColumn):
    """A .npy file whose header and length are checked as for every store, and which NumPy reads."""

    def __init__(self, path: Path, dtype: str, item: tuple[int, ...], count: int | None) -> None:
        super().__init__(path, dtype, item, count)
        try:
            # NumPy cannot map what is empty.
            self._array: Any = np.load(path, mmap_mode="r" if self.count and self._size else None, allow_pickle=False)
        except (OSError, ValueError) as error:
            self.close()
            raise read_error(path, error) from None

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items by ids, which have been checked, into an array (n, ...)."""
        if span is not None:
            np.copyto(out, self._array[span[0] : span[1]])
        elif len(ids):
            self._array.take(ids, 0, out, "clip")  # with ``clip`` NumPy needs no buffer

    def all(self, dtype: str) -> Any:
        """Return all items as an owned array of another dtype of the same size."""
        return np.array(self._array[: self.count]).view(dtype)

    def read_range(self, start: int, stop: int) -> bytes:
        """Return a range of an array of bytes as owned bytes."""
        piece: bytes = self._array[start:stop].tobytes()
        return piece

    def close(self) -> None:
        """Release the map and close the file."""
        self._array = None
        super().close()
