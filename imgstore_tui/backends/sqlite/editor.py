"""Changes an SQLite store in transactions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.backends.sqlite import FILE, JOURNAL
from imgstore_tui.backends.sqlite.layout import PUT, PUT_NAME, check_names, name_rows, rows
from imgstore_tui.backends.sqlite.reader import SqliteReader
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.one_file import beside, file_of
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_SYNCS_PER_COMMIT = 4
"""Sync calls of a commit: SQLite forces the journal twice, then the file, then the folder of the removed journal."""


class SqliteEditor(PayloadEditor):
    """Changes rows in one transaction, or in one per call if each must be durable."""

    _location: Path

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        self._location, self._path = location, file_of(location, FILE)
        _recover(self._path)
        with SqliteReader(location) as reader:
            self.content, self._layout, self._live_ids = reader.content, reader.layout, reader.live_ids
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._changed = False
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(self._path, isolation_level=None, timeout=0)
            self._connection.execute("PRAGMA trusted_schema=OFF")
            self._connection.execute(f"PRAGMA synchronous={'EXTRA' if self._sync_each_batch else 'OFF'}")
            self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            self._release()
            raise write_error(self._path, error) from None

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        statement = PUT
        appends = self._live_ids.is_append(self._location, ids)
        if not appends:
            statement = PUT.replace("INSERT", "REPLACE", 1)
        try:
            require_open(self._connection, self._location, "change").executemany(statement, rows(ids, payloads, labels))
        except (sqlite3.Error, OverflowError) as error:
            raise write_error(self._path, error) from None
        if appends:
            self._live_ids.grow(len(ids))
        self._changes_done()

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Insert or replace one row per name."""
        rows = name_rows(self._location, self.content, ids, names)
        try:
            require_open(self._connection, self._location, "change").executemany(PUT_NAME, rows)
        except sqlite3.Error as error:
            raise write_error(self._path, error) from None

    def delete(self, ids: Sequence[int]) -> None:
        """Delete rows; their pages are reused."""
        self._live_ids.check_each_once(self._location, ids)
        try:
            connection, rows = require_open(self._connection, self._location, "change"), [(number,) for number in ids]
            connection.executemany("DELETE FROM images WHERE id = ?", rows)
            if self.content.name_bytes:
                connection.executemany("DELETE FROM names WHERE id = ?", rows)
        except sqlite3.Error as error:
            raise write_error(self._path, error) from None
        self._live_ids.delete(ids)
        if len(ids):
            self._changes_done()

    def _changes_done(self) -> None:
        self._changed = True
        if self._sync_each_batch:
            self._commit(more=True)

    def _commit(self, *, more: bool) -> None:
        """Update the manifest in the same transaction, and commit."""
        connection = require_open(self._connection, self._location, "change")
        content = replace(self.content, count=self._live_ids.count)
        manifest = write_manifest("sqlite", content, **self._layout, next=self._live_ids.next_id)
        check_names(connection, self._location, content)
        try:
            connection.execute("UPDATE manifest SET text = ?", (manifest,))
            connection.execute("COMMIT")
            self.content, self._changed = content, False
            self.syncs += _SYNCS_PER_COMMIT * self._sync_each_batch
            if more:
                connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise write_error(self._path, error) from None

    def changed_paths(self) -> Iterable[Path]:
        """Return the file, and the folder in which the journal was created and removed."""
        return [self._path, self._path.parent]

    def close(self) -> None:
        """Commit, and close the file."""
        try:
            if self._connection is not None and self._changed:
                self._commit(more=False)
        finally:
            self._release()

    def abort(self) -> None:
        """Roll back what was not committed, and close the file."""
        self._release()

    def _release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            connection.close()


def _recover(path: Path) -> None:
    """Let SQLite roll back the transaction of a process that died, if there is one."""
    if not path.is_file() or not beside(path, JOURNAL).exists():
        return
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        with contextlib.closing(connection):
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    except sqlite3.Error as error:
        raise write_error(path, error) from None
