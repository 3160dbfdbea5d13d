"""Changes a PostgreSQL store, in transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from imgstore_tui.backends.postgres.connection import connect, driver_errors, table_beside_values
from imgstore_tui.backends.postgres.layout import NAME, REPLACE, claim, look_at, put_rows, set_comment
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.transaction_editor import TransactionEditor

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class PostgresEditor(TransactionEditor[psycopg.Connection[tuple[Any, ...]]]):
    """Copies rows in, or replaces them by one statement; the table's comment changes in the same transaction."""

    _backend_name = NAME
    _errors = staticmethod(driver_errors)

    def __init__(self, backend: ServerBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._location, self._each = location, sync is SyncLevel.BATCH
        commit = "off" if sync is SyncLevel.BUFFERED else "on"
        self._begin = sql.SQL(f"BEGIN; SET LOCAL synchronous_commit = {commit}")
        self._connection = connect(backend, location)
        try:
            with driver_errors(location, "changed"):
                claim(self._connection, location)
                self.content, _, self._live_ids = look_at(self._connection, location)
                self._connection.execute(self._begin)
                self.requests = 3
        except BaseException:
            self.abort()
            raise

    def _put_rows(
        self, connection: Connection, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels,
        *, replace_rows: bool,
    ) -> None:  # fmt: skip
        if replace_rows:
            statement = REPLACE.format(table=table_beside_values(self._location))
            with connection.cursor() as cursor:
                cursor.executemany(statement, list(zip(ids, labels.tolist(), payloads, strict=True)))
        else:
            put_rows(connection, self._location, ids, payloads, labels)
        self.requests += 1

    def _delete_rows(self, connection: Connection, ids: Sequence[int]) -> None:
        statement = sql.SQL("DELETE FROM {table} WHERE id = ANY(%b)").format(table=table_beside_values(self._location))
        connection.execute(statement, [[int(number) for number in ids]])
        self.requests += 1

    def _commit_manifest(self, connection: Connection, manifest: str, *, more: bool) -> None:
        statements = [set_comment(self._location, manifest), sql.SQL("COMMIT"), *([self._begin] if more else [])]
        connection.execute(sql.SQL("; ").join(statements))
        self.requests += 1
