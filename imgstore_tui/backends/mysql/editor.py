"""Changes a MySQL store, in transactions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from imgstore_tui.backends.mysql.connection import Connection, driver_errors, table
from imgstore_tui.backends.mysql.layout import NAME, claim, look_at, most_bytes, put_manifest, statements
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class MysqlEditor(PayloadEditor):
    """One transaction from opening to closing; where each call must be durable, one a call."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._location, self._each, self._changed = location, sync is SyncLevel.BATCH, False
        table(location)
        self._connection: Connection | None = Connection(backend, location, binary=True)
        try:
            with driver_errors(location, "changed"):
                claim(self._connection, location)
                self.content, self._live_ids = look_at(self._connection, location)
                self._most = most_bytes(self._connection)
                self._connection.query("BEGIN")
                self.requests = 6
        except BaseException:
            self.abort()
            raise

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        appends = self._live_ids.is_append(self._location, ids)
        connection = require_open(self._connection, self._location, "change")
        rows = list(zip(map(int, ids), labels.tolist(), payloads, strict=True))
        with driver_errors(self._location, "changed"):
            for statement in statements(connection, self._location, rows, self._most, replace=not appends):
                connection.query(statement)
                self.requests += 1
            if appends:
                self._live_ids.grow(len(ids))
            self._note()

    def delete(self, ids: Sequence[int]) -> None:
        """Delete rows; the server uses their room again for other rows of the table."""
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        connection = require_open(self._connection, self._location, "change")
        with driver_errors(self._location, "changed"):
            chosen = ",".join(str(int(number)) for number in ids)
            connection.query(f"DELETE FROM {table(self._location)} WHERE id IN ({chosen})")  # noqa: S608 - quoted
            self.requests += 1
            self._live_ids.delete(ids)
            self._note()

    def _note(self) -> None:
        self._changed = True
        if self._each:
            self._commit()
            require_open(self._connection, self._location, "change").query("BEGIN")
            self.requests += 1

    def _commit(self) -> None:
        """Let the store say what it holds, in the same transaction."""
        content = replace(self.content, count=self._live_ids.count)
        connection = require_open(self._connection, self._location, "change")
        put_manifest(connection, self._location, write_manifest(NAME, content, next=self._live_ids.next_id))
        connection.query("COMMIT")
        self.content, self._changed = content, False
        self.requests += 2
        self.syncs += self._each

    def close(self) -> None:
        """Commit, and close the connection."""
        try:
            if self._connection is not None and self._changed:
                with driver_errors(self._location, "changed"):
                    self._commit()
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connection, which takes back what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
