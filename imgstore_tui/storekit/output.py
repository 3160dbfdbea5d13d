"""A file that is written from front to back, with no buffer of Python's in between."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.store_errors import write_error

Piece = Any
"""Bytes to write: bytes, a view of some, or a C-contiguous array of them with one side."""

_JOIN_BELOW = 2**14
"""Pieces smaller than this are put together first: a copy costs less than a place in a list."""
_MOST_PIECES = 1024
"""So many the system takes by one call."""


class Output:
    """A new file, or one that is there and goes on behind its first ``keep`` bytes."""

    def __init__(self, path: Path, keep: int | None = None) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT | os.O_EXCL if keep is None else 0)
        try:
            self._descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            raise self._failed(error) from None
        self.position = keep or 0

    @classmethod
    def behind(cls, path: Path, length: int) -> Output:
        """Go on with a file of which so many bytes were written.

        Raises:
            StoreError: If it has fewer, or cannot be opened.
        """
        file = cls(path, length)
        size = os.fstat(file._descriptor).st_size
        if size < length:
            file.close()
            raise StoreError(f"{path} has been cut short: it has {size:,} bytes, and {length:,} were written.")
        return file

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write at the end."""
        self.rewrite(self.position, data)
        self.position += memoryview(data).nbytes

    def write_pieces(self, pieces: Sequence[Piece]) -> None:
        """Write pieces one behind the other by few calls."""
        if sum(map(len, pieces)) < _JOIN_BELOW * max(1, len(pieces)):
            self.write(b"".join(pieces))
            return
        for first in range(0, len(pieces), _MOST_PIECES):
            batch = pieces[first : first + _MOST_PIECES]
            try:
                written = os.pwritev(self._descriptor, batch, self.position)
            except OSError as error:
                raise self._failed(error) from None
            for piece in batch:
                if written < len(piece):  # a write of more than 2 GiB comes in parts, and a disk may be full
                    self.rewrite(self.position + written, memoryview(piece)[written:])
                self.position += len(piece)
                written = max(0, written - len(piece))

    def rewrite(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write at a place, and leave the end where it is."""
        rest = memoryview(data).cast("B")
        while rest:
            try:
                written = os.pwrite(self._descriptor, rest, offset)
            except OSError as error:
                raise self._failed(error) from None
            offset += written
            rest = rest[written:]

    def end_with(self, data: bytes) -> None:
        """Let the file end with this for now; what is written next takes its place."""
        offset = self.position
        self.rewrite(offset, data)
        self.cut(offset + len(data))
        self.position = offset

    def cut(self, length: int) -> None:
        """End the file after so many bytes."""
        try:
            os.ftruncate(self._descriptor, length)
        except OSError as error:
            raise self._failed(error) from None
        self.position = length

    def force(self) -> None:
        """Force the file to the device."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Close the file; safe to call twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):  # everything was written: nothing waits to be
                os.close(descriptor)

    def _failed(self, error: OSError) -> StoreError:
        return write_error(self.path, error)
