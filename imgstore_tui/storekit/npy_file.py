"""Writes and reads .npy files whose header has room for any count, so that arrays grow in place."""

from __future__ import annotations

import ast
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.output import Output
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import read_error

HEADER_BYTES = 128
"""Bytes before the first item: enough for the shape of any store."""
_MAGIC = b"\x93NUMPY\x01\x00" + (HEADER_BYTES - 10).to_bytes(2, "little")


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header of an array in C order, in version 1.0 of NumPy's format."""
    description = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
    return _MAGIC + description.encode("ascii").ljust(HEADER_BYTES - len(_MAGIC) - 1) + b"\n"


class NpyOutput:
    """A .npy file open for writing; ``commit`` updates the number of items in its header."""

    def __init__(self, path: Path, dtype: str, item: tuple[int, ...], keep: int | None = None) -> None:
        self._dtype, self._item = np.dtype(dtype), item
        self._size = math.prod(item) * self._dtype.itemsize
        self._file = Output(path, None if keep is None else HEADER_BYTES + keep * self._size)
        if keep is None:
            self._file.write(npy_header(self._dtype, (0, *item)))
        self._committed = keep or 0

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._file.path

    @property
    def count(self) -> int:
        """Number of items, with those that are not committed."""
        return (self._file.position - HEADER_BYTES) // self._size

    def append(self, items: Any) -> None:
        """Append a C-contiguous array of items, or bytes to an array of bytes."""
        self._file.write(items.data if isinstance(items, np.ndarray) else items)

    def append_pieces(self, pieces: Sequence[bytes]) -> None:
        """Append pieces to an array of bytes."""
        self._file.write_pieces(pieces)

    def overwrite(self, number: int, items: Any) -> None:
        """Write an array of items over those from ``number`` on."""
        self._file.write_at(HEADER_BYTES + number * self._size, items.data)

    def commit(self) -> None:
        """Write the number of items into the header."""
        self._file.truncate(self._file.position)  # drops what a process that died has left
        self._file.write_at(0, npy_header(self._dtype, (self.count, *self._item)))
        self._committed = self.count

    def roll_back(self) -> None:
        """Drop the items that were written since the last ``commit``."""
        self._file.truncate(HEADER_BYTES + self._committed * self._size)

    def force(self) -> None:
        """Force the file to the device."""
        self._file.force()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class NpyColumn:
    """A .npy file open for reading, whose header and length are checked.

    Args of the constructor: its path, the dtype, the shape of an item, and the number of items that the manifest counts
    (None for as many as the header says). Raises StoreError if the file holds another array, or fewer items.
    """

    def __init__(self, path: Path, dtype: str, item: tuple[int, ...], count: int | None) -> None:
        self._item = item
        kind = np.dtype(dtype)
        self._size = math.prod(item) * kind.itemsize
        try:
            self._raw = RawFile(path)
        except OSError as error:
            raise read_error(path, error) from None
        try:
            head = self._raw.read_at(0, HEADER_BYTES) if self._raw.size >= HEADER_BYTES else b""
            stored_count = (
                count if count is not None and head == npy_header(kind, (count, *item)) else _count_in(head, kind, item)
            )
            self.count = stored_count if count is None else count
            if stored_count < self.count:
                raise StoreError(f"{path} is damaged: it says that it holds {stored_count} items, not {count}.")
            if HEADER_BYTES + self.count * self._size > self._raw.size:
                raise StoreError(f"{path} is damaged: it is shorter than it says.")
        except _HeaderMismatchError:
            self._raw.close()
            raise StoreError(f"{path} is damaged or not of this store: its header is another.") from None
        except StoreError:
            self._raw.close()
            raise

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self._raw.path

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items by ids, which have been checked, into an array (n, ...)."""
        if len(ids):
            self._raw.gather(HEADER_BYTES, self.count, ids, span, out)

    def all(self, dtype: str) -> Any:
        """Return all items as an owned array of another dtype of the same size."""
        out = np.empty((self.count, *self._item), dtype)
        if out.size:
            self._raw.read_into(out.data.cast("B"), HEADER_BYTES)
        return out

    def read_range(self, start: int, stop: int) -> bytes:
        """Return a range of an array of bytes as owned bytes."""
        return self._raw.read_at(HEADER_BYTES + start, stop - start)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


class _HeaderMismatchError(Exception):
    """The header is not the expected one."""


def _count_in(head: bytes, kind: np.dtype[Any], item: tuple[int, ...]) -> int:
    """Return the number of items in a header that equals ``npy_header`` for this dtype and shape in all else."""
    try:
        shape = ast.literal_eval(head[len(_MAGIC) :].decode("ascii").strip())["shape"]
        count = int(shape[0])
    except (ValueError, SyntaxError, KeyError, TypeError, IndexError, RecursionError, MemoryError):
        raise _HeaderMismatchError from None
    if count < 0 or head != npy_header(kind, (count, *item)):
        raise _HeaderMismatchError
    return count
