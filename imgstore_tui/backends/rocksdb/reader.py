"""Reads a database: along the keys, or by one request for many keys."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.rocksdb import COMPRESSIONS, FOLDER, MOST_BLOCK
from imgstore_tui.backends.rocksdb.layout import BLOCK, GONE, LABELS, MANIFEST, key_of, labels_key, name_key
from imgstore_tui.backends.rocksdb.read_only import open_database
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import IdSpan, foreign, image_bytes, is_count, read_manifest
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.checked_reader import LiveIdsReader
from imgstore_tui.storekit.names_file import decode_names, require_names
from imgstore_tui.storekit.store_errors import damaged_error, layout_error, require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_TOGETHER = 2**24
"""Bytes of one request, at most: the library makes a copy of each value."""


class RocksdbReader(LiveIdsReader):
    """Copies values into the caller's memory; blocks of labels stay in memory once read."""

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, location / FOLDER
        self._database: Any = open_database(location)
        self._labels: dict[int, Labels] = {}
        try:
            text = self._get([MANIFEST])[0]
            if text is None:
                raise foreign("rocksdb", location)
            self.content, self.manifest = read_manifest(text, "rocksdb", location)
            next_id = next_id_in(self.manifest, self.content, location)
            deleted = (self._get([GONE])[0] or b"") if next_id != self.content.count else b""
            if len(deleted) % 8:
                raise self._damaged("what it says of deleted images makes no sense")
            deleted_ids = np.frombuffer(deleted, "<i8").astype(np.int64) if deleted else None
            self.live_ids = LiveIds.of(location, self.content, next_id, deleted_ids)
        except BaseException:
            self.close()
            raise

    def layout(self) -> Mapping[str, Any]:
        """Return the options of the tables; raises StoreError if they are impossible."""
        compression, block = self.manifest.get("compression"), self.manifest.get("block")
        if compression not in COMPRESSIONS or not is_count(block) or not 0 < block <= MOST_BLOCK:
            raise layout_error(self._location)
        return {"compression": compression, "block": block}

    def _damaged(self, why: str) -> StoreError:
        return damaged_error(self.path, why)

    def _get(self, keys: list[bytes]) -> list[bytes | None]:
        database = require_open(self._database, self._location, "read")
        try:
            values: list[bytes | None] = database.get(keys) if len(keys) > 1 else [database.get(keys[0])]
        except Exception as error:
            raise self._damaged(first_line(error)) from None
        return values

    def _values(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[bytes]:
        if span is not None and len(ids) > 1:
            yield from self._scan(span[0], len(ids))
            return
        mean = self.content.payload_bytes // max(1, self.content.count)
        step = max(1, _TOGETHER // max(1, mean))
        for first in range(0, len(ids), step):
            part = ids[first : first + step]
            for number, value in zip(part, self._get([key_of(number) for number in part]), strict=True):
                if value is None:
                    raise self._damaged(f"image {number} is missing in it")
                yield value

    def _scan(self, first: int, count: int) -> Iterator[bytes]:
        """Yield the values of ``count`` consecutive ids."""
        number = first
        items = require_open(self._database, self._location, "read").items(from_key=key_of(first))
        try:
            for key, value in itertools.islice(items, count):
                if key != key_of(number):
                    break
                yield value
                number += 1
        except Exception as error:
            raise self._damaged(first_line(error)) from None
        if number != first + count:
            self._get([key_of(number)])  # the iterator ends silently at what cannot be read; this raises the reason
            raise self._damaged(f"image {number} is missing in it")

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy one value per id into the caller's array."""
        size, at, pixels = image_bytes(self.content), 0, out.data.cast("B")
        for value in self._values(ids, span):
            if len(value) != size:
                raise self._damaged(f"an image in it has {len(value)} bytes, not {size}")
            pixels[at : at + size] = value
            at += size
        self._fill_labels(ids, labels)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return one value per id."""
        payloads = list(self._values(ids, span))
        self._fill_labels(ids, labels)
        return payloads

    def _fill_labels(self, ids: Sequence[int], labels: Labels) -> None:
        blocks, rows = np.divmod(np.asarray(ids, np.int64), BLOCK)
        needed = np.unique(blocks).tolist()
        missing = [block for block in needed if block not in self._labels]
        if missing:
            for block, value in zip(missing, self._get([labels_key(block) for block in missing]), strict=True):
                self._keep(block, value)
        for block in needed:
            in_block = blocks == block
            labels[in_block] = self._labels[block][rows[in_block]]

    def _keep(self, block: int, value: bytes | None) -> None:
        length = min(BLOCK, self.live_ids.next_id - block * BLOCK)
        if value is None or len(value) != 8 * length:
            raise self._damaged(f"labels from {block * BLOCK} on are not what they should be")
        self._labels[block] = np.frombuffer(value, "<i8").astype(np.int64)

    def all_labels(self) -> Labels:
        """Return one label per id ever used as an owned int64 array; 0 for deleted ids."""
        blocks = -(-self.live_ids.next_id // BLOCK)
        try:
            items = itertools.islice(
                require_open(self._database, self._location, "read").items(from_key=LABELS), blocks
            )
            values = {key: value for key, value in items}  # noqa: C416 - the library's iterator is no mapping
        except StoreError:
            raise
        except Exception as error:
            raise self._damaged(first_line(error)) from None
        if len(values) < blocks:
            self._get([labels_key(len(values))])
        for block in range(blocks):
            self._keep(block, values.get(labels_key(block)))
        return np.concatenate([np.zeros(0, np.int64), *(self._labels[block] for block in range(blocks))])

    def read_labels(self) -> Labels:
        """Read the blocks of labels, whose keys are consecutive."""
        return self.live_ids.without_deleted(self.all_labels())

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Return the names of images, by one request."""
        require_names(self.content)
        self._check_ids(ids)
        values = self._get([name_key(int(number)) for number in ids]) if len(ids) else []
        names = [value for value in values if value is not None]
        if len(names) < len(values):
            raise self._damaged("names of images are missing in it")
        return decode_names(self._location, names)

    def close(self) -> None:
        """Close the database."""
        database, self._database = self._database, None
        if database is not None:
            with contextlib.suppress(Exception):
                database.close()
