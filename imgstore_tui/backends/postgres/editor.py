"""Changes a PostgreSQL store, in transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql

from imgstore_tui.backends.postgres.connection import connect, driver_errors, table_beside_values
from imgstore_tui.backends.postgres.layout import NAME, REPLACE, claim, cut, look_at, put_rows, set_comment
from imgstore_tui.core.backend import Editor
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_batch, image_bytes, write_manifest
from imgstore_tui.core.operations import SyncLevel

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels, Pixels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class PostgresEditor(Editor):
    """One transaction from opening to closing; where each call must be durable, one a call."""

    def __init__(self, backend: ServerBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._location, self._each, self._changed = location, sync is SyncLevel.BATCH, False
        commit = "off" if sync is SyncLevel.BUFFERED else "on"
        self._begin = sql.SQL(f"BEGIN; SET LOCAL synchronous_commit = {commit}")
        self._connection: Connection | None = connect(backend, location)
        try:
            with driver_errors(location, "changed"):
                claim(self._connection, location)
                self.content, _, self._live_ids = look_at(self._connection, location)
                self._connection.execute(self._begin)
                self.requests = 3
        except BaseException:
            self.abort()
            raise

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Insert or replace one row a payload."""
        check_batch(self._location, self.content, ids, payloads, labels)
        self._put(ids, payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Insert or replace one row an image."""
        check_batch(self._location, self.content, ids, images, labels)
        if len(ids):
            self._put(ids, cut(images, image_bytes(self.content)), labels)

    def _put(self, ids: Sequence[int], values: Sequence[bytes | memoryview], labels: Labels) -> None:
        if not len(ids):
            return
        appends, connection = self._live_ids.is_append(self._location, ids), self._opened()
        with driver_errors(self._location, "changed"):
            if appends:
                put_rows(connection, self._location, ids, values, labels)
            else:
                statement = REPLACE.format(table=table_beside_values(self._location))
                with connection.cursor() as cursor:
                    cursor.executemany(statement, list(zip(ids, labels.tolist(), values, strict=True)))
            self.requests += 1
            if appends:
                self._live_ids.grow(len(ids))
            self._note()

    def delete(self, ids: Sequence[int]) -> None:
        """Delete rows; the server uses their room again once it has vacuumed."""
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        with driver_errors(self._location, "changed"):
            statement = sql.SQL("DELETE FROM {table} WHERE id = ANY(%b)").format(
                table=table_beside_values(self._location)
            )
            self._opened().execute(statement, [[int(number) for number in ids]])
            self.requests += 1
            self._live_ids.delete(ids)
            self._note()

    def _note(self) -> None:
        self._changed = True
        if self._each:
            self._commit(more=True)

    def _commit(self, *, more: bool) -> None:
        """Let the comment say what is there, in the same transaction."""
        content = replace(self.content, count=self._live_ids.count)
        manifest = write_manifest(NAME, content, next=self._live_ids.next_id)
        statements = [set_comment(self._location, manifest), sql.SQL("COMMIT"), *([self._begin] if more else [])]
        self._opened().execute(sql.SQL("; ").join(statements))
        self.content, self._changed = content, False
        self.requests += 1
        self.syncs += self._each

    def _opened(self) -> Connection:
        if self._connection is None:
            raise StoreError(f"{self._location} is closed: nothing more can be changed.")
        return self._connection

    def close(self) -> None:
        """Commit, and close the connection."""
        try:
            if self._connection is not None and self._changed:
                with driver_errors(self._location, "changed"):
                    self._commit(more=False)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connection, which takes back what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
