"""Writes to an LMDB environment: one transaction at a time, and a map that grows when it is full."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.core.backend import force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.file_lock import NO_LOCKS

PAGE = 4096
SPARE = 64 * PAGE
"""Bytes that a transaction takes beside its values: branch pages and the list of free pages."""
TRANSACTION_BYTES = 64 * 2**20
"""A transaction with more than this is committed: it keeps its pages in private memory."""
PIECE_BYTES = 2 * 2**20
"""Values of about this size are put at a time, if a transaction may end after any of them.

Small, so that the next transaction gets the same memory, still in the processor's cache: with 64 MiB, 200 images of
512x512x3 took 1.5 times as long.
"""

Items = list[tuple[bytes, Any]]


class WriteEnvironment:
    """Puts and deletes items; forces nothing to the device unless asked."""

    def __init__(self, location: Path, map_bytes: int) -> None:
        import lmdb

        self.location, self.error = location, lmdb.Error
        self._full = lmdb.MapFullError
        self.map_bytes = map_bytes
        self.pending = self.pending_bytes = 0
        """Items and bytes in the open transaction."""
        self._transaction: Any = None
        try:
            # No commit forces anything; callers call ``force`` after a batch or at the end.
            self._env = self._open(lmdb.open)
        except lmdb.Error as error:
            raise self.failed(error) from None

    def _open(self, open_environment: Any) -> Any:
        facts = {"map_size": self.map_bytes, "sync": False, "mode": 0o644}
        try:
            return open_environment(os.fsencode(self.location), **facts)
        except self.error as error:
            if not any(os.strerror(code) in str(error) for code in NO_LOCKS):
                raise
            # On a file system without locks: a store that is written here has no other process.
            return open_environment(os.fsencode(self.location), lock=False, **facts)

    def used(self) -> int:
        """Return the bytes of the map in use, freed pages included."""
        return (int(self._env.info()["last_pgno"]) + 1) * int(self._env.stat()["psize"])

    def may_overflow(self, worst: int) -> bool:
        """Whether ``worst`` more bytes may not fit into the map."""
        return self.used() + self.pending_bytes + worst + SPARE > self.map_bytes

    def make_room(self, worst: int) -> None:
        """Grow the map if ``worst`` more bytes may not fit; no transaction may be open."""
        if self.may_overflow(worst):
            self.map_bytes = 2 * max(self.map_bytes, self.used() + worst + SPARE)
            self._env.set_mapsize(self.map_bytes)

    def transaction(self) -> Any:
        """Return the open transaction, or begin one."""
        if self._transaction is None:
            self._transaction = self._env.begin(write=True)
        return self._transaction

    def put(self, items: Items, *, append: bool = False) -> None:
        """Put items; if the map is full, abort the transaction, grow the map, and put them again."""
        worst = worst_of(items)
        if self.pending and self.may_overflow(worst):
            self.commit()  # what earlier calls put cannot be put again: its memory belongs to the caller
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
        """Count items and bytes of the open transaction."""
        self.pending += items
        self.pending_bytes += size

    def commit(self) -> None:
        """Commit the transaction, if one is open."""
        transaction, self._transaction = self._transaction, None
        self.pending = self.pending_bytes = 0
        if transaction is not None:
            transaction.commit()

    def drop(self) -> None:
        """Abort the transaction, if one is open."""
        transaction, self._transaction = self._transaction, None
        if transaction is not None:
            transaction.abort()

    def force(self) -> int:
        """Force what has been committed to the device; return the number of sync calls."""
        self._env.sync(True)
        return 1

    def force_names(self) -> int:
        """Force the folder and its entry in the parent to the device; return the number of sync calls."""
        force(self.location)
        force(self.location.parent)
        return 2

    def close(self) -> None:
        """Drop the open transaction and close the environment."""
        self.drop()
        self._env.close()

    def failed(self, error: Exception) -> StoreError:
        """Return the error for what LMDB refuses to write."""
        return StoreError(f"{self.location} cannot be written: {error}.")


def pieces(items: Items) -> Iterator[Items]:
    """Yield items in pieces of at most ``PIECE_BYTES``, or of one item."""
    start = size = 0
    for number, (_, value) in enumerate(items):
        if number > start and size + len(value) > PIECE_BYTES:
            yield items[start:number]
            start, size = number, 0
        size += len(value)
    yield items[start:]


def worst_of(items: Sequence[tuple[bytes, Any]], pages: int = 2) -> int:
    """Return the most bytes that items can take, with ``pages`` pages beside each value."""
    # A list is faster to sum than a generator: it is timed for each image.
    return sum([len(value) for _, value in items]) + pages * PAGE * len(items)
