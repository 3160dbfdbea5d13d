"""Puts rows into a table: those of one partition by one request, as large as the server takes, several at a time."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.cassandra import driver
from imgstore_tui.backends.cassandra.layout import PIECE_BYTES, insert_text

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra.driver import Call, Session
    from imgstore_tui.backends.cassandra.layout import Table
    from imgstore_tui.core.backend import Labels

_AT_ONCE = 8
"""Requests on their way: enough to keep a node busy."""
_ROW_BYTES = 64
"""About what a row takes beside its payload."""
_SHARE_OF_LIMIT = 0.8
_LARGEST_BATCH = 128 * 1024
_DEFAULT_LIMIT = 50 * 1024
_LIMIT = "SELECT value FROM system_views.settings WHERE name = 'batch_size_fail_threshold'"
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_FIRST_PARTS = 2**30


def batch_bytes(session: Session) -> int:
    """Return how many bytes a batch may have: less than the server's own limit, where it may be asked for that."""
    limit = _DEFAULT_LIMIT
    try:
        rows = session.execute(_LIMIT)
    except driver.ERRORS as error:
        if driver.cause(error) is driver.Cause.GONE:
            raise
        rows = []
    if rows and rows[0][0]:
        number = rows[0][0].rstrip("BGiKM")
        limit = int(number) * _UNITS.get(rows[0][0][len(number) :], 1) if number.isdigit() else limit
    return min(_LARGEST_BATCH, int(limit * _SHARE_OF_LIMIT))


class RowWriter:
    """Puts and deletes the rows of images."""

    def __init__(self, session: Session, table: Table, bucket: int, *, one_by_one: bool) -> None:
        self._session, self._table, self._bucket = session, table, bucket
        self._one_by_one = one_by_one
        self._insert = None if one_by_one else session.prepare(insert_text(table, "?"))
        self._batch_bytes = 0 if one_by_one else batch_bytes(session)
        self._delete: Any = None
        self.largest = 0
        """Bytes of the largest payload that was put."""

    def put(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        """Put one image a payload; the pieces of large ones come before their heads."""
        self.largest = max(self.largest, *map(len, payloads))
        rows: list[tuple[Any, ...]] = []
        pieces = []
        for number, label, payload in zip(ids, labels.tolist(), payloads, strict=True):
            bucket = int(number) // self._bucket
            if len(payload) <= PIECE_BYTES:
                rows.append((bucket, int(number), 0, label, bytes(payload), None, None))
                continue
            first, parts = random.randrange(1, _FIRST_PARTS), -(-len(payload) // PIECE_BYTES)  # noqa: S311
            pieces.append((bucket, int(number), payload, first))
            rows.append((bucket, int(number), 0, label, None, first, parts))
        if self._one_by_one:
            text = insert_text(self._table, "%s")
            for row in (*_rows_of(pieces), *rows):
                self._session.execute(text, row)
            return
        self._send((self._insert, row) for row in _rows_of(pieces))
        self._send(self._batches(rows))

    def _send(self, calls: Iterator[Call]) -> None:
        for _ in self._session.execute_all(calls, _AT_ONCE):
            pass

    def _batches(self, rows: Sequence[Sequence[Any]]) -> Iterator[Call]:
        """Yield requests, each with rows of one partition."""
        some: list[Sequence[Any]] = []
        size = 0
        for row in rows:
            row_size = len(row[4] or b"") + _ROW_BYTES
            if some and (some[0][0] != row[0] or size + row_size > self._batch_bytes):
                yield self._request(some)
                some, size = [], 0
            some.append(row)
            size += row_size
        if some:
            yield self._request(some)

    def _request(self, rows: Sequence[Sequence[Any]]) -> Call:
        return (self._insert, rows[0]) if len(rows) == 1 else (driver.unlogged_batch(self._insert, rows), None)

    def delete(self, ids: Sequence[int]) -> None:
        """Delete all rows of images."""
        if self._delete is None:
            text = f"DELETE FROM {self._table.cql} WHERE bucket = ? AND id = ?"  # noqa: S608 - a quoted name
            self._delete = self._session.prepare(text)
        self._send((self._delete, (int(number) // self._bucket, int(number))) for number in ids)


def _rows_of(pieces: Sequence[tuple[int, int, bytes | memoryview, int]]) -> Iterator[tuple[Any, ...]]:
    for bucket, number, payload, first in pieces:
        for part, start in enumerate(range(0, len(payload), PIECE_BYTES), first):
            yield bucket, number, part, None, bytes(payload[start : start + PIECE_BYTES]), None, None
