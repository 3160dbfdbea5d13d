"""Writes a MySQL store: the table first, then its rows and what it holds in one transaction."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.backends.mysql.connection import Connection, driver_errors, table
from imgstore_tui.backends.mysql.layout import (
    INSERT_ONE,
    NAME,
    claim,
    create_statement,
    most_bytes,
    put_manifest,
    statements,
    too_large,
)
from imgstore_tui.core.backend import Content
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.manifest import check_complete, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadWriter
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class MysqlWriter(PayloadWriter):
    """Inserts a batch by one statement. Until the last commit the store says that it is unfinished."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, content: Content, sync: SyncLevel) -> None:
        self._location, self._content = location, content
        self._each, self._put, self._whole = sync is SyncLevel.BATCH, 0, False
        self._one_by_one = not backend.values["batch"]
        create = create_statement(location, index=bool(backend.values["index"]))
        self._connection: Connection | None = Connection(backend, location, binary=True)
        self._made = False
        try:
            with driver_errors(location, "made"):
                claim(self._connection, location)
                self._most = most_bytes(self._connection)
                self._connection.query(create)
                self._made = True
                self._connection.query("BEGIN")
                self.requests = 6
        except BaseException:
            self.abort()
            raise

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        connection = require_open(self._connection, self._location, "put")
        rows = list(zip(map(int, ids), labels.tolist(), payloads, strict=True))
        with driver_errors(self._location, "written"):
            if self._one_by_one:
                self._insert_one_by_one(connection, rows)
            else:
                for statement in statements(connection, self._location, rows, self._most):
                    connection.query(statement)
                    self.requests += 1
            self._put += len(ids)
            if self._each:
                connection.query("COMMIT")
                connection.query("BEGIN")
                self.requests += 2
                self.syncs += 1

    def _insert_one_by_one(self, connection: Connection, rows: Sequence[tuple[int, int, bytes | memoryview]]) -> None:
        statement = INSERT_ONE.format(table=table(self._location))
        for number, label, data in rows:
            value = bytes(data)
            if 2 * len(value) + 256 > self._most:
                # The driver writes two characters for each of these.
                escaped = len(value) + sum(value.count(byte) for byte in b"\0\n\r\x1a\"'\\")
                if escaped + 256 > self._most:
                    raise too_large(self._location, len(value), self._most)
            connection.query(statement, [number, label, value])
            self.requests += 1

    def close(self) -> None:
        """Put what the store says of itself, and commit."""
        if self._connection is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            with driver_errors(self._location, "written"):
                put_manifest(self._connection, self._location, write_manifest(NAME, self._content))
                self._connection.query("COMMIT")
            self._whole = True
            self.requests += 2
            self.syncs += self._each
        finally:
            self.abort()

    def abort(self) -> None:
        """Take back what is not whole, the table included, and close the connection."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._made and not self._whole:
            # Where the server has gone the table stays, unfinished, and is removed with the run's leftovers.
            with contextlib.suppress(ImgstoreError), driver_errors(self._location, "removed"):
                connection.query("ROLLBACK")
                connection.query(f"DROP TABLE {table(self._location)}")
        connection.close()
