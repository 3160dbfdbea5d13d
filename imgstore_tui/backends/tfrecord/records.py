"""Writes records: length, its checksum, an Example, its checksum."""

from __future__ import annotations

import functools
import gzip
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.tfrecord.example import (
    ENCODED,
    FILE_NAME,
    LABEL,
    RAW,
    bytes_feature,
    head_and_tail,
    int64_feature,
)
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.core.units import format_bytes
from imgstore_tui.images import decode
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.output import Output, Piece
from imgstore_tui.storekit.records import RecordFiles

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

HEAD = struct.Struct("<QI")
"""Length of the record and the masked checksum of these eight bytes."""
FOOT = struct.Struct("<I")
_MASK = 0xA282EAD8
_LEVEL = 1  # of gzip: the fastest, because other codecs make smaller images
_BLOCK_BYTES = 4 * 2**20
"""Bytes of records in a compressed block, before compression."""
_MOST_VALUE = 2**29
"""Most bytes of an encoded image in a compressed block, whose unpacked size is not stored."""
_MOST_AROUND = 2**16
"""Most bytes of a record beside its image."""


def most_unpacked(content: Content) -> int:
    """Return the most bytes that a block can have unpacked: it ends with the record that fills it."""
    value = image_bytes(content) if content.kind is PayloadKind.ARRAY else _MOST_VALUE
    return _BLOCK_BYTES + value + _MOST_AROUND


def masked(checksum: int) -> int:
    """Return a CRC32C as TFRecord stores it: rotated and shifted, so that checksums of checksums stay sound."""
    return ((checksum >> 15 | checksum << 17) + _MASK) & 0xFFFFFFFF


@functools.lru_cache(maxsize=4096)
def head_of(size: int) -> bytes:
    """Return the head of a record with an Example of ``size`` bytes: the size, and the masked checksum of that."""
    import google_crc32c

    length = struct.pack("<Q", size)
    return length + FOOT.pack(masked(google_crc32c.value(length)))


class Records(RecordFiles):
    """A file of records, open for appending."""

    def __init__(self, path: Path, content: Content, end: int | None, *, compressed: bool) -> None:
        import google_crc32c

        self._extend = google_crc32c.extend
        self._content, self._compressed = content, compressed
        self._file = Output(path, end)
        self._end = self._file.position

    def add_bytes(self, first: int, payloads: Sequence[bytes], labels: Labels) -> Labels:
        """Write one Example per payload."""
        return self._add(payloads, ENCODED, labels)

    def add_array(self, first: int, images: Pixels, labels: Labels) -> Labels:
        """Write one Example per image."""
        return self._add(list(images.reshape(len(images), -1).view(np.uint8)), RAW, labels)

    def _add(self, values: Sequence[Piece], name: bytes, labels: Labels) -> Labels:
        rows: list[tuple[int, int, int]] = []
        pieces: list[Piece] = []
        at, within = self._file.position, 0
        lengths: list[int] = []
        names, self.names = self.names, ()
        if self._content.name_bytes and len(names) != len(values):
            raise missing_names(self._file.path.parent, len(values) - len(names))
        for number, (value, label) in enumerate(zip(values, labels.tolist(), strict=True)):
            front, front_sum, tail = self._around(name, value, label, names[number] if names else "")
            checksum = self._extend(self._extend(front_sum, value), tail)
            record = (front, value, tail + FOOT.pack(masked(checksum)))
            length = len(front) + len(value) + len(tail) + FOOT.size
            if self._compressed and _BLOCK_BYTES + length > most_unpacked(self._content):
                raise UnsupportedError(
                    f"Backend tfrecord compresses images of at most {format_bytes(_MOST_VALUE)}, and one has "
                    f"{format_bytes(len(value))}; use compression=none."
                )
            pieces += record
            if not self._compressed:
                rows.append((at, length, 0))
                at += length
                continue
            lengths.append(length)
            within += length
            if within >= _BLOCK_BYTES:
                rows += self._compress(pieces, lengths)
                pieces, lengths, within = [], [], 0
        if self._compressed and pieces:
            rows += self._compress(pieces, lengths)
        elif pieces:
            self._file.write_pieces(pieces)
        return np.array(rows, np.int64)

    def _compress(self, pieces: list[Piece], lengths: list[int]) -> list[tuple[int, int, int]]:
        block = gzip.compress(b"".join(pieces), _LEVEL, mtime=0)
        offset = self._file.position
        self._file.write(block)
        starts = np.cumsum([0, *lengths[:-1]]).tolist()
        return [(offset, len(block), start) for start in starts]

    def _around(self, name: bytes, value: Piece, label: int, file_name: str) -> tuple[bytes, int, bytes]:
        """Return the bytes before a value, the checksum of their part in the Example, and the bytes after it."""
        kind = decode.sniff(bytes(value[:32])) if name is ENCODED else None
        others = self._others(kind)
        if file_name:
            others += bytes_feature(FILE_NAME, file_name.encode())
        return _around(name, len(value), others, label if self._content.has_labels else None)

    @functools.lru_cache(maxsize=16)  # noqa: B019 - a records lives as long as its store is open
    def _others(self, kind: str | None) -> bytes:
        """Return the features that all images of one format share."""
        content = self._content
        format_name = kind or content.codec
        features = bytes_feature(b"image/format", format_name.encode())
        if content.shape is not None:
            sides = (*content.shape, 1)[:3]
            for side, name in zip(sides, (b"image/height", b"image/width", b"image/channels"), strict=True):
                features += int64_feature(name, side)
            features += int64_feature(b"image/shape", *content.shape)
            features += bytes_feature(b"image/dtype", str(content.dtype).encode())
        return features

    def force(self) -> int:
        """Force the file to the device."""
        self._file.force()
        return 1

    def finish(self) -> None:
        """Cut the file after the last record; the format has no end mark."""
        self._file.truncate(self._file.position)
        self._end = self._file.position

    def roll_back(self) -> None:
        """Cut off the records that were added."""
        self._file.truncate(self._end)

    def changed_paths(self) -> list[Path]:
        """Return the path of the file."""
        return [self._file.path]

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@functools.lru_cache(maxsize=4096)
def _around(name: bytes, size: int, others: bytes, label: int | None) -> tuple[bytes, int, bytes]:
    import google_crc32c

    features = others if label is None else int64_feature(LABEL, label) + others
    front, tail = head_and_tail(name, size, features)
    return head_of(len(front) + size + len(tail)) + front, google_crc32c.value(front), tail
