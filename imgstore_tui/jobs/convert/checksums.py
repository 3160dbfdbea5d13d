"""What was put into a store, image by image, in 72 bytes each: so that all can be verified, whoever put it there."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.core.errors import StoreError

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_SUM_BYTES = 16
_ENTRY = struct.Struct(f"<qqq{_SUM_BYTES}s{_SUM_BYTES}s{_SUM_BYTES}s")

NO_STAMP = bytes(_SUM_BYTES)


def checksum(data: Any) -> bytes:
    """Return the sum of bytes."""
    return hashlib.blake2b(data, digest_size=_SUM_BYTES).digest()


def image_checksum(image: Pixels) -> bytes:
    """Return the sum of an image: its shape, its type and its pixels."""
    digest = hashlib.blake2b(f"{image.shape}{image.dtype}".encode(), digest_size=_SUM_BYTES)
    digest.update(image.data if image.flags.c_contiguous else image.tobytes())
    return digest.digest()


@dataclass(frozen=True, slots=True)
class ChecksumRecord:
    """One image of a store."""

    index: int
    """Its number in the data set."""
    label: int
    size: int
    """Bytes of what was put."""
    stored: bytes
    """Sum of what was put: encoded bytes, or bare pixels."""
    source: bytes
    """Sum of the image as the data set gave it."""
    stamp: bytes
    """Sum of the name, the size and the time of change of the image's file; ``NO_STAMP`` where it has none."""


class Checksums:
    """A file of entries, one an image, in the order of their ids."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self.count = os.fstat(self._descriptor).st_size // _ENTRY.size

    def truncate(self, count: int) -> None:
        """Drop all but the first entries."""
        os.ftruncate(self._descriptor, count * _ENTRY.size)
        self.count = count

    def add(self, entries: Sequence[ChecksumRecord]) -> None:
        """Write entries at the end."""
        data = memoryview(b"".join(_ENTRY.pack(x.index, x.label, x.size, x.stored, x.source, x.stamp) for x in entries))
        place = self.count * _ENTRY.size
        while data:
            written = os.pwrite(self._descriptor, data, place)
            place, data = place + written, data[written:]
        self.count += len(entries)

    def force(self) -> None:
        """Force them to the device."""
        os.fsync(self._descriptor)

    def get(self, first: int, count: int) -> list[ChecksumRecord]:
        """Return entries.

        Raises:
            StoreError: If they are not there.
        """
        data = os.pread(self._descriptor, count * _ENTRY.size, first * _ENTRY.size)
        if len(data) != count * _ENTRY.size:
            raise StoreError(f"{self.path} has been cut short.")
        return [ChecksumRecord(*values) for values in _ENTRY.iter_unpack(data)]

    def fingerprint(self) -> str:
        """Return one sum of all images and labels in their order, the same whatever they are stored in."""
        digest = hashlib.sha256()
        for first in range(0, self.count, 4096):
            for entry in self.get(first, min(4096, self.count - first)):
                digest.update(entry.source)
                digest.update(struct.pack("<q", entry.label))
        return digest.hexdigest()

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
