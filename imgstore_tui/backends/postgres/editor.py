"""Changes a PostgreSQL store, in transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql

from imgstore_tui.backends.postgres.connection import connect, driver_errors, table_beside_values
from imgstore_tui.backends.postgres.layout import NAME, REPLACE, claim, look_at, put_rows, set_comment
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class PostgresEditor(PayloadEditor):
    """One transaction from opening to closing; where each call must be durable, one a call."""

    _location: ServerLocation

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

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        appends = self._live_ids.is_append(self._location, ids)
        connection = require_open(self._connection, self._location, "change")
        with driver_errors(self._location, "changed"):
            if appends:
                put_rows(connection, self._location, ids, payloads, labels)
            else:
                statement = REPLACE.format(table=table_beside_values(self._location))
                with connection.cursor() as cursor:
                    cursor.executemany(statement, list(zip(ids, labels.tolist(), payloads, strict=True)))
            self.requests += 1
            if appends:
                self._live_ids.grow(len(ids))
            self._note()

    def delete(self, ids: Sequence[int]) -> None:
        """Delete rows; the server uses their room again once it has vacuumed."""
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        connection = require_open(self._connection, self._location, "change")
        with driver_errors(self._location, "changed"):
            statement = sql.SQL("DELETE FROM {table} WHERE id = ANY(%b)").format(
                table=table_beside_values(self._location)
            )
            connection.execute(statement, [[int(number) for number in ids]])
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
        require_open(self._connection, self._location, "change").execute(sql.SQL("; ").join(statements))
        self.content, self._changed = content, False
        self.requests += 1
        self.syncs += self._each

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
