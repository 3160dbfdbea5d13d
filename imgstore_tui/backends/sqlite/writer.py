"""Writes an SQLite store."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.backends.sqlite.layout import NAMES, PUT, PUT_NAME, TABLES, check_names, name_rows, page_size, rows
from imgstore_tui.core.backend import Content, force
from imgstore_tui.core.manifest import check_complete, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import OptionValue
from imgstore_tui.storekit.atomic_write import publish
from imgstore_tui.storekit.one_file import partial_path
from imgstore_tui.storekit.payload_batches import PayloadWriter
from imgstore_tui.storekit.store_errors import require_open, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_CACHE_KIB = 2048
"""Size of the page cache: hardly a page is needed twice, and memory that is reused stays in the processor's cache."""


class SqliteWriter(PayloadWriter):
    """Inserts a batch by one call, without a journal: an incomplete file has a temporary name and is useless."""

    _location: Path

    def __init__(self, location: Path, content: Content, values: Mapping[str, OptionValue], sync: SyncLevel) -> None:
        self._location, self._content = location, content
        self._path = partial_path(location)
        self._layout = {"map": bool(values["map"]), "batch": bool(values["batch"])}
        self._one_by_one = not values["batch"]
        self._most = int(values["transaction"])
        self._sync_each_batch = sync is SyncLevel.BATCH
        self._put = self._pending = 0
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(self._path, isolation_level=None)
            for pragma in (
                f"page_size={page_size(content, str(values['page']))}",
                "journal_mode=OFF",
                "synchronous=OFF",
                "locking_mode=EXCLUSIVE",
                f"cache_size=-{_CACHE_KIB}",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.execute("BEGIN")
            for statement in (TABLES | NAMES if content.name_bytes else TABLES).values():
                self._connection.execute(statement)
        except sqlite3.Error as error:
            self.abort()
            raise write_error(self._path, error) from None

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Insert one row per name."""
        rows = name_rows(self._location, self._content, ids, names)
        try:
            require_open(self._connection, self._location, "put").executemany(PUT_NAME, rows)
        except sqlite3.Error as error:
            raise write_error(self._path, error) from None

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        connection = require_open(self._connection, self._location, "put")
        try:
            if self._one_by_one:
                for row in rows(ids, payloads, labels):
                    connection.execute(PUT, row)
            else:
                connection.executemany(PUT, rows(ids, payloads, labels))
            self._put += len(ids)
            self._pending += len(ids)
            if self._sync_each_batch or (self._most and self._pending >= self._most):
                connection.execute("COMMIT")
                connection.execute("BEGIN")
                self._pending = 0
            if self._sync_each_batch:
                force(self._path)
                self.syncs += 1
        except (sqlite3.Error, OSError, OverflowError) as error:
            raise write_error(self._path, error) from None

    def close(self) -> None:
        """Write the manifest, commit, and give the file its name, without which it is no store."""
        connection = self._connection
        if connection is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            check_names(connection, self._location, self._content)
            manifest = write_manifest("sqlite", self._content, **self._layout)
            connection.execute("INSERT INTO manifest VALUES (?)", (manifest,))
            connection.execute("COMMIT")
            self._connection = None
            connection.close()
            if self._sync_each_batch:
                force(self._path)
                self.syncs += 1
            self.syncs += publish(self._path, self._location, durable=self._sync_each_batch)
        except (sqlite3.Error, OSError) as error:
            raise write_error(self._path, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the file without giving it its name."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
