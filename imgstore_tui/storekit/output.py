"""Writes a file from front to back without a buffer in Python."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.store_errors import write_error

Piece = Any
"""Bytes to write: ``bytes``, a memoryview, or a C-contiguous uint8 array (n,)."""

_JOIN_BELOW = 2**14
"""Pieces smaller than this, on average, are joined first: a copy costs less than an entry in the system call."""
_MOST_PIECES = 1024
"""Most pieces that the system takes by one call."""


class Output:
    """A file open for writing: a new one, or an existing one that continues after its first ``keep`` bytes."""

    def __init__(self, path: Path, keep: int | None = None) -> None:
        self.path = path
        flags = os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW | (os.O_CREAT | os.O_EXCL if keep is None else 0)
        try:
            self._descriptor = os.open(path, flags, 0o666)
        except OSError as error:
            raise self._failed(error) from None
        self.position = keep or 0

    @classmethod
    def continue_at(cls, path: Path, length: int) -> Output:
        """Open a file to continue after its first ``length`` bytes.

        Raises:
            StoreError: If it is shorter, or cannot be opened.
        """
        file = cls(path, length)
        size = os.fstat(file._descriptor).st_size
        if size < length:
            file.close()
            raise StoreError(f"{path} has been cut short: it has {size:,} bytes, and {length:,} were written.")
        return file

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write at the position, and advance it."""
        self.write_at(self.position, data)
        self.position += memoryview(data).nbytes

    def write_pieces(self, pieces: Sequence[Piece]) -> None:
        """Write pieces in order by few system calls."""
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
                    self.write_at(self.position + written, memoryview(piece)[written:])
                self.position += len(piece)
                written = max(0, written - len(piece))

    def write_at(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        """Write at an offset, and leave the position as it is."""
        rest = memoryview(data).cast("B")
        while rest:
            try:
                written = os.pwrite(self._descriptor, rest, offset)
            except OSError as error:
                raise self._failed(error) from None
            offset += written
            rest = rest[written:]

    def write_end(self, data: bytes) -> None:
        """End the file with ``data`` after the position; what is written next overwrites it."""
        offset = self.position
        self.write_at(offset, data)
        self.truncate(offset + len(data))
        self.position = offset

    def truncate(self, length: int) -> None:
        """Cut the file to ``length`` bytes, and set the position to its end."""
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
            with contextlib.suppress(OSError):  # every write went to the system already
                os.close(descriptor)

    def _failed(self, error: OSError) -> StoreError:
        return write_error(self.path, error)
