"""Changes an LMDB store; every commit includes labels and manifest, so that each leaves a valid store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.lmdb.layout import (
    APART,
    GONE,
    MANIFEST,
    key_of,
    labels_key,
    name_items,
    name_key,
    with_labels,
)
from imgstore_tui.backends.lmdb.reader import LmdbReader
from imgstore_tui.backends.lmdb.write_env import PAGE, TRANSACTION_BYTES, WriteEnvironment, worst_of
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.payload_batches import PayloadEditor

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels

_DIRTIED_PAGES = 16  # most pages that one item at a random key dirties: the path to it, and splits
_BLOCK = 4096  # labels in a block; the last block grows to this size before a new one begins


class LmdbEditor(PayloadEditor):
    """Puts and deletes in one transaction, or in several if one would take too much memory."""

    _location: Path

    def __init__(self, location: Path, transaction: int, sync: SyncLevel) -> None:
        with LmdbReader(location) as reader:  # which validates the store
            self.content, self._layout, self._live_ids = reader.content, reader.layout, reader.live_ids
            self._blocks = reader.label_blocks() if self._layout == APART else {}
        self._location = location
        self._sync_each_batch, self._one = sync is SyncLevel.BATCH, not transaction
        self._dirty: set[int] = set()
        self._deleted_any = self._changed = False
        self._open = True
        self._named = self._live_ids.next_id
        """The id after the highest that has a name."""
        size = (location / "data.mdb").stat().st_size
        self._env = WriteEnvironment(location, 2 * size + 16 * TRANSACTION_BYTES)

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        filling, appends = self._env, self._live_ids.is_append(self._location, ids)
        if appends and ids[-1] >= 10**8:
            raise StoreError(f"{self._location} numbers its images with 8 digits: at most 100,000,000 images.")
        if self._layout != APART:
            payloads = with_labels(self.content, payloads, labels)
        items = [(key_of(self._layout, image_id), value) for image_id, value in zip(ids, payloads, strict=True)]
        try:
            self._make_room(worst_of(items, _DIRTIED_PAGES))
            filling.put(items)
            if appends:
                self._live_ids.grow(len(ids))
            if self._layout == APART:
                self._change_labels(ids, labels, appends)
            self._call_done()
        except filling.error as error:
            raise filling.failed(error) from None

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Put one item per name."""
        items = name_items(self._location, self.content, ids, names)
        try:
            self._make_room(worst_of(items, _DIRTIED_PAGES))
            self._env.put(items)
        except self._env.error as error:
            raise self._env.failed(error) from None
        self._named = max(self._named, ids[-1] + 1) if len(ids) else self._named

    def delete(self, ids: Sequence[int]) -> None:
        """Delete values; their pages are reused by later puts."""
        self._live_ids.check_each_once(self._location, ids)
        filling = self._env
        try:
            self._make_room(_DIRTIED_PAGES * PAGE * len(ids))
            transaction = filling.transaction()
            for image_id in ids:
                if not transaction.delete(key_of(self._layout, image_id)):
                    raise StoreError(f"{self._location} is damaged: image {image_id} is missing in it.")
                if self.content.name_bytes:
                    transaction.delete(name_key(image_id))
            filling.note(len(ids), PAGE * len(ids))
            self._live_ids.delete(ids)
            self._deleted_any = True
            if self._layout == APART:
                self._change_labels(ids, np.zeros(len(ids), np.int64), False)
            self._call_done()
        except filling.error as error:
            raise filling.failed(error) from None

    def _change_labels(self, ids: Sequence[int], labels: Labels, appends: bool) -> None:
        """Change labels in memory, and record which blocks must be put again."""
        firsts = sorted(self._blocks)
        if appends:
            last = firsts[-1] if firsts and len(self._blocks[firsts[-1]]) < _BLOCK else ids[0]
            before = self._blocks.get(last, np.zeros(0, np.int64))
            self._blocks[last] = np.concatenate([before, labels])
            self._dirty.add(last)
            return
        changed = np.asarray(ids, np.int64)
        blocks = np.searchsorted(np.array(firsts, np.int64), changed, "right") - 1
        for block in np.unique(blocks).tolist():
            first, in_block = firsts[block], blocks == block
            self._blocks[first][changed[in_block] - first] = labels[in_block]
            self._dirty.add(first)

    def _make_room(self, worst: int) -> None:
        """Commit and grow the map beforehand if ``worst`` bytes and what each commit adds may not fit."""
        worst += (
            8 * self._live_ids.next_id
            + 8 * len(self._live_ids.deleted)
            + _DIRTIED_PAGES * PAGE * (2 + len(self._blocks))
        )
        if self._env.may_overflow(worst):
            self._commit()
            self._env.make_room(worst)

    def _call_done(self) -> None:
        """Finish a call, and commit if the level or the size of the transaction requires it."""
        self._changed = True
        if self._sync_each_batch:
            self._commit()
            self.syncs += self._env.force()
        elif not self._one and self._env.pending_bytes >= TRANSACTION_BYTES:
            self._commit()

    def _commit(self) -> None:
        if not self._changed:
            return
        filling, live_ids = self._env, self._live_ids
        if self.content.name_bytes and self._named < live_ids.next_id:
            raise missing_names(self._location, live_ids.next_id - self._named)
        items = [(labels_key(first), self._blocks[first].astype("<i8").data.cast("B")) for first in sorted(self._dirty)]
        if self._deleted_any:
            items.append((GONE, live_ids.deleted.astype("<i8").data.cast("B")))
        self.content = replace(self.content, count=live_ids.count)
        manifest = write_manifest("lmdb", self.content, layout=self._layout, next=live_ids.next_id)
        transaction = filling.transaction()
        for key, value in (*items, (MANIFEST, manifest.encode("utf-8"))):
            transaction.put(key, value)
        filling.commit()
        self._dirty.clear()
        self._deleted_any = self._changed = False

    def close(self) -> None:
        """Commit, and close the environment."""
        if not self._open:
            return
        filling = self._env
        try:
            self._commit()
            if self._sync_each_batch:
                self.syncs += filling.force() + filling.force_names()
        except filling.error as error:
            raise filling.failed(error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the open transaction: the store is as the last commit left it."""
        if self._open:
            self._open = False
            self._env.close()
