"""Reads a Cassandra store: the images of one partition by one request, several requests at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.cassandra import driver
from imgstore_tui.backends.cassandra.connection import connect, driver_errors
from imgstore_tui.backends.cassandra.layout import incomplete, look_at, scan
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.payload_reader import Image, PayloadReader
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra.driver import Call, Row, Session
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_AT_ONCE = 16
_HELD_BYTES = 32 * 2**20
"""About what the answers hold that are on their way or wait."""
_LIST_LENGTH = 100
"""Ids of one request."""


class CassandraReader(PayloadReader):
    """Asks for the images of a partition by a range or a list, or for each image by a request of its own."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation) -> None:
        self._location, self._batch = location, bool(backend.values["batch"])
        self._session: Session | None = None
        session = connect(backend, location)
        try:
            with driver_errors(location, "read"):
                state = look_at(session, location)
                self._session, self._state = session, state
                self.content, self.live_ids = state.content, state.live_ids
                self._one, self._range, self._list = self._queries(session)
        except BaseException:
            session.close()
            raise
        answer = min(state.bucket_size, _LIST_LENGTH) * state.largest
        self._at_once = max(1, min(_AT_ONCE, _HELD_BYTES // max(1, answer)))
        self.requests = session.requests

    def _queries(self, session: Session) -> tuple[Any, Any, Any]:
        """Return the statements for one image, a range and a list."""
        head = f"SELECT id, part, label, data, first, parts FROM {self._state.table.cql} WHERE bucket = "  # noqa: S608
        pages = self._state.page_rows
        if not self._batch:
            return driver.simple(f"{head}%s AND id = %s", pages), None, None
        return (
            session.prepare(f"{head}? AND id = ?", pages),
            session.prepare(f"{head}? AND id >= ? AND id < ?", pages),
            session.prepare(f"{head}? AND id IN ?", pages),
        )

    def _images(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[Image]:
        """Yield one image an id, in any order."""
        session = require_open(self._session, self._location, "read")
        with driver_errors(self._location, "read"):
            yield from self._batch_of(session, ids, span) if self._batch else self._one_by_one(session, ids)
        self.requests = session.requests

    def _one_by_one(self, session: Session, ids: Sequence[int]) -> Iterator[tuple[int, int, bytes]]:
        for position, number in enumerate(ids):
            rows = session.execute(self._one, (int(number) // self._state.bucket_size, int(number)))
            images = list(self._assembled(rows))
            if len(images) != 1:
                raise incomplete(self._location)
            yield position, *images[0][1:]

    def _batch_of(self, session: Session, ids: Sequence[int], span: IdSpan | None) -> Iterator[tuple[int, int, bytes]]:
        positions: dict[int, list[int]] = {}
        for position, number in enumerate(ids):
            positions.setdefault(int(number), []).append(position)
        for rows in session.execute_all(self._calls(list(positions), span), self._at_once):
            for number, label, data in self._assembled(rows):
                for position in positions.pop(number, ()):
                    yield position, label, data
        if positions:
            raise incomplete(self._location)

    def _calls(self, wanted: Sequence[int], span: IdSpan | None) -> Iterator[Call]:
        """Yield one request a partition, for ids that are all different."""
        size = self._state.bucket_size
        if span is not None:
            for bucket in range(span[0] // size, (span[1] - 1) // size + 1):
                yield self._range, (bucket, max(span[0], bucket * size), min(span[1], (bucket + 1) * size))
            return
        by_bucket: dict[int, list[int]] = {}
        for number in wanted:
            by_bucket.setdefault(number // size, []).append(number)
        for bucket, numbers in by_bucket.items():
            for start in range(0, len(numbers), _LIST_LENGTH):
                some = numbers[start : start + _LIST_LENGTH]
                yield (self._one, (bucket, some[0])) if len(some) == 1 else (self._list, (bucket, some))

    def _assembled(self, rows: Sequence[Row]) -> Iterator[tuple[int, int, bytes]]:
        """Yield id, label and payload of each image; its head comes first, then its pieces by their numbers."""
        head: Row | None = None
        pieces: list[bytes] = []
        for row in (*rows, (None, 0, None, None, None, None)):
            number, part, _, data, _, _ = row
            if head is not None and number == head[0] and part:
                if head[4] is not None and head[4] <= part < head[4] + head[5]:
                    pieces.append(data)
                continue
            if head is not None:
                yield self._image(head, pieces)
            # Pieces without a head are of an image that was never finished, or that is being deleted.
            head, pieces = (row, []) if number is not None and not part else (None, [])

    def _image(self, head: Row, pieces: Sequence[bytes]) -> tuple[int, int, bytes]:
        number, _, label, data, first, parts = head
        if first is not None:
            data = b"".join(pieces) if len(pieces) == parts else None
        if label is None or data is None:
            raise incomplete(self._location)
        return number, label, bytes(data)

    def read_labels(self) -> Labels:
        """Ask for the labels alone; the server sends no payload."""
        session = require_open(self._session, self._location, "read")
        with driver_errors(self._location, "read"):
            _, labels = scan(session, self._state.table, self._location, self.live_ids.next_id, self._state.pending)
        if len(labels) != self.content.count:
            raise incomplete(self._location)
        self.requests = session.requests
        return labels

    def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
