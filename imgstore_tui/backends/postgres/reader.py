"""Reads a PostgreSQL store in the server's binary form: a run of ids by a range, others by one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import sql

from imgstore_tui.backends.postgres.connection import connect, said, table
from imgstore_tui.backends.postgres.layout import incomplete, look_at, numbers
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, image_bytes
from imgstore_tui.storekit.checked_reader import LiveIdsReader

if TYPE_CHECKING:
    from imgstore_tui.backends.postgres.connection import Connection
    from imgstore_tui.core.backend import Labels, Pixels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_RUN = "SELECT id, label, data FROM {table} WHERE id BETWEEN %b AND %b ORDER BY id"
_ONE = "SELECT id, label, data FROM {table} WHERE id = %b"
_MANY = "SELECT id, label, data FROM {table} WHERE id = ANY(%b)"
_LABELS = "SELECT label FROM {table} ORDER BY id"


class PostgresReader(LiveIdsReader):
    """Asks for a batch by one statement, prepared once; the connection can change nothing."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation) -> None:
        self._location, self._batch = location, bool(backend.values["batch"])
        name = table(location)
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

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy one row an id straight into the caller's array."""
        size, at = image_bytes(self.content), 0
        pixels = out.data.cast("B")
        for position, (label, data) in enumerate(self._rows(ids, span)):
            if len(data) != size:
                raise StoreError(f"{self._location} is damaged: an image in it is not of {size} bytes.")
            pixels[at : at + size] = data
            labels[position] = label
            at += size

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return the value of one row an id."""
        payloads = []
        for position, (label, data) in enumerate(self._rows(ids, span)):
            labels[position] = label
            payloads.append(data)
        return payloads

    def _rows(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[tuple[int, bytes]]:
        """Yield label and value of one row an id, in the order of the ids."""
        with said(self._location, "read"):
            if not self._batch or len(ids) == 1:
                for number in ids:
                    yield from self._ask(self._one_query, [int(number)], 1)
            elif span is not None:
                yield from self._ask(self._run_query, [span[0], span[1] - 1], len(ids))
            else:
                wanted = list({int(number) for number in ids})
                rows = {row[0]: row[1:] for row in self._rows_of(self._many_query, [wanted])}
                if len(rows) != len(wanted):
                    raise incomplete(self._location)
                yield from (rows[number] for number in ids)

    def _ask(self, query: sql.Composed, values: list[Any], count: int) -> list[tuple[int, bytes]]:
        rows = [row[1:] for row in self._rows_of(query, values)]
        if len(rows) != count:
            raise incomplete(self._location)
        return rows

    def _rows_of(self, query: sql.Composed, values: list[Any]) -> list[tuple[int, int, bytes]]:
        self.requests += 1
        with self._opened().cursor(binary=True) as cursor:
            rows: list[tuple[int, int, bytes]] = cursor.execute(query, values, prepare=True).fetchall()
            return rows

    def read_labels(self) -> Labels:
        """Read the index alone."""
        with said(self._location, "read"):
            self.requests += 1
            return numbers(self._opened(), self._location, _LABELS, self.content.count)

    def _opened(self) -> Connection:
        if self._connection is None:
            raise StoreError(f"{self._location} is closed: nothing can be read.")
        return self._connection

    def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
