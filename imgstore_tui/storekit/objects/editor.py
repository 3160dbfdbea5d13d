"""Changes a store: what is new goes into new objects, and one put of the manifest makes it count."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.objects.client import Client
from imgstore_tui.storekit.objects.driver import Cause, RequestError
from imgstore_tui.storekit.objects.errors import said
from imgstore_tui.storekit.objects.layout import image_key, new_session, write_index
from imgstore_tui.storekit.objects.placement import Placement
from imgstore_tui.storekit.objects.reader import look_at
from imgstore_tui.storekit.objects.writer import put_manifest
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.objects.backend import ObjectBackend
    from imgstore_tui.storekit.objects.placement import Value


class ObjectEditor(PayloadEditor):
    """Nothing counts before the manifest is put: at the end, or after each call where it must be durable.

    Objects in which no image lies any more are removed after that; room within a packed object is not regained.
    """

    _location: ServerLocation

    def __init__(self, backend: ObjectBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._backend, self._location = backend, location
        self._each, self._changed = sync is SyncLevel.BATCH, False
        self._client: Client | None = backend.client(location)
        try:
            self.content, self._index, self._live_ids, self._version = look_at(backend, self._client, location)
        except BaseException:
            self._client.close()
            raise
        self._uncertain = False
        """Whether a manifest was sent, and nobody knows whether it arrived."""
        self._placement = Placement(
            self._client, location, self._index.generation, new_session(), backend.shard_bytes, backend.most_bytes
        )
        self._used = self._index.used()
        self._count()

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[Value], labels: Labels) -> None:
        require_open(self._client, self._location, "change")
        appends = self._live_ids.is_append(self._location, ids)
        with said(self._backend, self._location, "changed"):
            places = self._placement.add(payloads)
            if appends:
                self._index.append(labels, places)
                self._live_ids.grow(len(ids))
            else:
                self._index.replace(ids, labels, places)
            self._note()

    def delete(self, ids: Sequence[int]) -> None:
        """Forget where images lie."""
        require_open(self._client, self._location, "change")
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        self._index.delete(ids)
        self._live_ids.delete(ids)
        with said(self._backend, self._location, "changed"):
            self._note()

    def _note(self) -> None:
        self._changed = True
        if self._each:
            self._commit()
            self.syncs += 1
        self._count()

    def _commit(self) -> None:
        client = require_open(self._client, self._location, "change")
        self._placement.flush()
        content = replace(self.content, count=self._live_ids.count)
        manifest = write_index(self._backend.name, content, self._index)
        self._uncertain = True
        try:
            self._version = put_manifest(client, self._location, manifest, self._version)
        except RequestError as error:
            self._uncertain = error.cause is not Cause.CHANGED
            raise
        self._uncertain = False
        before = self._used | set(self._placement.written)
        self.content, self._used, self._changed = content, self._index.used(), False
        self._placement.written.clear()
        self._remove(client, before - self._used)

    def _remove(self, client: Client, numbers: set[int]) -> None:
        client.delete([image_key(self._location, self._index.generation, number) for number in sorted(numbers)])

    def _count(self) -> None:
        if self._client is not None:
            self.requests, self.retries = self._client.requests, self._client.retries

    def close(self) -> None:
        """Put the manifest, and end the connections."""
        try:
            if self._client is not None and self._changed:
                with said(self._backend, self._location, "changed"):
                    self._commit()
        finally:
            self._count()
            self.abort()

    def abort(self) -> None:
        """Remove what was put and does not count, and end the connections."""
        client, self._client = self._client, None
        if client is None:
            return
        if not self._uncertain:
            with contextlib.suppress(RequestError):  # what cannot be removed goes with the store
                self._remove(client, set(self._placement.written) - self._used)
        client.close()
