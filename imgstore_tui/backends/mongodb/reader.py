"""Reads a MongoDB store: a run of ids by a range, others by one list, payloads that no document holds from GridFS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.mongodb.connection import collection, connect, driver_errors
from imgstore_tui.backends.mongodb.layout import LargePayloads, incomplete, look_at, numbers
from imgstore_tui.core.manifest import IdSpan
from imgstore_tui.storekit.payload_reader import Image, PayloadReader
from imgstore_tui.storekit.store_errors import damaged_error, require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.mongodb.connection import Client
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_LIST_LENGTH = 10_000
"""Ids of one list: far from the limit of a request."""
_ALL = 1_000_000
"""More documents than an answer holds: the server fills each answer up to 16 MiB."""


class MongodbReader(PayloadReader):
    """Asks for a batch by one request, or for each image by one of its own."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation) -> None:
        self._location, self._batch = location, bool(backend.values["batch"])
        self._client: Client | None = None
        client = connect(backend, location)
        try:
            self._collection = collection(client, location)
            state = look_at(self._collection, location)
        except BaseException:
            client.close()
            raise
        self._client, self._state = client, state
        self.content, self.live_ids = state.content, state.live_ids
        self._large = LargePayloads(self._collection.database, state.bucket)
        self._own_requests = 2

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests sent so far."""
        return self._own_requests + self._large.requests

    def _images(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[Image]:
        """Yield one image an id, in any order."""
        require_open(self._client, self._location, "read")
        with driver_errors(self._location, "read"):
            if not self._batch or len(ids) == 1:
                for position, number in enumerate(ids):
                    self._own_requests += 1
                    document = self._collection.find_one({"_id": int(number)})
                    if document is None:
                        raise incomplete(self._location)
                    yield position, *self._image(document)
                return
            if span is not None:
                documents, found = self._find({"$gte": span[0], "$lt": span[1]}), 0
                for found, document in enumerate(documents, 1):  # noqa: B007 - the number of documents
                    yield document["_id"] - span[0], *self._image(document)
                if found != len(ids):
                    raise incomplete(self._location)
                return
            positions: dict[int, list[int]] = {}
            for position, number in enumerate(ids):
                positions.setdefault(int(number), []).append(position)
            wanted = list(positions)
            for start in range(0, len(wanted), _LIST_LENGTH):
                for document in self._find({"$in": wanted[start : start + _LIST_LENGTH]}):
                    label, data = self._image(document)
                    for position in positions.pop(document["_id"]):
                        yield position, label, data
            if positions:
                raise incomplete(self._location)

    def _find(self, condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield documents by a condition on their ids; the answers that the server gives are counted."""
        with self._collection.find({"_id": condition}).batch_size(_ALL) as cursor:
            answered = 0
            for document in cursor:
                if cursor.retrieved != answered:
                    answered = cursor.retrieved
                    self._own_requests += 1
                yield document

    def _image(self, document: dict[str, Any]) -> tuple[int, bytes]:
        """Return label and payload.

        Raises:
            StoreError: If the document is not one of an image.
        """
        label, data = document.get("label"), document.get("data")
        if data is None and "file" in document:
            data = self._large.get(document["file"])
        if not isinstance(label, int) or not isinstance(data, bytes):
            raise damaged_error(self._location, "an image in it has no label or no payload")
        return label, data

    def read_labels(self) -> Labels:
        """Ask for the labels alone; the server sends no payload."""
        require_open(self._client, self._location, "read")
        with driver_errors(self._location, "read"):
            self._own_requests += 1
            return numbers(self._collection, self._location, self._state.ids, "label", self.content.count)

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
