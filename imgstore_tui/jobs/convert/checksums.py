"""Keeps the checksums of a conversion in a file, 72 bytes per image, so that every image can be verified later."""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgstore_tui.core.errors import DataError, StoreError

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_CHECKSUM_BYTES = 16
_RECORD = struct.Struct(f"<qqq{_CHECKSUM_BYTES}s{_CHECKSUM_BYTES}s{_CHECKSUM_BYTES}s")

NO_STAMP = bytes(_CHECKSUM_BYTES)


def checksum(data: Any) -> bytes:
    """Return the checksum of bytes, 16 bytes."""
    return hashlib.blake2b(data, digest_size=_CHECKSUM_BYTES).digest()


def image_checksum(image: Pixels) -> bytes:
    """Return the checksum of the shape, dtype and pixels of an image, 16 bytes."""
    digest = hashlib.blake2b(f"{image.shape}{image.dtype}".encode(), digest_size=_CHECKSUM_BYTES)
    digest.update(image.data if image.flags.c_contiguous else image.tobytes())
    return digest.digest()


@dataclass(frozen=True, slots=True)
class ChecksumRecord:
    """Label, size and checksums of one image of a store."""

    index: int
    """Index of the image in the dataset."""
    label: int
    size: int
    """Bytes stored."""
    stored: bytes
    """Checksum of what is stored: encoded bytes, or bare pixels."""
    source: bytes
    """Checksum of the image as the dataset returns it."""
    stamp: bytes
    """Checksum of name, size and modification time of the image's file; ``NO_STAMP`` where it has none."""


def changed_since(record: ChecksumRecord) -> DataError:
    """Return the error for an image that is no longer as it was stored."""
    return DataError(f"Image {record.index} has changed since this conversion began. Add --restart to start over.")


class Checksums:
    """A file of checksum records, one per image, in the order of ids."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        self.count = os.fstat(self._descriptor).st_size // _RECORD.size

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` records and drop the others."""
        os.ftruncate(self._descriptor, count * _RECORD.size)
        self.count = count

    def append(self, records: Sequence[ChecksumRecord]) -> None:
        """Append records."""
        data = memoryview(
            b"".join(_RECORD.pack(x.index, x.label, x.size, x.stored, x.source, x.stamp) for x in records)
        )
        offset = self.count * _RECORD.size
        while data:
            written = os.pwrite(self._descriptor, data, offset)
            offset, data = offset + written, data[written:]
        self.count += len(records)

    def force(self) -> None:
        """Sync the file to the device."""
        os.fsync(self._descriptor)

    def get(self, first: int, count: int) -> list[ChecksumRecord]:
        """Return ``count`` records from ``first`` on.

        Raises:
            StoreError: If the file is too short.
        """
        data = os.pread(self._descriptor, count * _RECORD.size, first * _RECORD.size)
        if len(data) != count * _RECORD.size:
            raise StoreError(f"{self.path} has been cut short.")
        return [ChecksumRecord(*values) for values in _RECORD.iter_unpack(data)]

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
