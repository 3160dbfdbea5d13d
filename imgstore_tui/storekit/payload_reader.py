"""Reads stores that give an image as one run of bytes, in whatever order they like."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from imgstore_tui.core.manifest import IdSpan, image_bytes
from imgstore_tui.storekit.checked_reader import LiveIdsReader
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

Image: TypeAlias = tuple[int, int, bytes]
"""Position of an image in the batch, its label and its payload."""


class PayloadReader(LiveIdsReader):
    """Puts images where they belong in the batch; a subclass asks for them."""

    @abstractmethod
    def _images(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[Image]:
        """Yield one image an id, in any order; the ids have been checked."""

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy one payload an id straight into the caller's array."""
        size = image_bytes(self.content)
        pixels = out.data.cast("B")
        for position, label, data in self._images(ids, span):
            if len(data) != size:
                raise damaged_error(self._location, f"an image in it is not of {size} bytes")
            pixels[position * size : (position + 1) * size] = data
            labels[position] = label

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return one payload an id."""
        payloads = [b""] * len(ids)
        for position, label, data in self._images(ids, span):
            labels[position] = label
            payloads[position] = data
        return payloads
