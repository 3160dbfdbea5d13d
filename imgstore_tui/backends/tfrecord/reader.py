"""Reading records by their index; both checksums of every record that is read are verified."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.backends.tfrecord import FILES, INDEX_WIDTH
from imgstore_tui.backends.tfrecord.example import ENCODED, RAW, find_bytes
from imgstore_tui.backends.tfrecord.records import FOOT, HEAD, masked, most_unpacked
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids, check_out, image_bytes
from imgstore_tui.store_parts.raw_file import RawFile, failed
from imgstore_tui.store_parts.records import RecordsReader

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_AT_ONCE = 4 * 2**20
"""Bytes of records that are read together, at most."""
_GZIP = 31
"""What zlib wants to hear to take a header of gzip."""


class TfrecordReader(Reader):
    """Reads records that lie together by one call."""

    def __init__(self, location: Path) -> None:
        import google_crc32c

        self._sum = google_crc32c.value
        self._location = location
        self.records = RecordsReader("tfrecord", location, INDEX_WIDTH)
        self.content = self.records.content
        self._file: RawFile | None = None
        self._block: tuple[int, bytes] | None = None
        try:
            compression = self.records.found.get("compression")
            if compression not in FILES:
                raise StoreError(f"{location} is damaged: what it says of its layout makes no sense.")
            self.compressed = compression == "gzip"
            self.path = location / FILES[compression]
            try:
                self._file = RawFile(self.path)
            except OSError as error:
                raise failed(self.path, error) from None
            self.end()
        except StoreError:
            self.close()
            raise

    def end(self) -> int:
        """Return the place behind the last record, which the file must have."""
        if not self.content.count:
            return 0
        place, length, _ = self.records.rows([self.content.count - 1], None)[0].tolist()
        if place + length > self._opened().size:
            raise StoreError(f"{self.path} is damaged: it is shorter than its index says.")
        return int(place + length)

    def _opened(self) -> RawFile:
        if self._file is None:
            raise StoreError(f"{self._location} is closed: nothing can be read.")
        return self._file

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Return the bytes of one Example an id."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        return [record[start:stop] for record, start, stop in self._values(ids, labels, ENCODED)]

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Copy the pixels of one Example an id into the caller's array."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        if not len(ids):
            return
        memory, size, at = out.data.cast("B"), image_bytes(self.content), 0
        for record, start, stop in self._values(ids, labels, RAW):
            if stop - start != size:
                raise StoreError(f"{self.path} is damaged: an image in it is not of {size} bytes.")
            memory[at : at + size] = memoryview(record)[start:stop]
            at += size

    def _values(self, ids: Sequence[int], labels: Labels, name: bytes) -> Iterator[tuple[bytes, int, int]]:
        run = check_ids(self._location, self.content.count, ids)
        if not len(ids):
            return
        self.records.fill_labels(ids, run, labels)
        for number, record in zip(ids, self._records(self.records.rows(ids, run).tolist()), strict=True):
            try:
                found = find_bytes(record, name)
            except StoreError:
                found = None
            if found is None or found[1] > len(record):
                raise StoreError(f"{self.path} is damaged: record {number} holds no image.")
            yield record, *found

    def _records(self, rows: list[list[int]]) -> Iterator[bytes]:
        """Yield the Example of each row of the index, its checksum verified."""
        file, at = self._opened(), 0
        if self.compressed:
            for place, length, within in rows:
                yield self._checked(self._unpacked(place, length), within, None)
            return
        while at < len(rows):
            base, length, _ = rows[at]
            end, stop = base + length, at + 1
            while stop < len(rows) and rows[stop][0] == end and end - base < _AT_ONCE:
                end += rows[stop][1]
                stop += 1
            if end > file.size:
                raise StoreError(f"{self.path} is damaged: records do not lie in it where the index says.")
            whole = file.piece(base, end - base)
            for place, length, _ in rows[at:stop]:
                yield self._checked(whole, place - base, length)
            at = stop

    def _checked(self, whole: bytes, at: int, length: int | None) -> bytes:
        """Return the Example of the record at a place, if its length and its checksums are right."""
        try:
            size, length_sum = HEAD.unpack_from(whole, at)
            start = at + HEAD.size
            right = masked(self._sum(whole[at : at + 8])) == length_sum
            right = right and (length is None or length == HEAD.size + size + FOOT.size)
            (data_sum,) = FOOT.unpack_from(whole, start + size) if right else (0,)
        except (struct.error, OverflowError):
            right = False
        if right:
            record = whole[start : start + size]
            if masked(self._sum(record)) == data_sum:
                return record
        raise StoreError(f"{self.path} is damaged: the checksum of a record is wrong.")

    def _unpacked(self, place: int, length: int) -> bytes:
        """Return a block, unpacked; the last one is kept, because its neighbours are mostly next."""
        if self._block is None or self._block[0] != place:
            file = self._opened()
            if place + length > file.size:
                raise StoreError(f"{self.path} is damaged: records do not lie in it where the index says.")
            engine = zlib.decompressobj(_GZIP)
            try:
                block = engine.decompress(file.piece(place, length), most_unpacked(self.content))
            except zlib.error as error:
                raise StoreError(f"{self.path} is damaged: {str(error).rstrip('.')}.") from None
            if not engine.eof:
                raise StoreError(f"{self.path} is damaged: a block of it is cut short, or larger than any of ours.")
            self._block = place, block
        return self._block[1]

    def read_labels(self) -> Labels:
        """Read the labels' own file."""
        return self.records.read_labels()

    def close(self) -> None:
        """Close the files."""
        self.records.close()
        self._block = None
        if self._file is not None:
            self._file.close()
            self._file = None
