"""Writes a PostgreSQL store: one transaction makes the table, fills it and says what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from psycopg import sql

from imgstore_tui.backends.postgres import MOST_BYTES
from imgstore_tui.backends.postgres.connection import connect, driver_errors, table, table_beside_values
from imgstore_tui.backends.postgres.layout import (
    CREATE,
    CREATE_BEFORE_16,
    INSERT,
    NAME,
    STORAGE_IN_CREATE,
    UNFINISHED,
    claim,
    put_rows,
    set_comment,
)
from imgstore_tui.core.backend import Content
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadWriter
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class PostgresWriter(PayloadWriter):
    """Copies a batch by one statement. Until the commit there is no table for anybody else; ``batch`` commits each."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, content: Content, sync: SyncLevel) -> None:
        self._location, self._content = location, content
        self._each, self._put = sync is SyncLevel.BATCH, 0
        self._one_by_one = not backend.values["batch"]
        commit = "off" if sync is SyncLevel.BUFFERED else "on"
        self._begin = sql.SQL(f"BEGIN; SET LOCAL synchronous_commit = {commit}")
        name = table(location)
        self._insert = INSERT.format(table=table_beside_values(location))
        self._connection: Connection | None = connect(backend, location)
        try:
            with driver_errors(location, "made"):
                claim(self._connection, location)
                new = self._connection.info.server_version >= STORAGE_IN_CREATE
                create = (CREATE if new else CREATE_BEFORE_16).format(
                    table=name,
                    storage=sql.SQL(str(backend.values["storage"]).upper()),
                    inline=sql.Literal(backend.values["inline"]),
                )
                self._connection.execute(sql.SQL("; ").join([self._begin, create]))
                self.requests = 2
                if self._each:
                    self._commit(UNFINISHED, more=True)
        except BaseException:
            self.abort()
            raise

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        if max(map(len, payloads)) > MOST_BYTES:
            raise StoreError(f"{self._location} takes payloads of at most {MOST_BYTES:,} bytes, the server's limit.")
        connection = require_open(self._connection, self._location, "put")
        with driver_errors(self._location, "written"):
            if self._one_by_one:
                for row in zip(ids, labels.tolist(), payloads, strict=True):
                    connection.execute(self._insert, row)
            else:
                put_rows(connection, self._location, ids, payloads, labels, frozen=not self._each)
            self.requests += len(ids) if self._one_by_one else 1
            self._put += len(ids)
            if self._each:
                self._commit(None, more=True)

    def _commit(self, comment: str | None, *, more: bool) -> None:
        statements: list[sql.Composable] = [] if comment is None else [set_comment(self._location, comment)]
        statements.append(sql.SQL("COMMIT"))
        if more:
            statements.append(self._begin)
        require_open(self._connection, self._location, "put").execute(sql.SQL("; ").join(statements))
        self.requests += 1
        self.syncs += self._each

    def close(self) -> None:
        """Write the manifest into the table's comment, and commit."""
        if self._connection is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            with driver_errors(self._location, "written"):
                self._commit(write_manifest(NAME, self._content), more=False)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connection, which takes back what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
