"""Changes a Cassandra store. There is no transaction: the order of the steps keeps it a store whenever a process dies.

Appended images count when the manifest says so; a replaced one changes with its head; deleted ones are named beside the
manifest, in one step with it, before their rows go. The manifest changes only if it is what this editor has read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.cassandra.connection import connect, driver_errors
from imgstore_tui.backends.cassandra.layout import MANIFEST_ID, NAME, PENDING_ID, SYSTEM_BUCKET, look_at
from imgstore_tui.backends.cassandra.put import RowWriter
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra.driver import Session
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend

_MOST_PENDING = 3000
"""Ids that are named as deleted at a time: one request takes them."""


class CassandraEditor(PayloadEditor):
    """Puts and deletes rows; of two editors that are open at once, the second to write its manifest is refused."""

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, sync: SyncLevel) -> None:
        self._location, self._each, self._changed = location, sync is SyncLevel.BATCH, False
        session = connect(backend, location)
        self._session: Session | None = session
        try:
            with driver_errors(location, "changed"):
                state = look_at(session, location)
                self._state, self._text, self._pending = state, state.text, state.pending
                self.content, self._live_ids = state.content, state.live_ids
                self._rows = RowWriter(session, state.table, state.bucket_size, one_by_one=not backend.values["batch"])
                self._rows.largest = state.largest
        except BaseException:
            self.abort()
            raise

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        appends = self._live_ids.is_append(self._location, ids)
        session = require_open(self._session, self._location, "change")
        with driver_errors(self._location, "changed"):
            self._finish_deleting()
            # Rows of an append that was not finished are replaced by those of the next one: ids go up one by one.
            self._rows.put(ids, payloads, labels)
            if appends:
                self._live_ids.grow(len(ids))
            self._batch_done(session)

    def delete(self, ids: Sequence[int]) -> None:
        """Name the images beside the manifest, then delete their rows."""
        self._live_ids.check_each_once(self._location, ids)
        session = require_open(self._session, self._location, "change")
        with driver_errors(self._location, "changed"):
            for start in range(0, len(ids), _MOST_PENDING):
                some = [int(number) for number in ids[start : start + _MOST_PENDING]]
                self._finish_deleting()
                self._live_ids.delete(some)
                self._pending = np.array(some, np.int64)
                self._write_manifest(session)
                self._finish_deleting()
                self._batch_done(session)

    def _finish_deleting(self) -> None:
        """Delete the rows of the images that are named as deleted; they stay named until the next manifest."""
        if len(self._pending):
            self._rows.delete(self._pending.tolist())
            self._pending = self._pending[:0]

    def _batch_done(self, session: Session) -> None:
        self._changed = True
        if self._each:
            self._write_manifest(session)
            self.syncs += 1
        self.requests = session.requests

    def _write_manifest(self, session: Session) -> None:
        content, table = replace(self.content, count=self._live_ids.count), self._state.table
        text = write_manifest(
            NAME, content, next=self._live_ids.next_id, bucket=self._state.bucket_size, largest=self._rows.largest
        )
        where = f"WHERE bucket = {SYSTEM_BUCKET} AND part = 0 AND id ="
        done = session.execute(
            f"BEGIN BATCH UPDATE {table.cql} SET data = %s {where} {MANIFEST_ID} IF data = %s; "  # noqa: S608
            f"UPDATE {table.cql} SET data = %s {where} {PENDING_ID}; APPLY BATCH",
            (text.encode(), self._text.encode(), self._pending.astype("<i8").tobytes()),
        )
        if not done or done[0][0] is not True:
            raise StoreError(f"{self._location} cannot be changed: another process changes it at the same time.")
        self.content, self._text, self._changed = content, text, False

    def close(self) -> None:
        """Write the manifest, which counts the images."""
        session = self._session
        try:
            if session is not None and self._changed:
                with driver_errors(self._location, "changed"):
                    self._write_manifest(session)
                self.requests = session.requests
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connections; appended images that the manifest does not count are no part of the store."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
