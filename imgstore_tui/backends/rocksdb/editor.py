"""Changes a database: each call is one atomic batch that includes labels and manifest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.rocksdb import FOLDER
from imgstore_tui.backends.rocksdb.layout import (
    BLOCK,
    GONE,
    MANIFEST,
    database_of,
    key_of,
    label_items,
    name_items,
    name_key,
    options_for,
)
from imgstore_tui.backends.rocksdb.reader import RocksdbReader
from imgstore_tui.core.backend import Editor, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_batch, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.store_errors import write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class RocksdbEditor(Editor):
    """Writes one batch per call through the log, and flushes memory into a table at the end."""

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        with RocksdbReader(location) as reader:  # which validates the store
            self.content, self._live_ids, self._layout = reader.content, reader.live_ids, reader.layout()
            self._labels = reader.all_labels()
        import rocksdict

        self._location = location
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._changed = False
        self._names: list[tuple[bytes, bytes]] = []
        """Items of the names that the next batch takes."""
        self._tables = set(_tables(location))
        self._write_options = rocksdict.WriteOptions()
        self._write_options.sync = self._sync_each_batch
        options = options_for(self._layout)
        options.create_if_missing(False)
        try:
            self._database: Any = rocksdict.Rdict(database_of(location), options, {})
        except Exception as error:
            raise write_error(location / FOLDER, error) from None

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Put one value per payload."""
        check_batch(self._location, self.content, ids, payloads, labels)
        self._put(ids, payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Put one value per image."""
        check_batch(self._location, self.content, ids, images, labels)
        self._put(ids, (image.tobytes() for image in images), labels)

    def _put(self, ids: Sequence[int], values: Iterable[bytes], labels: Labels) -> None:
        if not len(ids):
            return
        batch, names = self._batch(), self._names
        appends = self._live_ids.is_append(self._location, ids)
        if appends and self.content.name_bytes and len(names) != len(ids):
            raise missing_names(self._location, len(ids) - len(names))
        self._names = []
        for key, name in names:
            batch[key] = name
        if appends:
            self._live_ids.grow(len(ids))
            self._labels = np.concatenate([self._labels, labels])
        else:
            self._labels[list(ids)] = labels
        for number, value in zip(ids, values, strict=True):
            batch[key_of(number)] = value
        self._write(batch, ids)

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Keep names for the batch that puts their images."""
        self._names = name_items(self._location, self.content, ids, names)

    def delete(self, ids: Sequence[int]) -> None:
        """Delete keys; their values are removed when tables are merged."""
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        batch = self._batch()
        for number in ids:
            del batch[key_of(number)]
            if self.content.name_bytes:
                del batch[name_key(number)]
        self._live_ids.delete(ids)
        self._labels[list(ids)] = 0
        batch[GONE] = self._live_ids.deleted.astype("<i8").tobytes()
        self._write(batch, ids)

    def _batch(self) -> Any:
        if self._database is None:
            raise StoreError(f"{self._location} is closed: nothing more can be changed.")
        import rocksdict

        return rocksdict.WriteBatch(raw_mode=True)

    def _write(self, batch: Any, ids: Sequence[int]) -> None:
        content = replace(self.content, count=self._live_ids.count)
        manifest = write_manifest("rocksdb", content, **self._layout, next=self._live_ids.next_id)
        batch[MANIFEST] = manifest.encode("utf-8")
        blocks = np.unique(np.asarray(ids, np.int64) // BLOCK).tolist()
        for key, value in label_items(self._labels, blocks):
            batch[key] = value
        try:
            self._database.write(batch, self._write_options)
        except Exception as error:
            raise write_error(self._location / FOLDER, error) from None
        self.content, self._changed = content, True
        self.syncs += self._sync_each_batch

    def changed_paths(self) -> Iterable[Path]:
        """Return all files but the tables that existed before, which never change, and the folder."""
        new = [path for path in sorted((self._location / FOLDER).iterdir()) if path not in self._tables]
        return [*new, self._location / FOLDER]

    def close(self) -> None:
        """Flush memory into a table, and close the database."""
        database = self._database
        if database is None:
            return
        try:
            if self._changed:
                database.flush()
            self._database = None
            database.close()
            if self._sync_each_batch:
                force(self._location / FOLDER)
                self.syncs += 1
        except Exception as error:
            raise write_error(self._location / FOLDER, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the database; every call that returned has taken effect."""
        database, self._database = self._database, None
        if database is not None:
            with contextlib.suppress(Exception):
                database.close()


def _tables(location: Path) -> list[Path]:
    with os.scandir(location / FOLDER) as entries:
        return [Path(entry.path) for entry in entries if entry.name.endswith(".sst")]
