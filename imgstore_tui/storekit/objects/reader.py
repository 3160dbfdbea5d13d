"""Reads a store: the manifest once, then images by whole objects or by ranges, several at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.manifest import IdSpan, image_bytes
from imgstore_tui.storekit.checked_reader import LiveIdsReader
from imgstore_tui.storekit.objects.client import Client
from imgstore_tui.storekit.objects.driver import Cause, RequestError, Version
from imgstore_tui.storekit.objects.errors import said
from imgstore_tui.storekit.objects.layout import MOST_MANIFEST, damaged, image_key, manifest_key, read_index
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.content import Content, Labels, Pixels
    from imgstore_tui.core.live_ids import LiveIds
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.objects.backend import ObjectBackend
    from imgstore_tui.storekit.objects.layout import Index


@dataclass(slots=True)
class Range:
    """A part of an object, with the images of a batch that lie in it."""

    number: int
    """Number of the object."""
    start: int
    end: int
    images: list[tuple[int, int, int]]
    """Position in the batch, offset from ``start``, length."""


class ObjectReader(LiveIdsReader):
    """Asks for the images of a batch by as few requests as their places allow."""

    _location: ServerLocation

    def __init__(self, backend: ObjectBackend, location: ServerLocation) -> None:
        self._backend, self._location = backend, location
        self._client: Client | None = backend.client(location)
        try:
            self.content, self._index, self.live_ids, _ = look_at(backend, self._client, location)
        except BaseException:
            self.close()
            raise
        self._count()

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy each image into the caller's array."""
        size, pixels = image_bytes(self.content), out.data.cast("B")

        def store(position: int, data: memoryview) -> None:
            pixels[position * size : (position + 1) * size] = data

        self._fetch(ids, labels, store)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return the bytes of each image."""
        payloads = [b""] * len(ids)

        def store(position: int, data: memoryview) -> None:
            payloads[position] = bytes(data)

        self._fetch(ids, labels, store)
        return payloads

    def _fetch(self, ids: Sequence[int], labels: Labels, store: Callable[[int, memoryview], None]) -> None:
        client = require_open(self._client, self._location, "read")
        rows = np.asarray(ids, np.int64)
        labels[:] = self._index.labels[rows]
        ranges = plan_ranges(self._index, rows, self._backend.gap_bytes)
        sizes = sorted((wanted.end - wanted.start for wanted in ranges), reverse=True)
        under_way = sum(sizes[: client.concurrency])

        def fetch(wanted: Range) -> None:
            data = memoryview(b"")
            if wanted.end > wanted.start:
                key = image_key(self._location, self._index.generation, wanted.number)
                data = client.get_range(key, wanted.start, wanted.end, under_way)
            if len(data) != wanted.end - wanted.start:
                raise damaged(self._location)
            for position, offset, length in wanted.images:
                store(position, data[offset : offset + length])

        try:
            with said(self._backend, self._location, "read"):
                try:
                    client.each(fetch, ranges)
                except RequestError as error:
                    if error.cause in (Cause.MISSING, Cause.OTHER):
                        raise damaged(self._location) from None
                    raise
        finally:
            self._count()

    def _count(self) -> None:
        if self._client is not None:
            self.requests, self.retries = self._client.requests, self._client.retries

    def read_labels(self) -> Labels:
        """Return the labels of the manifest, which were read as the store was opened."""
        require_open(self._client, self._location, "read")
        return self.live_ids.without_deleted(self._index.labels)

    def close(self) -> None:
        """End the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()


def look_at(
    backend: ObjectBackend, client: Client, location: ServerLocation
) -> tuple[Content, Index, LiveIds, Version]:
    """Return what a store says of itself, and the version of its manifest.

    Raises:
        StoreError: If it is missing, foreign, damaged or not whole.
        UnavailableError: If the server does not answer, refuses, or lacks the bucket.
    """
    from imgstore_tui.core.errors import StoreError

    with said(backend, location, "read"):
        try:
            data, version = client.get(manifest_key(location), MOST_MANIFEST)
        except RequestError as error:
            if error.cause is Cause.MISSING:
                raise StoreError(f"{location} does not exist.") from None
            raise
    return *read_index(data, backend.name, location), version


def plan_ranges(index: Index, rows: np.ndarray, gap: int) -> list[Range]:
    """Return the parts of objects to ask for, so that images near each other come by one request.

    Args:
        index: Where the images lie.
        rows: Ids of the batch, int64 array (n,).
        gap: Bytes between two images that are read along rather than asked for apart.
    """
    objects, offsets, lengths = index.objects[rows], index.offsets[rows], index.lengths[rows]
    ranges: list[Range] = []
    for position in np.lexsort((offsets, objects)).tolist():
        number, offset, length = int(objects[position]), int(offsets[position]), int(lengths[position])
        last = ranges[-1] if ranges else None
        if last is not None and last.number == number and offset - last.end <= gap:
            last.end = max(last.end, offset + length)
            last.images.append((position, offset - last.start, length))
        else:
            ranges.append(Range(number, offset, offset + length, [(position, 0, length)]))
    return ranges
