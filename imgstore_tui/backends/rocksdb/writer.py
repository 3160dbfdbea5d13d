"""Writes a new database: tables in the order of their keys, or batches through the log."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.rocksdb import FOLDER
from imgstore_tui.backends.rocksdb.layout import (
    BLOCK,
    MANIFEST,
    database_of,
    key_of,
    label_items,
    name_items,
    options_for,
)
from imgstore_tui.core.backend import Content, Writer, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, check_put, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import OptionValue
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.store_errors import require_open, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_TABLE_BYTES = 64 * 2**20
"""A table ends after this many bytes, like RocksDB's own, so that a later change merges with no more than that."""
_BATCH_BYTES = 2**24
"""Bytes in a batch, at most: it is a copy in memory."""


class RocksdbWriter(Writer):
    """Puts images; ``close`` puts the labels and the manifest."""

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue], sync: SyncLevel) -> None:
        import rocksdict

        self._location, self._content = location, content
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._put = 0
        self._labels: list[Labels] = []
        self._names: list[tuple[bytes, bytes]] = []
        """Items of names, which are put at the end: their keys follow all others."""
        self._layout = {name: values[name] for name in ("compression", "block")}
        self._options = options_for(values)
        self._options.create_if_missing(True)
        self._write_options = rocksdict.WriteOptions()
        self._write_options.sync = self._sync_each_batch
        self._tables: TableFiles | None = None
        self._database: Any = None
        try:
            self._database = rocksdict.Rdict(database_of(location), self._options, {})
        except StoreError:
            raise
        except Exception as error:
            raise write_error(location / FOLDER, error) from None
        if values["bulk"] and not self._sync_each_batch:
            self._tables = TableFiles(location / FOLDER, self._options)

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Put one value per payload."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        self._add(ids, payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Put one value per image."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        self._add(ids, (image.tobytes() for image in images), labels)

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Keep the names for the end."""
        self._names += name_items(self._location, self._content, ids, names)

    def _add(self, ids: Sequence[int], values: Iterable[bytes], labels: Labels) -> None:
        database = require_open(self._database, self._location, "put")
        items = ((key_of(number), value) for number, value in zip(ids, values, strict=True))
        try:
            if self._tables is not None:
                self._tables.add(items)
            else:
                for batch in batches(items):
                    database.write(batch, self._write_options)
                    self.syncs += self._sync_each_batch
        except Exception as error:
            raise write_error(self._location / FOLDER, error) from None
        self._put += len(ids)
        self._labels.append(np.array(labels, np.int64))

    def close(self) -> None:
        """Ingest the tables, put the labels and the manifest, and flush memory into tables."""
        database = self._database
        if database is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            if self._content.name_bytes and len(self._names) != self._put:
                raise missing_names(self._location, self._put - len(self._names))
            if self._tables is not None:
                self._tables.ingest(database)
            labels = np.concatenate([np.zeros(0, np.int64), *self._labels])
            items = list(label_items(labels, range(-(-len(labels) // BLOCK))))
            manifest = write_manifest("rocksdb", self._content, **self._layout)
            for batch in batches([*items, *self._names, (MANIFEST, manifest.encode("utf-8"))]):
                database.write(batch, self._write_options)
                self.syncs += self._sync_each_batch
            database.flush()
            self._database = None
            database.close()
            if self._sync_each_batch:
                for folder in (self._location / FOLDER, self._location, self._location.parent):
                    force(folder)
                    self.syncs += 1
        except StoreError:
            raise
        except Exception as error:
            raise write_error(self._location / FOLDER, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the database; without the manifest it is not a store."""
        database, self._database = self._database, None
        if self._tables is not None:
            self._tables.drop()
        if database is not None:
            with contextlib.suppress(Exception):
                database.close()


class TableFiles:
    """Writes tables outside the database, which then ingests them whole."""

    def __init__(self, folder: Path, options: Any) -> None:
        self._folder, self._options = folder, options
        self._table: Any = None
        self._bytes = 0
        self._made: list[str] = []

    def add(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Add items whose keys follow those added before."""
        for key, value in items:
            if self._table is None:
                self._begin()
            self._table[key] = value
            self._bytes += len(value)
            if self._bytes >= _TABLE_BYTES:
                self._end()

    def _begin(self) -> None:
        import rocksdict

        path = os.fspath(self._folder / f"load-{len(self._made):06}.sst")
        self._table, self._bytes = rocksdict.SstFileWriter(self._options), 0
        self._table.open(path)
        self._made.append(path)

    def _end(self) -> None:
        table, self._table = self._table, None
        if table is not None:
            table.finish()

    def ingest(self, database: Any) -> None:
        """Let the database ingest the tables, which renames the files."""
        import rocksdict

        self._end()
        if self._made:
            ingest_options = rocksdict.IngestExternalFileOptions()
            ingest_options.set_move_files(True)
            database.ingest_external_file(self._made, ingest_options)

    def drop(self) -> None:
        """Release the open table, and remove files that were not ingested."""
        self._table = None
        for path in self._made:
            with contextlib.suppress(OSError):
                Path(path).unlink(missing_ok=True)


def batches(items: Iterable[tuple[bytes, bytes]]) -> Iterator[Any]:
    """Yield items in batches of at most 16 MiB."""
    import rocksdict

    batch, size = rocksdict.WriteBatch(raw_mode=True), 0
    for key, value in items:
        batch[key] = value
        size += len(value)
        if size >= _BATCH_BYTES:
            yield batch
            batch, size = rocksdict.WriteBatch(raw_mode=True), 0
    if len(batch):
        yield batch
