"""Writing an LMDB store."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.lmdb.layout import APART, HEADER, LABELS, MANIFEST, TOGETHER, facts_of, keys_of
from imgstore_tui.core.backend import Content, Writer, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, check_put, image_bytes, write_manifest
from imgstore_tui.core.operations import SyncLevel

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_PAGE = 4096
_SPARE = 64 * _PAGE  # pages that a transaction takes beside its values: branches, and the list of free ones
_TRANSACTION_BYTES = 64 * 2**20  # an open transaction keeps its pages in private memory


class LmdbWriter(Writer):
    """Puts values in transactions, and grows the map when it is full."""

    def __init__(self, location: Path, content: Content, layout: str, transaction: int, sync: SyncLevel) -> None:
        import lmdb

        self._lmdb = lmdb
        self._location, self._content, self._layout, self._least = location, content, layout, transaction
        self._each = sync is SyncLevel.BATCH
        # Appending packs pages full, where LMDB would leave them half empty; but labels that are put batch by batch
        # stand behind the images, and the article does not ask for it.
        self._append = layout == APART and not self._each
        self._put = self._pending = self._pending_bytes = 0
        self._labels: list[Labels] = []
        self._open = True
        # The map takes addresses, not space: ten times the pixels, as the article, and room for small values.
        self._map = 2**20 + 10 * content.payload_bytes + 4 * _PAGE * content.count
        self._transaction: Any = None
        try:
            # No commit forces anything; who wants that does so after the batch, or at the end.
            self._env = lmdb.open(os.fspath(location), map_size=self._map, sync=False, mode=0o644)
        except lmdb.Error as error:
            raise _failed(location, error) from None

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Put one value a payload."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        self._put_values(payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Put one value an image, straight from the array's memory."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(images):
            size = image_bytes(self._content)
            pixels = images.data.cast("B")
            self._put_values([pixels[at : at + size] for at in range(0, len(pixels), size)], labels)

    def _put_values(self, values: Sequence[bytes | memoryview], labels: Labels) -> None:
        if self._layout == TOGETHER:
            facts = facts_of(self._content)
            pairs = zip(labels.tolist(), values, strict=True)
            values = [b"".join((HEADER.pack(*facts, label), value)) for label, value in pairs]
        else:
            self._labels.append(np.array(labels, "<i8"))
        items = list(zip(keys_of(self._layout, self._put, self._put + len(values)), values, strict=True))
        try:
            self._put_items(items)
            if self._least and (self._pending >= self._least or self._pending_bytes >= _TRANSACTION_BYTES):
                self._commit()
            self._put += len(values)
            if self._each:
                self._put_labels()
                self._commit()
                self._env.sync(True)
                self.syncs += 1
        except self._lmdb.Error as error:
            raise _failed(self._location, error) from None

    def _put_items(self, items: list[tuple[bytes, Any]]) -> None:
        """Put items; where the map is full, drop what the transaction holds of them, grow it, and put them again."""
        worst = sum(len(value) for _, value in items) + 2 * _PAGE * len(items)
        if self._pending and self._used() + self._pending_bytes + worst + _SPARE > self._map:
            self._commit()  # what earlier calls put could not be put again: its memory is the caller's
        while True:
            if self._transaction is None:
                self._transaction = self._env.begin(write=True)
            try:
                self._transaction.cursor().putmulti(items, append=self._append)
            except self._lmdb.MapFullError:
                self._transaction.abort()
                self._transaction = None
                if self._pending:
                    raise
                self._map = 2 * max(self._map, self._used() + worst + _SPARE)
                self._env.set_mapsize(self._map)
            else:
                self._pending += len(items)
                self._pending_bytes += worst
                return

    def _used(self) -> int:
        return (int(self._env.info()["last_pgno"]) + 1) * int(self._env.stat()["psize"])

    def _commit(self) -> None:
        transaction, self._transaction = self._transaction, None
        self._pending = self._pending_bytes = 0
        if transaction is not None:
            transaction.commit()

    def _put_labels(self) -> None:
        """Put the labels that are waiting as one value, under the id of the first."""
        if self._labels:
            value = np.concatenate(self._labels)
            self._labels = []
            key = LABELS + (self._put - len(value)).to_bytes(4, "big")
            self._put_items([(key, value.data.cast("B"))])

    def close(self) -> None:
        """Put the labels and, last, the manifest: an environment without it is no store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            self._put_labels()
            self._put_items([(MANIFEST, write_manifest("lmdb", self._content, layout=self._layout).encode("utf-8"))])
            self._commit()
            if self._each:
                self._env.sync(True)
                force(self._location)
                force(self._location.parent)
                self.syncs += 3
        except self._lmdb.Error as error:
            raise _failed(self._location, error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the open transaction and close; without a manifest the environment does not open as a store."""
        if self._open:
            self._open = False
            if self._transaction is not None:
                self._transaction.abort()
                self._transaction = None
            self._env.close()


def _failed(location: Path, error: Exception) -> StoreError:
    return StoreError(f"{location} cannot be written: {error}.")
