"""Changes a MySQL store, in transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.backends.mysql.connection import Connection, driver_errors, table
from imgstore_tui.backends.mysql.layout import NAME, claim, look_at, most_bytes, put_manifest, statements
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.transaction_editor import TransactionEditor

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class MysqlEditor(TransactionEditor[Connection]):
    """Puts rows by statements of many; the row of the manifest changes in the same transaction."""

    _backend_name = NAME
    _errors = staticmethod(driver_errors)

    def __init__(self, backend: ServerBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._location, self._each = location, sync is SyncLevel.BATCH
        table(location)
        self._connection = Connection(backend, location, binary=True)
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

    def _put_rows(
        self, connection: Connection, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels,
        *, replace_rows: bool,
    ) -> None:  # fmt: skip
        rows = list(zip(map(int, ids), labels.tolist(), payloads, strict=True))
        for statement in statements(connection, self._location, rows, self._most, replace=replace_rows):
            connection.query(statement)
            self.requests += 1

    def _delete_rows(self, connection: Connection, ids: Sequence[int]) -> None:
        chosen = ",".join(str(int(number)) for number in ids)
        connection.query(f"DELETE FROM {table(self._location)} WHERE id IN ({chosen})")  # noqa: S608 - it is quoted
        self.requests += 1

    def _commit_manifest(self, connection: Connection, manifest: str, *, more: bool) -> None:
        put_manifest(connection, self._location, manifest)
        connection.query("COMMIT")
        if more:
            connection.query("BEGIN")
        self.requests += 2 + more
