"""An environment opened for writing: one transaction at a time, and a map that grows when it is full."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import force
from imgstore_tui.core.errors import StoreError

PAGE = 4096
SPARE = 64 * PAGE
"""What a transaction takes beside its values: branches, and the list of free pages."""
TRANSACTION_BYTES = 64 * 2**20
"""An open transaction keeps its pages in private memory: with more than this it ends."""
PIECE_BYTES = 2 * 2**20
"""Values of about so much are put at a time, where a transaction may end with any of them.

So little that the next transaction gets the same memory again, still in the processor's cache: with 64 MiB, 200 images
of 512x512x3 took 1.5 times as long.
"""

Items = list[tuple[bytes, Any]]


class WriteEnvironment:
    """Puts and deletes items; forces nothing by itself, but on request."""

    def __init__(self, location: Path, map_bytes: int) -> None:
        import lmdb

        self.location, self.error = location, lmdb.Error
        self._full = lmdb.MapFullError
        self.map_bytes = map_bytes
        self.pending = self.pending_bytes = 0
        """What the open transaction holds."""
        self._transaction: Any = None
        try:
            # No commit forces anything; who wants that does so after the batch, or at the end.
            self._env = lmdb.open(os.fsencode(location), map_size=map_bytes, sync=False, mode=0o644)
        except lmdb.Error as error:
            raise self.failed(error) from None

    def used(self) -> int:
        """Return how much of the map is in use, pages that are free again included."""
        return (int(self._env.info()["last_pgno"]) + 1) * int(self._env.stat()["psize"])

    def crowded(self, worst: int) -> bool:
        """Whether so many bytes more may not fit into the map."""
        return self.used() + self.pending_bytes + worst + SPARE > self.map_bytes

    def make_room(self, worst: int) -> None:
        """Grow the map, if need be, for so many bytes more; no transaction may be open."""
        if self.crowded(worst):
            self.map_bytes = 2 * max(self.map_bytes, self.used() + worst + SPARE)
            self._env.set_mapsize(self.map_bytes)

    def transaction(self) -> Any:
        """Return the open transaction; begin one where there is none."""
        if self._transaction is None:
            self._transaction = self._env.begin(write=True)
        return self._transaction

    def put(self, items: Items, *, append: bool = False) -> None:
        """Put items; where the map is full, drop what the transaction holds of them, grow it, and put them again."""
        worst = worst_of(items)
        if self.pending and self.crowded(worst):
            self.commit()  # what earlier calls put could not be put again: its memory is the caller's
        while True:
            try:
                self.transaction().cursor().putmulti(items, append=append)
            except self._full:
                self.drop()
                if self.pending:
                    raise
                self.map_bytes = 2 * max(self.map_bytes, self.used() + worst + SPARE)
                self._env.set_mapsize(self.map_bytes)
            else:
                self.note(len(items), worst)
                return

    def note(self, items: int, size: int) -> None:
        """Add to what the open transaction holds."""
        self.pending += items
        self.pending_bytes += size

    def commit(self) -> None:
        """End the transaction, if one is open; what it holds is there from now on."""
        transaction, self._transaction = self._transaction, None
        self.pending = self.pending_bytes = 0
        if transaction is not None:
            transaction.commit()

    def drop(self) -> None:
        """End the transaction, if one is open, as if it had never been."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.abort()

    def force(self) -> int:
        """Force what has been committed to the device; returns the calls made."""
        self._env.sync(True)
        return 1

    def force_names(self) -> int:
        """Force the folder and its place in its parent to the device; returns the calls made."""
        force(self.location)
        force(self.location.parent)
        return 2

    def close(self) -> None:
        """Drop the open transaction and close the environment."""
        self.drop()
        self._env.close()

    def failed(self, error: Exception) -> StoreError:
        """Build the error for what LMDB refuses to write."""
        return StoreError(f"{self.location} cannot be written: {error}.")


def pieces(items: Items) -> Iterator[Items]:
    """Cut items into runs of at most ``PIECE_BYTES``, or of one."""
    start = size = 0
    for number, (_, value) in enumerate(items):
        if number > start and size + len(value) > PIECE_BYTES:
            yield items[start:number]
            start, size = number, 0
        size += len(value)
    yield items[start:]


def worst_of(items: Sequence[tuple[bytes, Any]], pages: int = 2) -> int:
    """Return the most bytes that items can take, with so many pages beside the value of each."""
    return sum(len(value) for _, value in items) + pages * PAGE * len(items)
