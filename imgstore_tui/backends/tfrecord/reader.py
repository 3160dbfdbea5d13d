"""Reads records by their index, and verifies both checksums of each."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.tfrecord import FILES, INDEX_WIDTH
from imgstore_tui.backends.tfrecord.example import ENCODED, RAW, find_bytes
from imgstore_tui.backends.tfrecord.records import FOOT, HEAD, head_of, masked, most_unpacked
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, image_bytes
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.raw_file import MAP_BELOW, RawFile
from imgstore_tui.storekit.records import RecordsReader
from imgstore_tui.storekit.store_errors import layout_error, read_error, require_open

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.backend import Labels, Pixels

    Data = NDArray[np.uint8]

_AT_ONCE = 4 * 2**20
"""Bytes of records that are read by one call, at most."""
_GZIP = 31
"""Value of ``wbits`` with which zlib takes a gzip header."""
_MOST_TEMPLATES, _LONGEST_FRONT = 4096, 1024
"""Most templates that are kept, and most bytes before the image in one; our writer's have less than 100."""


@dataclass(frozen=True, slots=True)
class _Template:
    """The bytes of an Example of some length before its image, and where the image is."""

    front: bytes
    front_sum: int
    start: int
    stop: int


class TfrecordReader(CheckedReader):
    """Reads adjacent records by one call."""

    def __init__(self, location: Path) -> None:
        import google_crc32c

        self._sum, self._extend = google_crc32c.value, google_crc32c.extend
        self._templates: dict[int, _Template] = {}
        self._location = location
        self.records = RecordsReader("tfrecord", location, INDEX_WIDTH)
        self.content = self.records.content
        self._name = RAW if self.content.kind is PayloadKind.ARRAY else ENCODED
        self._file: RawFile | None = None
        self._block: tuple[int, bytes] | None = None
        try:
            compression = self.records.manifest.get("compression")
            if not isinstance(compression, str) or compression not in FILES:
                raise layout_error(location)
            self.compressed = compression == "gzip"
            self.path = location / FILES[compression]
            try:
                self._file = RawFile(self.path)
            except OSError as error:
                raise read_error(self.path, error) from None
            self.end()
        except StoreError:
            self.close()
            raise

    def end(self) -> int:
        """Return the offset after the last record; the file must reach that far."""
        if not self.content.count:
            return 0
        offset, length, _ = self.records.rows([self.content.count - 1], None)[0].tolist()
        if offset + length > require_open(self._file, self._location, "read").size:
            raise StoreError(f"{self.path} is damaged: it is shorter than its index says.")
        return int(offset + length)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return the image bytes of one Example per id."""
        self.records.fill_labels(ids, span, labels)
        rows = self.records.rows(ids, span).tolist()
        payloads = []
        for number, (data, start, stop) in zip(ids, self._records(rows), strict=True):
            first, last = self._value(data, start, stop, number)
            payloads.append(data[first:last].tobytes())
        return payloads

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy the pixels of one Example per id into the caller's array."""
        self.records.fill_labels(ids, span, labels)
        rows, size = self.records.rows(ids, span).tolist(), image_bytes(self.content)
        memory = out.reshape(len(ids), -1).view(np.uint8)
        if size >= MAP_BELOW and not self.compressed:
            for number, (offset, length, _), target in zip(ids, rows, memory, strict=True):
                if not self._read_record_into(target, offset, length):
                    ((data, start, stop),) = self._records([[offset, length, 0]])
                    target[:] = self._pixels(data, *self._value(data, start, stop, number), size)
            return
        for number, target, (data, start, stop) in zip(ids, memory, self._records(rows), strict=True):
            target[:] = self._pixels(data, *self._value(data, start, stop, number), size)

    def _pixels(self, data: Data, first: int, last: int, size: int) -> Data:
        if last - first != size:
            raise StoreError(f"{self.path} is damaged: an image in it is not of {size} bytes.")
        return data[first:last]

    def _read_record_into(self, target: Data, offset: int, length: int) -> bool:
        """Read the pixels of a record straight into ``target``, and verify its checksums; False if no template fits."""
        template = self._templates.get(length - HEAD.size - FOOT.size)
        if template is None or template.stop - template.start != len(target):
            return False
        front, rest = bytearray(HEAD.size + template.start), bytearray(length - HEAD.size - template.stop)
        self._within(offset + length)
        require_open(self._file, self._location, "read").read_parts_into(
            [memoryview(front), target.data, memoryview(rest)], offset
        )
        if front != head_of(length - HEAD.size - FOOT.size) + template.front:
            return False
        checksum = self._extend(self._extend(template.front_sum, target), bytes(rest[: -FOOT.size]))
        if masked(checksum) != int.from_bytes(rest[-FOOT.size :], "little"):
            raise self._wrong()
        return True

    def _value(self, data: Data, start: int, stop: int, number: int) -> tuple[int, int]:
        """Return where the image of an Example begins and ends; most Examples of one length have one template."""
        template = self._templates.get(stop - start)
        if template is None or data[start : start + template.start].tobytes() != template.front:
            record = data[start:stop].tobytes()
            try:
                image = find_bytes(record, self._name)
            except StoreError:
                image = None
            if image is None or image[1] > len(record):
                raise StoreError(f"{self.path} is damaged: record {number} holds no image.")
            front = record[: image[0]]
            template = _Template(front, self._sum(front), *image)
            if len(front) <= _LONGEST_FRONT:
                if len(self._templates) >= _MOST_TEMPLATES:
                    self._templates.clear()
                self._templates[len(record)] = template
        return start + template.start, start + template.stop

    def _records(self, rows: list[list[int]]) -> Iterator[tuple[Data, int, int]]:
        """Yield for each index row the data that holds the Example, and its start and stop; verifies checksums."""
        at = 0
        if self.compressed:
            for offset, length, within in rows:
                data = np.frombuffer(self._unpacked(offset, length), np.uint8)
                yield data, *self._checked(data, within, None)
            return
        while at < len(rows):
            base, length, _ = rows[at]
            end, stop = base + length, at + 1
            while stop < len(rows) and rows[stop][0] == end and end - base < _AT_ONCE:
                end += rows[stop][1]
                stop += 1
            self._within(end)
            if stop - at == 1 and end - base < MAP_BELOW:
                data, base = np.frombuffer(require_open(self._file, self._location, "read").mapped(), np.uint8), 0
            else:
                data = np.frombuffer(
                    require_open(self._file, self._location, "read").read_at(base, end - base), np.uint8
                )
            for offset, length, _ in rows[at:stop]:
                yield data, *self._checked(data, offset - base, length)
            at = stop

    def _within(self, end: int) -> None:
        if end > require_open(self._file, self._location, "read").size:
            raise StoreError(f"{self.path} is damaged: records do not lie in it where the index says.")

    def _checked(self, data: Data, at: int, length: int | None) -> tuple[int, int]:
        """Return start and stop of the Example of the record at an offset, after a check of length and checksums."""
        start = at + HEAD.size
        head = data[at:start].tobytes()
        size = int.from_bytes(head[:8], "little")
        stop = start + size
        if stop + FOOT.size <= len(data) and (length is None or length == HEAD.size + size + FOOT.size):
            foot = data[stop : stop + FOOT.size].tobytes()
            if head == head_of(size) and foot == FOOT.pack(masked(self._sum(data[start:stop]))):
                return start, stop
        raise self._wrong()

    def _wrong(self) -> StoreError:
        return StoreError(f"{self.path} is damaged: the checksum of a record is wrong.")

    def _unpacked(self, offset: int, length: int) -> bytes:
        """Return an unpacked block; the last one stays in memory, because its records are mostly read in order."""
        if self._block is None or self._block[0] != offset:
            file = require_open(self._file, self._location, "read")
            self._within(offset + length)
            engine = zlib.decompressobj(_GZIP)
            try:
                block = engine.decompress(file.read_at(offset, length), most_unpacked(self.content))
            except zlib.error as error:
                raise StoreError(f"{self.path} is damaged: {str(error).rstrip('.')}.") from None
            if not engine.eof:
                raise StoreError(f"{self.path} is damaged: a block of it is cut short, or larger than any of ours.")
            self._block = offset, block
        return self._block[1]

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read names from their file."""
        return self.records.read_names(ids, self._check_ids(ids))

    def read_labels(self) -> Labels:
        """Read the labels file."""
        return self.records.read_labels()

    def close(self) -> None:
        """Close the files."""
        self.records.close()
        self._block = None
        if self._file is not None:
            self._file.close()
            self._file = None
