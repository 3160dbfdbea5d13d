"""Reading a store: what is checked before anything of it is looked at, whatever it is stored in."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.live_ids import LiveIds
from imgstore_tui.core.manifest import IdSpan, check_ids, check_out

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels
    from imgstore_tui.core.location import Location


class CheckedReader(Reader):
    """Sees to it that what is asked for is there and fits; a subclass reads it. Nothing in it is ever deleted."""

    _location: Location

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Read images into the caller's array."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        span = self._check_ids(ids)
        if len(ids):
            self._read_into(ids, span, out, labels)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Read payloads."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        span = self._check_ids(ids)
        return self._read_payloads(ids, span, labels) if len(ids) else []

    def _check_ids(self, ids: Sequence[int]) -> IdSpan | None:
        """Check that all ids are there.

        Raises:
            StoreError: If one is not.
        """
        return check_ids(self._location, self.content.count, ids)

    @abstractmethod
    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Read images and labels, at least one of each; all exist, and the arrays fit."""

    @abstractmethod
    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return payloads and read their labels, at least one of each; all exist."""


class LiveIdsReader(CheckedReader):
    """The same for a store in which images may be deleted."""

    live_ids: LiveIds

    def _check_ids(self, ids: Sequence[int]) -> IdSpan | None:
        return self.live_ids.check(self._location, ids)

    def ids(self) -> Sequence[int]:
        """Return the ids that were not deleted."""
        return self.live_ids.ids()
