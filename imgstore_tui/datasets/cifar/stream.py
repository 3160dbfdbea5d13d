"""Reads a file of length-prefixed strings forward; long strings are returned as ranges of the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ReadAt = Callable[[int, int], bytes]
"""Given an offset and a count, returns exactly that many bytes, or raises DataError."""

_LONG = 1024
"""Strings longer than this are returned as ranges of the file."""
_MAX_LINE = 256
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Blob:
    """The range of a long string in the file."""

    offset: int
    length: int
    """Bytes in the file."""
    text: bool = False
    """UTF-8 text, not bytes."""
    latin1: bool = False
    """Bytes that were written as text, one character per byte, as Python 3 does in protocol 2."""


class DamagedError(Exception):
    """The data is damaged; the message continues "at byte 5 ..."."""


class Stream:
    """Reads the file in chunks."""

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self._read_at, self._size = read_at, size
        self._chunk, self._start, self._at = b"", 0, 0

    @property
    def offset(self) -> int:
        """Offset of the next byte."""
        return self._start + self._at

    def take(self, count: int) -> bytes:
        """Return exactly the next ``count`` bytes."""
        end = self._at + count
        if end > len(self._chunk):
            self._refill(count)
            end = self._at + count
        data = self._chunk[self._at : end]
        self._at = end
        return data

    def _refill(self, count: int) -> None:
        offset = self.offset
        if offset + count > self._size:
            raise DamagedError("it ends too early")
        # The rest of the chunk is kept, so that an archive is only read forward.
        rest = self._chunk[self._at :]
        more = min(max(count, _CHUNK), self._size - offset - len(rest))
        self._chunk = rest + self._read_at(offset + len(rest), more)
        self._start, self._at = offset, 0

    def line(self) -> str:
        """Return the bytes up to the next line feed as text."""
        line = bytearray()
        while (byte := self.take(1)) != b"\n":
            line += byte
            if len(line) > _MAX_LINE:
                raise DamagedError("a line is too long (protocol 0 is not taken)")
        return line.decode("ascii", "replace")

    def string(self, width: int, *, text: bool = False) -> bytes | str | Blob:
        """Read a string after its length of ``width`` bytes."""
        length = int.from_bytes(self.take(width), "little")
        if length > self._size - self.offset:
            raise DamagedError(f"{length:,} bytes are announced, more than there are")
        if length > _LONG:
            blob = Blob(self.offset, length, text)
            self._at += length  # may lie beyond the chunk: the next take reads from there
            return blob
        data = self.take(length)
        return data.decode("utf-8", "surrogatepass") if text else data
