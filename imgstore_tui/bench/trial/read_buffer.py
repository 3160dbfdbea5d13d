"""Receives what a read returns in memory that the caller owns: the same for every backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels


class ReadBuffer:
    """Decoded pixels in memory that is reused from batch to batch and was touched before the clock started.

    Images of one shape are decoded into one contiguous array; images of varying shapes into one array each.
    """

    def __init__(self, source: PixelCache, codec: Codec, payload_kind: PayloadKind, batch: int) -> None:
        """Allocate the buffer and touch its pages.

        Args:
            source: Has the shape of the images.
            codec: Decodes payloads.
            payload_kind: The form in which the backend returns images.
            batch: Images of the largest batch.
        """
        self._codec = codec
        self._payload_kind = payload_kind
        self._array: Pixels | None = source.new_array(batch) if source.uniform else None
        self.labels: Labels = np.zeros(batch, np.int64)
        """int64 array (batch,): the labels of the batch read last."""
        self._count = 0
        self._payloads: list[bytes] = []
        self._images: list[Pixels] = []
        self.has_pixels = False
        """Whether the batch read last has been decoded, or was read as pixels."""

    @property
    def encoded(self) -> bool:
        """Whether the backend returns bytes that have to be decoded."""
        return self._payload_kind is PayloadKind.BYTES

    def fetch(self, reader: Reader, ids: Sequence[int]) -> None:
        """Read a batch: pixels straight into the array, or payloads to be decoded."""
        self._count = len(ids)
        if self._payload_kind is PayloadKind.ARRAY and self._array is not None:
            reader.read_array(ids, self._array[: self._count], self.labels[: self._count])
            self.has_pixels = True
        else:
            self._payloads = reader.read_bytes(ids, self.labels[: self._count])
            self.has_pixels = False

    def decode(self) -> None:
        """Decode the payloads of the batch."""
        decode_into = self._codec.decode_into
        if self._array is not None:
            for payload, out in zip(self._payloads, self._array, strict=False):
                decode_into(payload, out)
        else:
            decode = self._codec.decode
            self._images = [decode(payload) for payload in self._payloads]
        self.has_pixels = True

    def payload(self, position: int) -> bytes:
        """Return the bytes at a position of the batch, as they were read."""
        return self._payloads[position]

    def image(self, position: int) -> Pixels:
        """Return the image at a position of the batch."""
        if self._array is not None:
            image: Pixels = self._array[position]
            return image
        return self._images[position]
