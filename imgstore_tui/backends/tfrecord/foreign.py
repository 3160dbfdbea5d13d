"""Indexes TFRecord files of other programs: records of tf.train.Example with a picture file, or pixels, in each."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from imgstore_tui.backends.tfrecord.class_names import class_names_beside
from imgstore_tui.backends.tfrecord.record_labels import RecordLabels
from imgstore_tui.backends.tfrecord.record_pictures import (
    Feature,
    NoPictureError,
    Picture,
    features_of,
    find_key,
    find_picture,
    listed,
    why_none,
)
from imgstore_tui.backends.tfrecord.records import FOOT, HEAD, masked
from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted
from imgstore_tui.images import decode, raw
from imgstore_tui.storekit.foreign_arrays import ForeignRawPictures
from imgstore_tui.storekit.foreign_files import ByteRangeFile, ForeignReader
from imgstore_tui.storekit.scan_progress import EVERY, report_scan

_MOST = 2**31
_HEAD = 32
_UINT8 = np.dtype(np.uint8)
_MOST_NAMED = 10_000
"""Records without a picture that are named, in a file; the others are counted."""


class TfrecordImages(ByteRangeFile):
    """A file of records; each is read once, with its checksums verified, to locate its picture."""

    def __init__(self, path: Path, layout: ForeignLayout, class_names: Mapping[str, Sequence[str]]) -> None:
        super().__init__(path)
        self.records = 0
        """Number of records, with and without a picture."""
        self.shapes: list[tuple[int, ...]] = []
        """The shapes that pixels have; empty where pictures are files."""
        self._shape_of = array("q")
        self._layout = layout
        self._key = layout.image
        self._first: str = ""
        self._unnamed = 0
        self._values = RecordLabels(layout.label, class_names)
        try:
            at = 0
            while at < self.file.size:
                at = self._index_record(at)
        except StoreError:
            self.close()
            raise
        self.labels, self.names = self._values.column(self._key), self._values.names()
        if self._unnamed:
            self.warnings.append(f"{path}: {counted(self._unnamed, 'more record')} without a picture left out.")
        if not self.count and self._first:
            self.warnings.append(f"The first record holds {self._first}; image= names the picture's key.")

    def _index_record(self, at: int) -> int:
        import google_crc32c

        wrong = StoreError(f"{self.path} is damaged or no TFRecord: record {self.records} has a wrong checksum.")
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
            self._take(record, start)
        except StoreError as error:
            if "no tf.train.Example" not in str(error):
                raise
            kind = decode.sniff(record[:_HEAD].ljust(_HEAD, b"\0"))
            what = f"a bare {kind} picture" if kind else f"other {counted(len(record), 'byte')}"
            raise StoreError(
                f"{self.path}: record {self.records} is no tf.train.Example, but {what}. Only pictures in Examples are "
                "read, under a key that image= can name."
            ) from None
        self.records += 1
        if not self.records % EVERY:
            report_scan("reading records", self.records)
        return start + size + FOOT.size

    def _take(self, record: bytes, start: int) -> None:
        """Index the picture of a record, or leave the record out by name."""
        of = features_of(record)
        if not self._first:
            self._first = listed(record, of)
        if not self._key:
            self._key = self._choose(record, of)
        try:
            if not self._key:
                raise NoPictureError(why_none(record, of))
            picture = find_picture(record, of, self._key)
            self._check_form(picture)
        except NoPictureError as reason:
            if len(self.excluded) < _MOST_NAMED:
                self.excluded.append(Excluded(f"{self.path.name} record {self.records}", str(reason)))
            else:
                self._unnamed += 1
            return
        self.ranges.append((start + picture.start, picture.stop - picture.start))
        self._values.add(record)

    def _choose(self, record: bytes, of: dict[str, Feature]) -> str:
        """Return the key of the pictures, from the first record that has one; empty if this has none.

        Raises:
            StoreError: If several may be meant.
        """
        key, others = find_key(record, of)
        names = ", ".join(map(safe_text, others))
        if others and not key:
            raise StoreError(f"{self.path} has several keys with pictures: {names}. Name one with image=.")
        if others:
            self.warnings.append(
                f"{self.path}: the pictures are those of the key {safe_text(key)}; {names} not read. image= names "
                "another."
            )
        return key

    def _check_form(self, picture: Picture) -> None:
        """Note the shape of pixels.

        Raises:
            NoPictureError: If some records hold picture files, and others pixels.
        """
        if self.count and (picture.shape is None) == bool(self.shapes):
            raise NoPictureError("It holds pixels, and other records picture files." if picture.shape else (
                "It holds a picture file, and other records pixels."
            ))  # fmt: skip
        if picture.shape is not None:
            if picture.shape not in self.shapes:
                self.shapes.append(picture.shape)
            self._shape_of.append(self.shapes.index(picture.shape))

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture file, or pixels behind a header."""
        data = super().payload(number)
        return raw.header(self.shapes[self._shape_of[number]], _UINT8) + data if self.shapes else data


def open_files(location: Path, paths: Sequence[Path], layout: ForeignLayout) -> Reader:
    """Open files as one store.

    Args:
        location: What the user names, for messages.
        paths: The files, in the order in which their pictures are numbered.
        layout: What the user names in them.

    Raises:
        StoreError: If a file is damaged, or holds no pictures.
    """
    files: list[TfrecordImages] = []
    class_names = class_names_beside(paths[0].parent)

    def open_file(path: Path) -> TfrecordImages:
        files.append(TfrecordImages(path, layout, class_names))
        return files[-1]

    reader = ForeignReader.open(location, paths, open_file, "TFRecord")
    if not any(file.shapes for file in files):
        return reader
    if not all(file.shapes or not file.count for file in files):
        reader.close()
        raise StoreError(f"{location} has files with pixels and files with picture files; name one of them.")
    shapes = {shape for file in files for shape in file.shapes}
    uniform = (shapes.pop(), "uint8") if len(shapes) == 1 else None
    return ForeignRawPictures(location, files, [path.name for path in paths], uniform)
