"""Changes a store on a server that has transactions: what is not committed is no part of the store."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from imgstore_tui.core.manifest import write_manifest
from imgstore_tui.storekit.payload_batches import PayloadEditor
from imgstore_tui.storekit.store_errors import require_open

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels
    from imgstore_tui.core.live_ids import LiveIds
    from imgstore_tui.core.location import ServerLocation
    from imgstore_tui.storekit.server_errors import ErrorContext


class _Connection(Protocol):
    def close(self) -> None:
        """Close it; what was not committed is taken back."""


ConnectionT = TypeVar("ConnectionT", bound=_Connection)


class TransactionEditor(PayloadEditor, Generic[ConnectionT]):
    """One transaction from opening to closing; where each call must be durable, one a call.

    A subclass connects, begins the first transaction, and sets all that is declared here.
    """

    _location: ServerLocation
    _backend_name: str
    _errors: ErrorContext
    """Turns the driver's errors into a sentence."""
    _connection: ConnectionT | None
    _live_ids: LiveIds
    _each: bool
    """Whether each call must be durable."""
    _changed: bool = False

    @abstractmethod
    def _put_rows(
        self, connection: ConnectionT, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels,
        *, replace_rows: bool,
    ) -> None:  # fmt: skip
        """Insert or replace one row a payload, and count the requests."""

    @abstractmethod
    def _delete_rows(self, connection: ConnectionT, ids: Sequence[int]) -> None:
        """Delete rows, and count the requests."""

    @abstractmethod
    def _commit_manifest(self, connection: ConnectionT, manifest: str, *, more: bool) -> None:
        """Let the store say what it holds, commit both, begin anew where more follows, and count the requests."""

    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        appends = self._live_ids.is_append(self._location, ids)
        connection = require_open(self._connection, self._location, "change")
        with self._errors(self._location, "changed"):
            self._put_rows(connection, ids, payloads, labels, replace_rows=not appends)
            if appends:
                self._live_ids.grow(len(ids))
            self._call_done(connection)

    def delete(self, ids: Sequence[int]) -> None:
        """Delete images; the server uses their room again when it likes."""
        self._live_ids.check_each_once(self._location, ids)
        if not len(ids):
            return
        connection = require_open(self._connection, self._location, "change")
        with self._errors(self._location, "changed"):
            self._delete_rows(connection, ids)
            self._live_ids.delete(ids)
            self._call_done(connection)

    def _call_done(self, connection: ConnectionT) -> None:
        self._changed = True
        if self._each:
            self._commit(connection, more=True)

    def _commit(self, connection: ConnectionT, *, more: bool) -> None:
        content = replace(self.content, count=self._live_ids.count)
        manifest = write_manifest(self._backend_name, content, next=self._live_ids.next_id)
        self._commit_manifest(connection, manifest, more=more)
        self.content, self._changed = content, False
        self.syncs += self._each

    def close(self) -> None:
        """Commit, and close the connection."""
        try:
            if self._connection is not None and self._changed:
                with self._errors(self._location, "changed"):
                    self._commit(self._connection, more=False)
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the connection, which takes back what was not committed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
