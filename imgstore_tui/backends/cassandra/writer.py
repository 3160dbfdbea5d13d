"""Writes a Cassandra store: a table with its mark, rows by batches, and at the end the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.backends.cassandra.connection import connect, driver_errors
from imgstore_tui.backends.cassandra.layout import (
    MANIFEST_ID,
    NAME,
    SYSTEM_BUCKET,
    bucket_size,
    create_table,
    insert_text,
)
from imgstore_tui.backends.cassandra.put import RowWriter
from imgstore_tui.core.backend import Content
from imgstore_tui.core.manifest import check_complete, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.payload_batches import PayloadWriter
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.backends.cassandra.driver import Session
    from imgstore_tui.core.backend import Labels
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server import ServerBackend


class CassandraWriter(PayloadWriter):
    """Puts the rows of a batch by several requests at a time. Without its manifest a table is no store.

    When an acknowledged write is on the device is decided by the node, for all its clients.
    """

    _location: ServerLocation

    def __init__(self, backend: ServerBackend, location: ServerLocation, content: Content, sync: SyncLevel) -> None:
        self._location, self._content, self._put = location, content, 0
        self._each = sync is SyncLevel.BATCH
        self._bucket = bucket_size(content, int(backend.values["bucket"]))
        session = connect(backend, location)
        self._session: Session | None = session
        try:
            with driver_errors(location, "made"):
                self._table = create_table(session, location, str(backend.values["compression"]))
                self._rows = RowWriter(session, self._table, self._bucket, one_by_one=not backend.values["batch"])
        except BaseException:
            self.abort()
            raise

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        session = require_open(self._session, self._location, "put")
        with driver_errors(self._location, "written"):
            self._rows.put(ids, payloads, labels)
        self._put += len(ids)
        self.syncs += self._each
        self.requests = session.requests

    def close(self) -> None:
        """Put the manifest."""
        if self._session is None:
            return
        try:
            check_complete(self._location, self._content, self._put)
            text = write_manifest(NAME, self._content, bucket=self._bucket, largest=self._rows.largest)
            row = (SYSTEM_BUCKET, MANIFEST_ID, 0, None, text.encode(), None, None)
            with driver_errors(self._location, "written"):
                self._session.execute(insert_text(self._table, "%s"), row)
            self.syncs += self._each
            self.requests = self._session.requests
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connections; what was put stays, without a manifest."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
