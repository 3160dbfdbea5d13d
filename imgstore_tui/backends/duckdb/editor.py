"""Changes a DuckDB store in transactions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from imgstore_tui.backends.duckdb import FILE
from imgstore_tui.backends.duckdb.layout import attach, check_names, put_images, put_names, with_rows
from imgstore_tui.backends.duckdb.reader import DuckdbReader
from imgstore_tui.core.backend import Editor
from imgstore_tui.core.manifest import check_batch, image_bytes, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.one_file import file_of
from imgstore_tui.storekit.store_errors import require_open, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


_TRANSACTION_BYTES = 2**25
"""A transaction with more than this is committed: it keeps its changes in memory."""


class DuckdbEditor(Editor):
    """Changes rows in one transaction, or in several if one would take too much memory; at most one per call."""

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        with DuckdbReader(location) as reader:
            self.content, self._part, self._live_ids = reader.content, reader.part, reader.live_ids
        self._location, self._path = location, file_of(location, FILE)
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._changed, self._pending = False, 0
        self._connection: Any = None
        try:
            self._connection = attach(self._path, logged=True, forced=self._sync_each_batch)
            self._connection.execute("BEGIN")
        except duckdb.Error as error:
            self._release()
            raise write_error(self._path, error) from None

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Insert or replace the parts of payloads."""
        check_batch(self._location, self.content, ids, payloads, labels)
        self._put(ids, np.fromiter(map(len, payloads), np.int64, len(payloads)), payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Insert or replace the parts of images."""
        check_batch(self._location, self.content, ids, images, labels)
        if len(ids):
            self._put(ids, np.full(len(ids), image_bytes(self.content)), images, labels)

    def _put(self, ids: Sequence[int], sizes: Labels, images: Any, labels: Labels) -> None:
        if not len(ids):
            return
        connection = require_open(self._connection, self._location, "change")
        appends = self._live_ids.is_append(self._location, ids)
        try:
            if not appends:
                _delete_rows(connection, ids)
            put_images(connection, ids, sizes, images, labels, self._part)
        except (duckdb.Error, pa.ArrowException) as error:
            raise write_error(self._path, error) from None
        if appends:
            self._live_ids.grow(len(ids))
        self._changes_done(int(sizes.sum()))

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Insert or replace one row per name."""
        connection = require_open(self._connection, self._location, "change")
        try:
            put_names(connection, self._location, self.content, ids, names)
        except (duckdb.Error, pa.ArrowException) as error:
            raise write_error(self._path, error) from None

    def delete(self, ids: Sequence[int]) -> None:
        """Delete rows; their space is reused once a whole row group is deleted."""
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        try:
            connection = require_open(self._connection, self._location, "change")
            _delete_rows(connection, ids, *(("names",) if self.content.name_bytes else ()))
        except duckdb.Error as error:
            raise write_error(self._path, error) from None
        self._live_ids.delete(ids)
        self._changes_done(0)

    def _changes_done(self, size: int) -> None:
        self._changed = True
        self._pending += size
        if self._sync_each_batch or self._pending >= _TRANSACTION_BYTES:
            self._commit()
            require_open(self._connection, self._location, "change").execute("BEGIN")

    def _commit(self) -> None:
        """Update the manifest in the same transaction, and commit."""
        connection = require_open(self._connection, self._location, "change")
        content = replace(self.content, count=self._live_ids.count)
        check_names(connection, self._location, content)
        manifest = write_manifest("duckdb", content, part=self._part, next=self._live_ids.next_id)
        try:
            connection.execute("UPDATE manifest SET text = ?", (manifest,))
            connection.execute("COMMIT")
        except duckdb.Error as error:
            raise write_error(self._path, error) from None
        self.content, self._changed, self._pending = content, False, 0
        self.syncs += self._sync_each_batch

    def changed_paths(self) -> Iterable[Path]:
        """Return the file, and the folder in which the log was created and removed."""
        return [self._path, self._path.parent]

    def close(self) -> None:
        """Commit, merge the log into the file, and close it."""
        connection = self._connection
        if connection is None:
            return
        try:
            if self._changed:
                self._commit()
            else:
                connection.execute("ROLLBACK")
            connection.execute("CHECKPOINT store")
        except duckdb.Error as error:
            raise write_error(self._path, error) from None
        finally:
            self._release()

    def abort(self) -> None:
        """Roll back what was not committed, and close the file."""
        if self._connection is not None:
            with contextlib.suppress(duckdb.Error):
                self._connection.execute("ROLLBACK")
        self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(duckdb.Error):
                connection.close()


def _delete_rows(connection: Any, ids: Sequence[int], *more: str) -> None:
    with with_rows(connection, pa.table({"id": pa.array(np.asarray(ids, np.int64))})) as name:
        for table in ("parts", "images", *more):
            connection.execute(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {name})")  # noqa: S608 - our names
