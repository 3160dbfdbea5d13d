"""Checks what a reader is given before a subclass reads it: ids, arrays, kind of payload."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.live_ids import LiveIds
from imgstore_tui.core.manifest import IdSpan, check_ids, check_out

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels
    from imgstore_tui.core.location import Location


class CheckedReader(Reader):
    """Checks that ids exist and arrays fit, for stores in which nothing can be deleted; a subclass reads."""

    _location: Location

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Check the arguments, and read images into the caller's array."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        span = self._check_ids(ids)
        if len(ids):
            self._read_into(ids, span, out, labels)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Check the ids, and read payloads."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        span = self._check_ids(ids)
        return self._read_payloads(ids, span, labels) if len(ids) else []

    def read_image(self, image_id: int) -> Pixels:
        """Check the id, and read one image into an array of its own."""
        content = self.content
        if content.kind is not PayloadKind.ARRAY:
            return super().read_image(image_id)
        span = self._check_ids([image_id])
        out: Pixels = np.empty((1, *(content.shape or ())), content.dtype)
        self._read_pixels([image_id], span, out)
        image: Pixels = out[0]
        return image

    def _read_pixels(self, ids: Sequence[int], span: IdSpan | None, out: Pixels) -> None:
        """Read images into an array (n, ...) as ``_read_into`` does; a subclass may spare the labels."""
        self._read_into(ids, span, out, np.empty(len(ids), np.int64))

    def _check_ids(self, ids: Sequence[int]) -> IdSpan | None:
        """Check that every id exists, and return their span if they ascend one by one.

        Raises:
            StoreError: If an id does not exist.
        """
        return check_ids(self._location, self.content.count, ids)

    @abstractmethod
    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Read one or more images and labels into arrays (n, ...) and (n,); ids and arrays have been checked."""

    @abstractmethod
    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return one or more payloads, and read their labels into an array (n,); the ids have been checked."""


class LiveIdsReader(CheckedReader):
    """Checks ids and arrays for stores in which images can be deleted."""

    live_ids: LiveIds

    def _check_ids(self, ids: Sequence[int]) -> IdSpan | None:
        return self.live_ids.check(self._location, ids)

    def ids(self) -> Sequence[int]:
        """Return the ids that were not deleted."""
        return self.live_ids.ids()
