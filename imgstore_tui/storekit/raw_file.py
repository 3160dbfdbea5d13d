"""Reads ranges of a file into the caller's memory, and small items from a memory map."""

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
"""Items smaller than this are copied from a memory map; larger ones are read one by one, which is faster when cold."""


class RawFile:
    """A regular file open for reading. A link is not followed; opening a pipe does not block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        facts = os.fstat(self._descriptor)
        if not stat.S_ISREG(facts.st_mode):
            os.close(self._descriptor)
            raise OSError(errno.EINVAL, "it is no ordinary file")
        self.size = facts.st_size
        self.version = facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
        """Changes if the file is replaced or written to."""
        self._map: mmap.mmap | None = None

    @classmethod
    def of_store(cls, backend: str, location: Path, path: Path) -> Self:
        """Open the file that every store of a backend has.

        Raises:
            StoreError: If there is no such store, or the file cannot be opened.
        """
        try:
            return cls(path)
        except (FileNotFoundError, NotADirectoryError):
            raise foreign(backend, location) from None
        except OSError as error:
            raise read_error(path, error) from None

    def read_into(self, target: memoryview, offset: int) -> None:
        """Fill ``target`` from an offset on."""
        while target:
            try:
                got = os.preadv(self._descriptor, [target], offset)
            except OSError as error:
                raise read_error(self.path, error) from None
            if not got:
                raise StoreError(f"{self.path} has been cut short.")
            offset += got
            target = target[got:]

    def read_parts_into(self, parts: Sequence[memoryview], offset: int) -> None:
        """Fill several targets, in order, from an offset on."""
        try:
            got = os.preadv(self._descriptor, parts, offset)
        except OSError as error:
            raise read_error(self.path, error) from None
        for part in parts:
            if got < len(part):  # a read of more than 2 GiB comes in parts, and a file may be too short
                self.read_into(part[got:], offset + got)
                got = len(part)
            got, offset = got - len(part), offset + len(part)

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` owned bytes from an offset on."""
        try:
            data = os.pread(self._descriptor, length, offset)
        except OSError as error:
            raise read_error(self.path, error) from None
        if len(data) < length:  # a read of more than 2 GiB comes in parts
            whole = bytearray(length)
            self.read_into(memoryview(whole), offset)
            return bytes(whole)
        return data

    def mapped(self) -> mmap.mmap:
        """Return the file as a memory map, whose views must be released before ``close``."""
        if self._map is None:
            if self._descriptor < 0:
                raise StoreError(f"{self.path} is closed: nothing can be read.")
            self._map = mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
        return self._map

    def items(self, offset: int, count: int, size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return a view of items as a uint8 array (count, size), to be released before ``close``."""
        return np.frombuffer(self.mapped(), np.uint8, count * size, offset).reshape(count, size)

    def read_ranges(
        self, offsets: np.ndarray[Any, np.dtype[np.int64]], size: int
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Return ranges of one size from any offsets as an owned uint8 array (n, size).

        Args:
            offsets: int64 array (n,), n is 1 or more.
            size: Bytes of each range.

        Raises:
            StoreError: If a range does not lie in the file.
        """
        last = self.size - size
        if last < int(offsets.max()) or int(offsets.min()) < 0:
            raise StoreError(f"{self.path} is damaged: it is shorter than its index says.")
        pieces: Any = np.ndarray((last + 1, size), np.uint8, self.mapped(), 0, (1, 1))
        picked: np.ndarray[Any, np.dtype[np.uint8]] = pieces[offsets]
        return picked

    def gather(self, offset: int, count: int, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items of one size by ids into an array.

        Args:
            offset: Offset of item 0.
            count: Number of items in the file.
            ids: Ids that exist, one or more.
            span: Their span if they ascend one by one, else None.
            out: C-contiguous array (n, ...) whose rows have the size of an item.
        """
        memory = out.data.cast("B")
        size = len(memory) // len(ids)
        if span is not None:
            self.read_into(memory, offset + span[0] * size)
        elif size < MAP_BELOW:
            # With ``clip`` numpy needs no buffer, and the ids have been checked.
            self.items(offset, count, size).take(ids, 0, out.reshape(len(ids), -1).view(np.uint8), "clip")
        else:
            for position, number in enumerate(ids):
                self.read_into(memory[position * size : (position + 1) * size], offset + number * size)

    def close(self) -> None:
        """Close the map and the file."""
        if self._map is not None:
            with contextlib.suppress(BufferError):  # an exception in flight may still hold a view
                self._map.close()
            self._map = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
