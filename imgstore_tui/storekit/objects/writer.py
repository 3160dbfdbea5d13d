"""Writes a store: the unfinished manifest first, then the images, then the whole manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.objects.client import Client
from imgstore_tui.storekit.objects.driver import Cause, RequestError, Version
from imgstore_tui.storekit.objects.errors import said
from imgstore_tui.storekit.objects.layout import (
    MOST_MANIFEST,
    Index,
    first_line_of,
    manifest_key,
    new_generation,
    unfinished,
    write_index,
)
from imgstore_tui.storekit.objects.placement import Placement
from imgstore_tui.storekit.payload_batches import PayloadWriter
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.objects.backend import ObjectBackend
    from imgstore_tui.storekit.objects.placement import Value


class ObjectWriter(PayloadWriter):
    """Puts objects within the calls; none is under way between them. ``batch`` leaves none in memory, either."""

    _location: ServerLocation

    def __init__(self, backend: ObjectBackend, location: ServerLocation, content: Content, sync: SyncLevel) -> None:
        self._backend, self._location, self._content = backend, location, content
        self._each, self._put = sync is SyncLevel.BATCH, 0
        self._client: Client | None = backend.client(location)
        self._index = Index(new_generation())
        try:
            with said(backend, location, "made"):
                self._version = claim(backend, self._client, location, self._index.generation)
            self._count()
        except BaseException:
            self.abort()
            raise
        self._placement = Placement(
            self._client, location, self._index.generation, 0, backend.shard_bytes, backend.most_bytes
        )

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[Value], labels: Labels) -> None:
        require_open(self._client, self._location, "put")
        with said(self._backend, self._location, "written"):
            self._index.append(labels, self._placement.add(payloads))
            if self._each:
                self._placement.flush()
                self.syncs += 1
        self._put += len(ids)
        self._count()

    def _count(self) -> None:
        if self._client is not None:
            self.requests, self.retries = self._client.requests, self._client.retries

    def close(self) -> None:
        """Put what is left, then the manifest."""
        if self._client is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            with said(self._backend, self._location, "written"):
                self._placement.flush()
                manifest = write_index(self._backend.name, self._content, self._index)
                put_manifest(self._client, self._location, manifest, self._version)
        finally:
            self._count()
            self.abort()

    def abort(self) -> None:
        """End the connections; what was put is no store, and goes by ``destroy``."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


def claim(backend: ObjectBackend, client: Client, location: ServerLocation, generation: str) -> Version:
    """Put the manifest of a store that is not whole, where there is nothing yet; return its version.

    Raises:
        StoreError: If there is something.
        RequestError: If it cannot be put.
    """
    taken = StoreError(f"{location} exists already. Name another destination, or add --replace.")
    if not client.is_empty(location.name):
        raise taken
    data = unfinished(backend.name, generation)
    try:
        return client.put(manifest_key(location), data, new=True)
    except RequestError as error:
        if error.cause is Cause.UNSUPPORTED:
            return client.put(manifest_key(location), data)
        if error.cause is not Cause.EXISTS:
            raise
    # A try whose answer was lost may have put it.
    found, version = client.get(manifest_key(location), len(data) + 1)
    if first_line_of(bytes(found)).get("generation") != generation:
        raise taken
    return version


def put_manifest(client: Client, location: ServerLocation, data: bytes, expected: Version) -> Version:
    """Put a manifest in the place of one version of it; return the new version.

    Raises:
        RequestError: If it cannot be put, or is another one by now.
    """
    try:
        return client.put(manifest_key(location), data, expected)
    except RequestError as error:
        if error.cause is Cause.UNSUPPORTED:
            return client.put(manifest_key(location), data)
        if error.cause is not Cause.CHANGED:
            raise
        changed = error
    # A try whose answer was lost may have put it.
    found, version = client.get(manifest_key(location), MOST_MANIFEST)
    if found != data:
        raise changed
    return version
