"""Changes a MongoDB store. There is no transaction: the order of the steps keeps it a store whenever a process dies.

Appended images count when the manifest says so; replaced ones change each as a whole; deleted ones are named in the
manifest before their documents go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from imgstore_tui.backends.mongodb.connection import collection, connect, driver_errors, write_concern
from imgstore_tui.backends.mongodb.layout import MANIFEST, NAME, LargePayloads, look_at
from imgstore_tui.backends.mongodb.put import DocumentWriter
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.mongodb.connection import Client
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_MOST_PENDING = 100_000
"""Ids that the manifest names as deleted at a time: far from the limit of a document."""


class MongodbEditor(PayloadEditor):
    """Puts and deletes documents; of two editors that are open at once, the second to write its manifest is refused."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._location, self._sync = location, sync
        self._changed, self._tidy = False, False
        self._client: Client | None = connect(backend, location)
        try:
            self._collection = collection(self._client, location)
            state = look_at(self._collection, location)
        except BaseException:
            self.abort()
            raise
        self.content, self._live_ids, self._revision = state.content, state.live_ids, state.revision
        self._pending, self._bucket = list(state.pending), state.bucket
        large = LargePayloads(self._collection.database, state.bucket)
        self._documents = DocumentWriter(self._collection, large, one_by_one=not backend.values["batch"])
        self._own_requests = 2

    @property
    def requests(self) -> int:  # type: ignore[override]
        """Requests sent so far."""
        return self._own_requests + self._documents.requests

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        appends = self._live_ids.is_append(self._location, ids)
        with self._changing():
            concern = write_concern(SyncLevel.BUFFERED, last=False)
            if appends:
                self._documents.insert(ids, payloads, labels, concern)
                self._live_ids.grow(len(ids))
            else:
                self._documents.replace(ids, payloads, labels, concern)
            self._batch_done()

    def delete(self, ids: Sequence[int]) -> None:
        """Name the images in the manifest, then delete their documents."""
        self._live_ids.check_each_once(self._location, ids)
        for start in range(0, len(ids), _MOST_PENDING):
            some = [int(number) for number in ids[start : start + _MOST_PENDING]]
            with self._changing():
                self._live_ids.delete(some)
                self._pending = some
                self._write_manifest(write_concern(self._sync, last=self._sync is SyncLevel.BATCH))
                self._documents.delete({"$in": some}, write_concern(SyncLevel.BUFFERED, last=False))
                self._pending = []
                self._batch_done()

    def _changing(self) -> Any:
        """Return the context of a change; before the first, what a process has left that died is taken away."""
        require_open(self._client, self._location, "change")
        if not self._tidy:
            with driver_errors(self._location, "changed"):
                concern = write_concern(SyncLevel.BUFFERED, last=False)
                self._documents.delete({"$gte": self._live_ids.next_id}, concern)
                if self._pending:
                    self._documents.delete({"$in": self._pending}, concern)
                self._pending, self._tidy = [], True
        return driver_errors(self._location, "changed")

    def _batch_done(self) -> None:
        self._changed = True
        if self._sync is SyncLevel.BATCH:
            self._write_manifest(write_concern(self._sync, last=True))
            self.syncs += 1

    def _write_manifest(self, concern: Any) -> None:
        content = replace(self.content, count=self._live_ids.count)
        text = write_manifest(NAME, content, next=self._live_ids.next_id, bucket=self._bucket)
        fields = {"text": text, "revision": self._revision + 1, "deleting": self._pending}
        done = self._collection.with_options(write_concern=concern).update_one(
            {"_id": MANIFEST, "revision": self._revision}, {"$set": fields}
        )
        if done.matched_count != 1:
            raise StoreError(f"{self._location} cannot be changed: another process changes it at the same time.")
        self.content, self._revision, self._changed = content, self._revision + 1, False
        self._own_requests += 1

    def close(self) -> None:
        """Write the manifest, which counts the images."""
        try:
            if self._client is not None and self._changed:
                with driver_errors(self._location, "changed"):
                    self._write_manifest(write_concern(self._sync, last=True))
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connections; appended images that the manifest does not count are no part of the store."""
        client, self._client = self._client, None
        if client is not None:
            client.close()
