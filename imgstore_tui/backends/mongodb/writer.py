"""Writes a MongoDB store: a collection with its mark, documents by batches, and at the end the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.mongodb.connection import collection, connect, driver_errors, write_concern
from imgstore_tui.backends.mongodb.layout import (
    MANIFEST,
    NAME,
    LargePayloads,
    Mark,
    create_collection,
    new_bucket,
)
from imgstore_tui.backends.mongodb.put import DocumentWriter
from imgstore_tui.core.backend import Content
from imgstore_tui.core.manifest import check_complete, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadWriter
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.mongodb.connection import Client
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class MongodbWriter(PayloadWriter):
    """Inserts the documents of a batch by few requests. Without its manifest a collection is no store."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, content: Content, sync: SyncLevel) -> None:
        self._location, self._content, self._sync, self._put = location, content, sync, 0
        self._bucket = new_bucket()
        self._client: Client | None = connect(backend, location)
        try:
            with driver_errors(location, "made"):
                self._collection = collection(self._client, location)
                database, compression = self._collection.database, str(backend.values["compression"])
                mark = Mark(self._bucket, part=False)
                create_collection(database, location.name, mark, compression, write_concern(sync, last=False))
                large = LargePayloads(database, self._bucket, compression)
                self._documents = DocumentWriter(self._collection, large, one_by_one=not backend.values["batch"])
                self._own_requests = 2
        except BaseException:
            self.abort()
            raise

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests sent so far."""
        return self._own_requests + self._documents.requests

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        require_open(self._client, self._location, "put")
        each = self._sync is SyncLevel.BATCH
        with driver_errors(self._location, "written"):
            self._documents.insert(ids, payloads, labels, write_concern(self._sync, last=each))
        self._put += len(ids)
        self.syncs += each

    def close(self) -> None:
        """Insert the manifest."""
        if self._client is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            text = write_manifest(NAME, self._content, bucket=self._bucket)
            manifest: dict[str, Any] = {"_id": MANIFEST, "text": text, "revision": 1, "deleting": []}
            with driver_errors(self._location, "written"):
                concern = write_concern(self._sync, last=True)
                self._collection.with_options(write_concern=concern).insert_one(manifest)
            self._own_requests += 1
            self.syncs += self._sync is SyncLevel.BATCH
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connections; what was inserted stays, without a manifest."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
