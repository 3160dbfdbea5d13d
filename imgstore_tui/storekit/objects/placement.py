"""Puts images into objects: one each, or many packed into one of some MiB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.objects.layout import image_key

if TYPE_CHECKING:
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.objects.client import Client

    Value = bytes | memoryview
    Place = tuple[int, int, int]
    """Number of the object, offset and length."""

SHARDS_UNDER_WAY = 8
"""Packed objects that are kept in memory and put at the same time; more gain nothing on a link of 10 Gbit/s."""


class Placement:
    """Gives each image a place; all that was added is on the server after ``flush``."""

    def __init__(
        self, client: Client, location: ServerLocation, generation: str, number: int, shard: int, most: int
    ) -> None:
        """Begin.

        Args:
            client: Sends the requests.
            location: The store.
            generation: The folder of its images.
            number: Number of the next object.
            shard: Bytes from which on an object is complete; 0 for an object per image.
            most: Bytes of the largest object that the service takes by one request.
        """
        self.written: list[int] = []
        """Numbers of the objects that were put, or may have been."""
        self._client, self._location, self._generation = client, location, generation
        self._number, self._shard, self._most = number, shard, most
        self._open = bytearray()
        self._complete: list[tuple[int, bytearray]] = []

    def add(self, values: Sequence[Value]) -> list[Place]:
        """Return a place for each value; what makes up whole objects is put now.

        Raises:
            StoreError: If a value is larger than the service takes.
            RequestError: If an object cannot be put.
        """
        largest = max(map(len, values), default=0)
        if largest > self._most:
            raise StoreError(
                f"{self._location} takes images of at most {self._most:,} bytes, the most that the service takes by "
                f"one request; one has {largest:,}."
            )
        if not self._shard:
            return self._add_single(values)
        places = []
        for value in values:
            if self._open and len(self._open) + len(value) > self._shard:
                self._seal()
            places.append((self._number, len(self._open), len(value)))
            self._open += value
            if len(self._open) >= self._shard:
                self._seal()
            if len(self._complete) >= self._at_once:
                self._put_complete()
        return places

    @property
    def _at_once(self) -> int:
        return min(self._client.concurrency, SHARDS_UNDER_WAY)

    def _add_single(self, values: Sequence[Value]) -> list[Place]:
        first = self._number
        self._number += len(values)
        numbered = list(enumerate(values, first))
        self.written += [number for number, _ in numbered]
        under_way = self._client.concurrency * max(map(len, values), default=0)
        self._put(numbered, min(under_way, sum(map(len, values))))
        return [(number, 0, len(value)) for number, value in numbered]

    def _seal(self) -> None:
        self._complete.append((self._number, self._open))
        self.written.append(self._number)
        self._number += 1
        self._open = bytearray()

    def _put_complete(self) -> None:
        complete, self._complete = self._complete, []
        for first in range(0, len(complete), self._at_once):
            some = complete[first : first + self._at_once]
            self._put(some, sum(len(data) for _, data in some))

    def _put(self, numbered: Sequence[tuple[int, bytes | bytearray | memoryview]], under_way: int) -> None:
        def put(entry: tuple[int, bytes | bytearray | memoryview]) -> None:
            number, data = entry
            self._client.put(image_key(self._location, self._generation, number), data, under_way=under_way)

        self._client.each(put, numbered)

    def flush(self) -> None:
        """Put what is left.

        Raises:
            RequestError: If an object cannot be put.
        """
        if self._open:
            self._seal()
        self._put_complete()
