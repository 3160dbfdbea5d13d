"""Reads tars by their index, or in order through the package webdataset.

By the index every header is compared with the expected one, its checksum included.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.webdataset.keys import keys_for
from imgstore_tui.backends.webdataset.package_stream import PackageStream
from imgstore_tui.backends.webdataset.shards import INDEX_WIDTH, LABEL_BLOCKS, tar_name
from imgstore_tui.backends.webdataset.tar import (
    BLOCK,
    MOST_BYTES,
    full_name_in,
    head,
    heads,
    key_of,
    name_in,
    named_head,
    padded,
)
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import IdSpan, image_bytes, is_count
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.npy_file import npy_header
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.records import RecordsReader
from imgstore_tui.storekit.store_errors import layout_error, read_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.backend import Labels, Pixels

_TOGETHER_BELOW = 32 * 2**10
"""Adjacent members smaller than this are read by one call."""
_AT_ONCE = 4 * 2**20
"""Bytes that are read by one call, at most."""
_NAMES_AT_ONCE = 4096
_MOST_OPEN = 64
"""Most tars that are kept open."""


class WebdatasetReader(CheckedReader):
    """Reads single members at their offsets, small adjacent ones together; with a stream, what is a range in order."""

    _location: Path

    def __init__(self, location: Path, stream: PackageStream | None = None) -> None:
        """Open the index.

        Args:
            location: The store.
            stream: Reads the ids of a ``range`` in order; None to read them by the index, as all others are.
        """
        self._location, self._stream = location, stream
        self._tars: dict[int, RawFile] = {}
        self.records = RecordsReader("webdataset", location, INDEX_WIDTH)
        self.content = self.records.content
        shard = self.records.manifest.get("shard")
        if not is_count(shard):
            self.close()
            raise layout_error(location)
        self.shard = shard
        self.with_labels = self.records.manifest.get("cls") is not False
        """Whether each image has a member with its label; stores of before have one, whatever it holds."""
        self._after = LABEL_BLOCKS if self.with_labels else 0
        """Bytes between the member of an image and that of the next."""
        self._npy_head = b""
        if self.content.kind is PayloadKind.ARRAY:
            self._npy_head = npy_header(np.dtype(self.content.dtype), self.content.shape or ())
        try:
            self.end()
        except StoreError:
            self.close()
            raise

    def end(self) -> tuple[int, int]:
        """Return the number of the tar with the last image, and the offset after it, which the tar must reach."""
        if not self.content.count:
            self._tar(0)
            return 0, 0
        number, offset, size = self.records.rows([self.content.count - 1], None)[0].tolist()
        end = offset + BLOCK + padded(size) + self._after
        tar = self._tar(number)
        if end > tar.size:
            raise StoreError(f"{tar.path} is damaged: it is shorter than its index says.")
        return number, end

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Copy one member per id."""
        if self._stream is not None and span is not None and isinstance(ids, range):
            return list(self._streamed(self._stream, ids, labels))
        rows = self.records.rows(ids, span)
        self.records.fill_labels(ids, span, labels)
        payloads: list[bytes] = []
        names = self._names_by_id(ids, span)
        if span is None:
            for number, (shard, offset, size) in zip(ids, rows.tolist(), strict=True):
                tar = self._tar(shard)
                self._check_size(tar, offset, size)
                whole = tar.read_at(offset, BLOCK + size) if size < _TOGETHER_BELOW else tar.read_at(offset, BLOCK)
                self._check(tar, whole[:BLOCK], number, size, names)
                payloads.append(whole[BLOCK:] if size < _TOGETHER_BELOW else tar.read_at(offset + BLOCK, size))
            return payloads
        for tar, whole, base, first, tar_rows in self._pieces(rows, span[0]):
            for number, (_, offset, size) in enumerate(tar_rows, first):
                at = offset - base
                self._check(tar, whole[at : at + BLOCK], number, size, names)
                payload = whole[at + BLOCK : at + BLOCK + size]
                if len(payload) != size:
                    raise self._lost(tar)
                payloads.append(payload)
        return payloads

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy one member per id into the caller's array; the headers are compared for all at once."""
        if self._stream is not None and span is not None and isinstance(ids, range):
            images, width = out.reshape(len(ids), -1).view(np.uint8), len(self._npy_head)
            for target, payload in zip(images, self._streamed(self._stream, ids, labels), strict=True):
                if payload[:width] != self._npy_head or len(payload) != width + len(target):
                    raise StoreError(f"{self._location} is damaged: an image in it is of another shape.")
                target[:] = np.frombuffer(payload, np.uint8, offset=width)
            return
        rows = self.records.rows(ids, span)
        self.records.fill_labels(ids, span, labels)
        length = image_bytes(self.content)
        size = len(self._npy_head) + length
        if (rows[:, 2] != size).any():
            raise StoreError(f"{self._location} is damaged: an image in it is not of {length} bytes.")
        pixels = out.reshape(len(ids), -1).view(np.uint8)
        fronts = np.empty((len(ids), BLOCK + len(self._npy_head)), np.uint8)
        if size >= _TOGETHER_BELOW:
            for (shard, offset, _), front, target in zip(rows.tolist(), fronts, pixels, strict=True):
                tar = self._tar(shard)
                self._check_size(tar, offset, size)
                tar.read_parts_into([front.data, target.data], offset)
        elif span is not None:
            self._read_run(rows, BLOCK + padded(size) + self._after, fronts, pixels)
        else:
            for shard in np.unique(rows[:, 0]).tolist():
                in_shard, tar = np.flatnonzero(rows[:, 0] == shard), self._tar(shard)
                offsets = rows[in_shard, 1]
                fronts[in_shard] = tar.read_ranges(offsets, fronts.shape[1])
                pixels[in_shard] = tar.read_ranges(offsets + fronts.shape[1], length)
        numbers = np.asarray(ids, np.int64)
        wrong = (fronts[:, :BLOCK] != self._expected_heads(ids, span, fronts, size)).any(1)
        wrong |= (fronts[:, BLOCK:] != np.frombuffer(self._npy_head, np.uint8)).any(1)
        if wrong.any():
            first = int(wrong.argmax())
            raise self._wrong_header(self._tar(int(rows[first, 0])), int(numbers[first]))

    def _streamed(self, stream: PackageStream, ids: range, labels: Labels) -> Iterator[bytes]:
        """Yield the bytes of images in order, and store their labels; the index says only where to begin."""
        for position, number in enumerate(ids):
            if number != stream.following:
                shard, offset, _ = self.records.rows([number], None)[0].tolist() if number else (0, 0, 0)
                stream.begin(self._tar(shard).path, shard, offset, number)
            sample = stream.take(self._key_check(number))
            ended = self._tar(stream.shard)
            if sample is None and (self._location / tar_name(stream.shard + 1)).exists():
                stream.begin(self._tar(stream.shard + 1).path, stream.shard + 1, 0, number)
                sample = stream.take(self._key_check(number))
            if sample is None:  # the package takes a header that makes no sense for the end
                raise self._wrong_header(ended, number)
            payload, label = sample
            labels[position] = NO_LABEL if label is None else label
            yield payload

    def _key_check(self, number: int) -> Callable[[str], bool]:
        """Return what tells whether a key is that of an image."""
        if not self.content.name_bytes:
            return lambda key: key.encode() == key_of(number)
        (name,) = self.records.read_names([number], (number, number + 1))
        return keys_for(name, number).__contains__

    def _read_run(self, rows: Labels, stride: int, fronts: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> None:
        """Read members that are mostly adjacent, a few MiB at a time."""
        apart = (np.diff(rows[:, 0]) != 0) | (np.diff(rows[:, 1]) != stride)
        bounds = [0, *(np.flatnonzero(apart) + 1).tolist(), len(rows)]
        most, width = max(1, _AT_ONCE // stride), fronts.shape[1]
        for begin, end in itertools.pairwise(bounds):
            for start in range(begin, end, most):
                batch = slice(start, min(end, start + most))
                tar, offset, count = self._tar(int(rows[start, 0])), int(rows[start, 1]), batch.stop - start
                if offset + count * stride > tar.size:
                    raise self._lost(tar)
                members = np.frombuffer(tar.read_at(offset, count * stride), np.uint8).reshape(count, stride)
                fronts[batch] = members[:, :width]
                pixels[batch] = members[:, width : width + pixels.shape[1]]

    def _pieces(
        self, rows: Labels, first: int
    ) -> Iterator[tuple[RawFile, bytes, int, int, list[tuple[int, int, int]]]]:
        """Yield adjacent members, a few MiB at a time: tar, bytes, their offset, first id, index rows."""
        facts = rows.tolist()
        at = 0
        while at < len(facts):
            shard, base, size = facts[at]
            end = base + BLOCK + padded(size) + self._after
            stop = at + 1
            while stop < len(facts) and facts[stop][0] == shard and facts[stop][1] == end and end - base < _AT_ONCE:
                end = facts[stop][1] + BLOCK + padded(facts[stop][2]) + self._after
                stop += 1
            tar = self._tar(shard)
            if end > tar.size:
                raise self._lost(tar)
            yield tar, tar.read_at(base, end - base), base, first + at, facts[at:stop]
            at = stop

    def _names_by_id(self, ids: Sequence[int], span: IdSpan | None) -> dict[int, str]:
        """Return the names of images, none where they have none."""
        if not self.content.name_bytes:
            return {}
        return dict(zip(map(int, ids), self.records.read_names(ids, span), strict=True))

    def _check(self, tar: RawFile, header: bytes, number: int, size: int, names: Mapping[int, str]) -> None:
        """Check that a header is exactly the one of this image."""
        if names:
            if not _is_head_of(header, names[int(number)], int(number), size):
                raise self._wrong_header(tar, number)
            return
        name = name_in(header)
        if not name.startswith(key_of(number) + b".") or header != head(name, size):
            raise self._wrong_header(tar, number)

    def _expected_heads(
        self, ids: Sequence[int], span: IdSpan | None, fronts: NDArray[np.uint8], size: int
    ) -> NDArray[np.uint8]:
        """Return the headers that images of one size should have; a header that may be one of a name is taken."""
        names = self._names_by_id(ids, span)
        if not names:
            return heads(np.asarray(ids, np.int64), b".npy", size)
        expected = fronts[:, :BLOCK].copy()
        for row, number in zip(expected, map(int, ids), strict=True):
            if not _is_head_of(row.tobytes(), names[number], number, size):
                row[:] = ~row
        return expected

    @staticmethod
    def _wrong_header(tar: RawFile, number: int) -> StoreError:
        return StoreError(f"{tar.path} is damaged: the header of image {number} is not what it should be.")

    def _check_size(self, tar: RawFile, offset: int, size: int) -> None:
        if size > MOST_BYTES or offset + BLOCK + size > tar.size:
            raise self._lost(tar)

    def _lost(self, tar: RawFile) -> StoreError:
        return StoreError(f"{tar.path} is damaged: images do not lie in it where the index says.")

    def _tar(self, number: int) -> RawFile:
        tar = self._tars.get(number)
        if tar is None:
            path = self._location / tar_name(number)
            try:
                tar = RawFile(path)
            except OSError as error:
                raise read_error(path, error) from None
            if len(self._tars) >= _MOST_OPEN:
                self._tars.pop(next(iter(self._tars))).close()
            self._tars[number] = tar
        return tar

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read names from their file."""
        return self.records.read_names(ids, self._check_ids(ids))

    def all_names(self) -> Iterator[str]:
        """Yield the names of all images in order."""
        for first in range(0, self.content.count, _NAMES_AT_ONCE):
            yield from self.read_names(range(first, min(first + _NAMES_AT_ONCE, self.content.count)))

    def read_labels(self) -> Labels:
        """Read the labels file."""
        return self.records.read_labels()

    def close(self) -> None:
        """Close the files."""
        if self._stream is not None:
            self._stream.close()
        self.records.close()
        for tar in self._tars.values():
            tar.close()
        self._tars = {}


def _is_head_of(header: bytes, name: str, number: int, size: int) -> bool:
    """Whether a header is one that the image of this name may have, its checksum included."""
    full = full_name_in(header)
    try:
        key = full.rpartition(b".")[0].decode()
        return key in keys_for(name, number) and header == named_head(full, size)
    except (UnicodeDecodeError, UnsupportedError):
        return False
