"""TFRecord: records of tf.train.Example that hold an encoded picture under one of the usual names."""

from __future__ import annotations

import struct
from pathlib import Path

from imgstore_tui.backends.tfrecord.example import ENCODED, LABEL, find_bytes, find_int64
from imgstore_tui.backends.tfrecord.records import FOOT, HEAD, masked
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.foreign_files import ByteRangeFile

_IMAGES = (ENCODED, b"image", b"image_raw", b"encoded")
_LABELS = (LABEL, b"label")
_MOST = 2**31


class TfrecordPart(ByteRangeFile):
    """A file of records; each is read once, its checksums verified, to find where its picture lies."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            at = 0
            while at < self.file.size:
                at = self._note(at)
        except StoreError:
            self.close()
            raise

    def _note(self, at: int) -> int:
        import google_crc32c

        wrong = StoreError(f"{self.path} is damaged or no TFRecord: record {len(self.places)} has a wrong checksum.")
        if at + HEAD.size > self.file.size:
            raise StoreError(f"{self.path} has been cut short.")
        head = self.file.piece(at, HEAD.size)
        size, length_sum = (int(number) for number in HEAD.unpack(head))
        if masked(google_crc32c.value(head[:8])) != length_sum or size > _MOST:
            raise wrong
        start = at + HEAD.size
        if start + size + FOOT.size > self.file.size:
            raise StoreError(f"{self.path} has been cut short.")
        record = self.file.piece(start, size)
        if struct.pack("<I", masked(google_crc32c.value(record))) != self.file.piece(start + size, FOOT.size):
            raise wrong
        try:
            found = next((span for span in (find_bytes(record, name) for name in _IMAGES) if span), None)
            labels = [find_int64(record, name) for name in _LABELS]
        except StoreError:
            raise StoreError(f"{self.path}: record {len(self.places)} is no tf.train.Example.") from None
        if found is not None:
            self.places.append((start + found[0], found[1] - found[0]))
            self.labels.append(next((label for label in labels if label is not None), 0))
        return start + size + FOOT.size
