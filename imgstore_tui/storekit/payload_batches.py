"""Takes batches for stores that keep an image as one run of bytes, be it a payload or the pixels of an array."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

from imgstore_tui.core.manifest import check_batch, check_put
from imgstore_tui.core.reader_writer import Editor, Writer
from imgstore_tui.storekit.payload_row import image_views

if TYPE_CHECKING:
    from imgstore_tui.core.content import Content, Labels, Pixels
    from imgstore_tui.core.location import Location


class PayloadWriter(Writer):
    """Checks what it is given; a subclass puts it and counts it in ``_put``."""

    _location: Location
    _content: Content
    _put: int
    """Images put so far."""

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Put payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        if len(ids):
            self._put_payloads(ids, payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Put images, straight from the array's memory."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(ids):
            self._put_payloads(ids, image_views(images), labels)

    @abstractmethod
    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        """Put one or more payloads, which have been checked, and their labels (n,)."""


class PayloadEditor(Editor):
    """Checks what it is given; a subclass appends or replaces it."""

    _location: Location

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Append or replace payloads."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if len(ids):
            self._put_payloads(ids, payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Append or replace images, straight from the array's memory."""
        check_batch(self._location, self.content, ids, images, labels)
        if len(ids):
            self._put_payloads(ids, image_views(images), labels)

    @abstractmethod
    def _put_payloads(self, ids: Sequence[int], payloads: Sequence[bytes | memoryview], labels: Labels) -> None:
        """Append or replace one or more payloads, which have been checked, and their labels (n,)."""
