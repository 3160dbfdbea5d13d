"""A file as bytes: whole runs into the caller's memory by one call, small items gathered from a map."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, foreign
from imgstore_tui.storekit.store_errors import read_error

MAP_BELOW = 32 * 2**10
"""Items smaller than this are gathered from a map; larger ones are read one by one, which is faster when cold."""


class RawFile:
    """An ordinary file opened for reading; links are not followed, and a pipe of that name is not waited for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        facts = os.fstat(self._descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(self._descriptor)
            raise OSError(errno.EINVAL, "it is no ordinary file")
        self.size = facts.st_size
        self._map: mmap.mmap | None = None

    @classmethod
    def of_store(cls, backend: str, location: Path, path: Path) -> Self:
        """Open the file without which a folder is no store of a backend.

        Raises:
            StoreError: If there is no such store, or the file cannot be opened.
        """
        try:
            return cls(path)
        except (FileNotFoundError, NotADirectoryError):
            raise foreign(backend, location) from None
        except OSError as error:
            raise read_error(path, error) from None

    def fill(self, target: memoryview, offset: int) -> None:
        """Fill memory from a place in the file."""
        while target:
            try:
                got = os.preadv(self._descriptor, [target], offset)
            except OSError as error:
                raise read_error(self.path, error) from None
            if not got:
                raise StoreError(f"{self.path} has been cut short.")
            offset += got
            target = target[got:]

    def fill_parts(self, parts: Sequence[memoryview], offset: int) -> None:
        """Fill pieces of memory from what lies one behind the other at a place in the file."""
        try:
            got = os.preadv(self._descriptor, parts, offset)
        except OSError as error:
            raise read_error(self.path, error) from None
        for part in parts:
            if got < len(part):  # a read of more than 2 GiB comes in parts, and a file may be too short
                self.fill(part[got:], offset + got)
                got = len(part)
            got, offset = got - len(part), offset + len(part)

    def piece(self, offset: int, length: int) -> bytes:
        """Return owned bytes from a place in the file."""
        try:
            data = os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise read_error(self.path, error) from None
        if len(data) < length:  # a read of more than 2 GiB comes in parts
            whole = bytearray(length)
            self.fill(memoryview(whole), offset)
            return bytes(whole)
        return data

    def mapped(self) -> mmap.mmap:
        """Return the file as a map, to copy from and let go before ``close``."""
        if self._map is None:
            if self._descriptor < 0:
                raise StoreError(f"{self.path} is closed: nothing can be read.")
            self._map = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
        return self._map

    def items(self, offset: int, count: int, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return a part of the file as ``count`` items of ``size`` bytes, to copy from and let go."""
        return np.frombuffer(self.mapped(), np.uint8, count * size, offset).reshape(count, size)

    def pick(self, offsets: np.ndarray[Any, np.dtype[np.int64]], size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return owned pieces of one size from anywhere in the file, uint8 array (n, size).

        Args:
            offsets: int64 array (n,) of where they begin; not empty.
            size: Bytes of each.

        Raises:
            StoreError: If one does not lie in the file.
        """
        last = self.size - size
        if last < int(offsets.max()) or int(offsets.min()) < 0:
            raise StoreError(f"{self.path} is damaged: it is shorter than its index says.")
        pieces: Any = np.ndarray((last + 1, size), np.uint8, self.mapped(), 0, (1, 1))
        picked: np.ndarray[Any, np.dtype[np.uint8]] = pieces[offsets]
        return picked

    def gather(self, offset: int, count: int, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items of one size into an array of as many.

        Args:
            offset: Where the first item lies.
            count: How many items lie there, one behind the other.
            ids: Which to copy, checked, at least one.
            span: The first id and the one after the last, where they are one ascending run.
            out: C-contiguous array (n, ...); an item has as many bytes as a row of it.
        """
        memory = out.data.cast("B")
        size = len(memory) // len(ids)
        if span is not None:
            self.fill(memory, offset + span[0] * size)
        elif size < MAP_BELOW:
            # ``clip`` spares numpy a buffer of its own, and the ids are known to be right.
            self.items(offset, count, size).take(ids, 0, out.reshape(len(ids), -1).view(np.uint8), "clip")
        else:
            for position, number in enumerate(ids):
                self.fill(memory[position * size : (position + 1) * size], offset + number * size)

    def close(self) -> None:
        """Close the map and the file."""
        if self._map is not None:
            with contextlib.suppress(BufferError):  # an error that is on its way may still hold a part of it
                self._map.close()
            self._map = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
