"""Reads a MySQL store: a run of ids by a range, others by one list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.backends.mysql.connection import Connection, driver_errors, table
from imgstore_tui.backends.mysql.layout import look_at, numbers
from imgstore_tui.storekit.row_reader import Row, RowReader
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_MOST_IDS = 1000
"""Ids of one list; a longer one takes the server as long as two."""


class MysqlReader(RowReader):
    """Asks for a batch by one statement."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation) -> None:
        self._location, self._batch = location, bool(backend.values["batch"])
        self._select = f"SELECT id, label, data FROM {table(location)} WHERE id "  # noqa: S608 - it is quoted
        self._connection: Connection | None = Connection(backend, location)
        try:
            self.content, self.live_ids = look_at(self._connection, location)
        except BaseException:
            self.close()
            raise
        self.requests = 4

    def _rows_between(self, first: int, last: int) -> list[Row]:
        return self._ask(f"BETWEEN {first} AND {last} ORDER BY id")

    def _rows_of(self, ids: Sequence[int]) -> list[Row]:
        rows: list[Row] = []
        for at in range(0, len(ids), _MOST_IDS):
            rows += self._ask(f"IN ({','.join(map(str, ids[at : at + _MOST_IDS]))})")
        return rows

    def _row_of(self, number: int) -> list[Row]:
        return self._ask(f"= {number}")

    def _ask(self, condition: str) -> list[Row]:
        connection = require_open(self._connection, self._location, "read")
        self.requests += 1
        with driver_errors(self._location, "read"):
            return list(connection.query(self._select + condition))

    def read_labels(self) -> Labels:
        """Read the labels alone, from their index."""
        connection = require_open(self._connection, self._location, "read")
        self.requests += 1
        with driver_errors(self._location, "read"):
            return numbers(connection, self._location, "label", self.content.count)

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
