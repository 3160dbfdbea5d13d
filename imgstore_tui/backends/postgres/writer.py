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
    cut,
    put_rows,
    set_comment,
)
from imgstore_tui.core.backend import Content, Writer
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, check_put, image_bytes, write_manifest
from imgstore_tui.core.operations import SyncLevel

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels, Pixels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class PostgresWriter(Writer):
    """Copies a batch by one statement. Until the commit there is no table for anybody else; ``batch`` commits each."""

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

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Copy one row a payload."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        if max(map(len, payloads), default=0) > MOST_BYTES:
            raise StoreError(f"{self._location} takes values of at most {MOST_BYTES:,} bytes, the server's limit.")
        if len(ids):
            self._insert_rows(ids, payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Copy one row an image, straight from the array's memory."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(ids):
            self._insert_rows(ids, cut(images, image_bytes(self._content)), labels)

    def _insert_rows(self, ids: Sequence[int], values: Sequence[bytes | memoryview], labels: Labels) -> None:
        connection = self._opened()
        with driver_errors(self._location, "written"):
            if self._one_by_one:
                for row in zip(ids, labels.tolist(), values, strict=True):
                    connection.execute(self._insert, row)
            else:
                put_rows(connection, self._location, ids, values, labels, frozen=not self._each)
            self.requests += len(ids) if self._one_by_one else 1
            self._put += len(ids)
            if self._each:
                self._commit(None, more=True)

    def _commit(self, comment: str | None, *, more: bool) -> None:
        statements: list[sql.Composable] = [] if comment is None else [set_comment(self._location, comment)]
        statements.append(sql.SQL("COMMIT"))
        if more:
            statements.append(self._begin)
        self._opened().execute(sql.SQL("; ").join(statements))
        self.requests += 1
        self.syncs += self._each

    def _opened(self) -> Connection:
        if self._connection is None:
            raise StoreError(f"{self._location} is closed: nothing more can be put.")
        return self._connection

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
