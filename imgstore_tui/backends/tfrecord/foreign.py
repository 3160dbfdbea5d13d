"""Indexes TFRecord files: records of tf.train.Example with an encoded picture under one of the usual names."""

from __future__ import annotations

import struct
from pathlib import Path

from imgstore_tui.backends.tfrecord.example import ENCODED, find_bytes
from imgstore_tui.backends.tfrecord.record_labels import RecordLabels
from imgstore_tui.backends.tfrecord.records import FOOT, HEAD, masked
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.foreign_files import ByteRangeFile

_IMAGES = (ENCODED, b"image", b"image_raw", b"encoded")
_MOST = 2**31


class TfrecordImages(ByteRangeFile):
    """A file of records; each is read once, with its checksums verified, to locate its picture."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._values = RecordLabels()
        try:
            at = 0
            while at < self.file.size:
                at = self._index_record(at)
        except StoreError:
            self.close()
            raise
        self.labels = self._values.column()

    def _index_record(self, at: int) -> int:
        import google_crc32c

        wrong = StoreError(f"{self.path} is damaged or no TFRecord: record {len(self.ranges)} has a wrong checksum.")
        if at + HEAD.size > self.file.size:
            raise StoreError(f"{self.path} has been cut short.")
        head = self.file.read_at(at, HEAD.size)
        size, length_sum = (int(number) for number in HEAD.unpack(head))
        if masked(google_crc32c.value(head[:8])) != length_sum or size > _MOST:
            raise wrong
        start = at + HEAD.size
        if start + size + FOOT.size > self.file.size:
            raise StoreError(f"{self.path} has been cut short.")
        record = self.file.read_at(start, size)
        if struct.pack("<I", masked(google_crc32c.value(record))) != self.file.read_at(start + size, FOOT.size):
            raise wrong
        try:
            picture = next((span for span in (find_bytes(record, name) for name in _IMAGES) if span), None)
            if picture is not None:
                self._values.add(record)
        except StoreError:
            raise StoreError(f"{self.path}: record {len(self.ranges)} is no tf.train.Example.") from None
        if picture is not None:
            self.ranges.append((start + picture[0], picture[1] - picture[0]))
        return start + size + FOOT.size
