"""Arrays in .npy files, whose header keeps room so that they can grow in place."""

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

HEAD = 128
"""Bytes before the first item: room for any shape of ours."""
_MAGIC = b"\x93NUMPY\x01\x00" + (HEAD - 10).to_bytes(2, "little")


def npy_header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the head of a file of an array in C order: format 1.0 of NumPy's own description."""
    description = f"{{'descr': '{dtype.str}', 'fortran_order': False, 'shape': {shape}, }}"
    return _MAGIC + description.encode("ascii").ljust(HEAD - len(_MAGIC) - 1) + b"\n"


class NpyOutput:
    """A .npy file that is written, or changed: its header says how many items there are only after ``commit``."""

    def __init__(self, path: Path, dtype: str, item: tuple[int, ...], keep: int | None = None) -> None:
        self._dtype, self._item = np.dtype(dtype), item
        self._size = math.prod(item) * self._dtype.itemsize
        self._file = Output(path, None if keep is None else HEAD + keep * self._size)
        if keep is None:
            self._file.write(npy_header(self._dtype, (0, *item)))
        self._kept = keep or 0

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._file.path

    @property
    def count(self) -> int:
        """Items so far."""
        return (self._file.position - HEAD) // self._size

    def append(self, items: Any) -> None:
        """Write a C-contiguous array of items, or bytes for a file of bytes, at the end."""
        self._file.write(items.data if isinstance(items, np.ndarray) else items)

    def append_pieces(self, pieces: Sequence[bytes]) -> None:
        """Write pieces at the end of a file of bytes."""
        self._file.write_pieces(pieces)

    def replace(self, number: int, items: Any) -> None:
        """Write an array of items over those from a number on."""
        self._file.rewrite(HEAD + number * self._size, items.data)

    def commit(self) -> None:
        """Let the header say how many items there are."""
        self._file.cut(self._file.position)  # what a process that died here has left behind
        self._file.rewrite(0, npy_header(self._dtype, (self.count, *self._item)))
        self._kept = self.count

    def take_back(self) -> None:
        """Drop the items that were written since the last ``commit``."""
        self._file.cut(HEAD + self._kept * self._size)

    def force(self) -> None:
        """Force the file to the device."""
        self._file.force()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class NpyColumn:
    """A .npy file opened for reading, of which so many items are believed to be there."""

    def __init__(self, path: Path, dtype: str, item: tuple[int, ...], count: int | None) -> None:
        self._item = item
        kind = np.dtype(dtype)
        self._size = math.prod(item) * kind.itemsize
        try:
            self._raw = RawFile(path)
        except OSError as error:
            raise read_error(path, error) from None
        try:
            head = self._raw.piece(0, HEAD) if self._raw.size >= HEAD else b""
            stored_count = (
                count if count is not None and head == npy_header(kind, (count, *item)) else _count_in(head, kind, item)
            )
            self.count = stored_count if count is None else count
            if stored_count < self.count:
                raise StoreError(f"{path} is damaged: it says that it holds {stored_count} items, not {count}.")
            if HEAD + self.count * self._size > self._raw.size:
                raise StoreError(f"{path} is damaged: it is shorter than it says.")
        except _Unlike:
            self._raw.close()
            raise StoreError(f"{path} is damaged or not of this store: its header is another.") from None
        except StoreError:
            self._raw.close()
            raise

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._raw.path

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items into an array of as many; ids have been checked."""
        if len(ids):
            self._raw.gather(HEAD, self.count, ids, span, out)

    def all(self, dtype: str) -> Any:
        """Return all items as an owned array."""
        out = np.empty((self.count, *self._item), dtype)
        if out.size:
            self._raw.fill(out.data.cast("B"), HEAD)
        return out

    def piece(self, start: int, stop: int) -> bytes:
        """Return some items of a file of bytes as owned bytes."""
        return self._raw.piece(HEAD + start, stop - start)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


class _Unlike(Exception):
    """The header is not the one that is expected."""


def _count_in(head: bytes, kind: np.dtype[Any], item: tuple[int, ...]) -> int:
    """Return how many items a header names, if it is one of ours for this type and shape in everything else."""
    try:
        shape = ast.literal_eval(head[len(_MAGIC) :].decode("ascii").strip())["shape"]
        count = int(shape[0])
    except (ValueError, SyntaxError, KeyError, TypeError, IndexError, RecursionError, MemoryError):
        raise _Unlike from None
    if count < 0 or head != npy_header(kind, (count, *item)):
        raise _Unlike
    return count
