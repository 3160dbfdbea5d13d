"""Reads a PostgreSQL store in the server's binary form: a run of ids by a range, others by one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from psycopg import sql

from imgstore_tui.backends.postgres.connection import connect, driver_errors, table_beside_values
from imgstore_tui.backends.postgres.layout import look_at, numbers
from imgstore_tui.storekit.row_reader import Row, RowReader
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_RUN = "SELECT id, label, data FROM {table} WHERE id BETWEEN %b AND %b ORDER BY id"
_ONE = "SELECT id, label, data FROM {table} WHERE id = %s"
_MANY = "SELECT id, label, data FROM {table} WHERE id = ANY(%b)"
_LABELS = "SELECT label FROM {table} ORDER BY id"


class PostgresReader(RowReader):
    """Asks for a batch by one statement, prepared once; the connection can change nothing."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation) -> None:
        self._location, self._batch = location, bool(backend.values["batch"])
        name = table_beside_values(location)
        self._run_query, self._one_query, self._many_query = (
            sql.SQL(text).format(table=name) for text in (_RUN, _ONE, _MANY)
        )
        self._connection: Connection | None = connect(backend, location, read_only=True)
        try:
            self.content, _, self.live_ids = look_at(self._connection, location)
        except BaseException:
            self.close()
            raise
        self.requests = 1

    def _rows_between(self, first: int, last: int) -> list[Row]:
        return self._ask(self._run_query, [first, last])

    def _rows_of(self, ids: Sequence[int]) -> list[Row]:
        return self._ask(self._many_query, [list(ids)])

    def _row_of(self, number: int) -> list[Row]:
        return self._ask(self._one_query, [number])

    def _ask(self, query: sql.Composed, values: list[Any]) -> list[Row]:
        connection = require_open(self._connection, self._location, "read")
        self.requests += 1
        # Without batches as a first program asks: in text, and prepared when the driver finds it worth while.
        with driver_errors(self._location, "read"), connection.cursor(binary=self._batch) as cursor:
            rows: list[Row] = cursor.execute(query, values, prepare=self._batch or None).fetchall()
            return rows

    def read_labels(self) -> Labels:
        """Read the index alone."""
        connection = require_open(self._connection, self._location, "read")
        self.requests += 1
        with driver_errors(self._location, "read"):
            return numbers(connection, self._location, _LABELS, self.content.count)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
