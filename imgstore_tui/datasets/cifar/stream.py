"""A file of strings with their lengths in front, read forward; long strings stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ReadAt = Callable[[int, int], bytes]
"""Returns exactly so many bytes from an offset on, or raises DataError."""

_LONG = 1024
"""Strings longer than this stay where they are."""
_MAX_LINE = 256
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Blob:
    """A long string, left where it is."""

    offset: int
    length: int
    """Bytes in the file."""
    text: bool = False
    """UTF-8 text, not bytes."""
    latin1: bool = False
    """Bytes that were spelled as text, one character a byte: how Python 3 writes bytes in protocol 2."""


class DamagedError(Exception):
    """The bytes cannot be what they should be; says how, to stand after "at byte 5"."""


class Stream:
    """The file, read in chunks."""

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self._read_at, self._size = read_at, size
        self._chunk, self._start, self._at = b"", 0, 0

    @property
    def offset(self) -> int:
        """Where the next byte is taken from."""
        return self._start + self._at

    def take(self, count: int) -> bytes:
        """Return the next bytes, exactly so many."""
        end = self._at + count
        if end > len(self._chunk):
            self._refill(count)
            end = self._at + count
        taken = self._chunk[self._at : end]
        self._at = end
        return taken

    def _refill(self, count: int) -> None:
        offset = self.offset
        if offset + count > self._size:
            raise DamagedError("it ends too early")
        # What is left is kept, so that an archive is only ever read forward.
        kept = self._chunk[self._at :]
        more = min(max(count, _CHUNK), self._size - offset - len(kept))
        self._chunk = kept + self._read_at(offset + len(kept), more)
        self._start, self._at = offset, 0

    def line(self) -> str:
        """Return the bytes up to the next line feed as text."""
        taken = bytearray()
        while (byte := self.take(1)) != b"\n":
            taken += byte
            if len(taken) > _MAX_LINE:
                raise DamagedError("a line is too long (protocol 0 is not taken)")
        return taken.decode("ascii", "replace")

    def string(self, width: int, *, text: bool = False) -> bytes | str | Blob:
        """Read a string whose length stands before it in ``width`` bytes."""
        length = int.from_bytes(self.take(width), "little")
        if length > self._size - self.offset:
            raise DamagedError(f"{length:,} bytes are announced, more than there are")
        if length > _LONG:
            blob = Blob(self.offset, length, text)
            self._at += length  # may lie beyond the chunk: the next take reads from there
            return blob
        taken = self.take(length)
        return taken.decode("utf-8", "surrogatepass") if text else taken
