"""Reads ranges of a file that is compressed as a whole, by gzip or bzip2, as if it were not.

Ranges that are read in ascending order cost one pass; going back starts again from the front.
"""

from __future__ import annotations

import bz2
import gzip
import zlib
from pathlib import Path
from typing import IO, Any

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import first_line
from imgstore_tui.core.units import format_bytes
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.scan_progress import report_scan

GZIP, BZIP2 = b"\x1f\x8b\x08", b"BZh"
_AT_ONCE = 2**20
_FREE_BYTES = 2**28
_MOST_SHRUNK = 1100
"""No archive of pictures shrinks by more; one that does would take hours to unpack."""


class UnpackedFile:
    """A compressed file; it is unpacked once from front to back to know its size and to verify its checksums."""

    def __init__(self, path: Path, size: int | None = None) -> None:
        """Open the file.

        Args:
            path: The file.
            size: What it unpacks to, if that is known and the file was verified before.

        Raises:
            OSError: If it cannot be opened.
            StoreError: If it is damaged, cut short, or unpacks to far more than pictures do.
        """
        self.path = path
        self._raw = RawFile(path)
        self.version = self._raw.version
        self._stream: Any = self._unpacked()
        try:
            self.size = self._measure() if size is None else size
        except BaseException:
            self.close()
            raise

    def read_at(self, offset: int, length: int) -> bytes:
        """Return ``length`` owned bytes from an offset on.

        Raises:
            StoreError: If the file is damaged, or ends before them.
        """
        if offset + length > self.size:
            raise StoreError(f"{self.path} has been cut short.")
        try:
            self._stream.seek(offset)
            data: bytes = self._stream.read(length)
        except (OSError, EOFError, zlib.error) as error:
            raise self._damaged(error) from None
        return data

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._raw.close()

    def _unpacked(self) -> Any:
        source: IO[bytes] = _Ranges(self._raw)  # type: ignore[assignment]
        return gzip.GzipFile(fileobj=source) if self._raw.read_at(0, 3) == GZIP else bz2.BZ2File(source)

    def _measure(self) -> int:
        allowed = _FREE_BYTES + _MOST_SHRUNK * self._raw.size
        size = 0
        try:
            while data := self._stream.read(_AT_ONCE):
                size += len(data)
                report_scan("unpacking MiB", size >> 20)
                if size > allowed:
                    raise StoreError(
                        f"{self.path} has {format_bytes(self._raw.size)} and unpacks to more than "
                        f"{format_bytes(allowed)}, which no pictures do; unpack it yourself if you trust it."
                    )
        except (OSError, EOFError, zlib.error) as error:
            raise self._damaged(error) from None
        return size

    def _damaged(self, error: Exception) -> StoreError:
        if isinstance(error, EOFError):
            return StoreError(f"{self.path} has been cut short.")
        return StoreError(f"{self.path} is damaged: {first_line(error)}.")


class _Ranges:
    """A file of the standard library's kind over a ``RawFile``."""

    def __init__(self, raw: RawFile) -> None:
        self._raw, self._at = raw, 0

    def read(self, length: int = -1) -> bytes:
        """Return the next bytes; fewer at the end."""
        rest = self._raw.size - self._at
        data = self._raw.read_at(self._at, rest if length < 0 else min(length, rest))
        self._at += len(data)
        return data

    def readinto(self, buffer: bytearray) -> int:
        """Fill a buffer, or a part of it at the end."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset."""
        self._at = offset + (0, self._at, self._raw.size)[whence]
        return self._at

    def tell(self) -> int:
        """Return the offset."""
        return self._at

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True


def open_unpacked(path: Path, size: int | None = None) -> RawFile | UnpackedFile:
    """Open a file for reading ranges of what it holds once it is unpacked.

    Args:
        path: The file.
        size: What it unpacks to, if it was opened before.

    Raises:
        OSError: If it cannot be opened.
        StoreError: If it is compressed and damaged.
    """
    raw = RawFile(path)
    head = raw.read_at(0, min(3, raw.size))
    if head not in (GZIP, BZIP2):
        return raw
    raw.close()
    return UnpackedFile(path, size)
