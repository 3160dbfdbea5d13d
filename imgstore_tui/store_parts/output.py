"""A file that is written from front to back, with no buffer of Python's in between."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.core.errors import StoreError
from imgstore_tui.store_parts.raw_file import first_line

_JOIN_BELOW = 2**16
"""Pieces smaller than this are put together first: a copy costs less than a call."""


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
        there = os.fstat(file._descriptor).st_size
        if there < length:
            file.close()
            raise StoreError(f"{path} has been cut short: it has {there:,} bytes, and {length:,} were written.")
        return file

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write at the end."""
        self.rewrite(self.position, data)
        self.position += memoryview(data).nbytes

    def write_pieces(self, pieces: Sequence[bytes | memoryview]) -> None:
        """Write pieces one behind the other; small ones in one call."""
        if sum(map(len, pieces)) < _JOIN_BELOW * max(1, len(pieces)):
            self.write(b"".join(pieces))
            return
        for piece in pieces:
            self.write(piece)

    def rewrite(self, place: int, data: bytes | bytearray | memoryview) -> None:
        """Write at a place, and leave the end where it is."""
        rest = memoryview(data).cast("B")
        while rest:
            try:
                written = os.pwrite(self._descriptor, rest, place)
            except OSError as error:
                raise self._failed(error) from None
            place += written
            rest = rest[written:]

    def end_with(self, data: bytes) -> None:
        """Let the file end with this for now; what is written next takes its place."""
        place = self.position
        self.rewrite(place, data)
        self.cut(place + len(data))
        self.position = place

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
        return StoreError(f"{self.path} cannot be written: {first_line(error)}.")
