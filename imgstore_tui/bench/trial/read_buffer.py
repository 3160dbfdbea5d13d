"""Receives what a read returns in memory that the caller owns: the same for every backend."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

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
        # No image and no label is likely to be what the memory holds before the first call.
        pattern = os.urandom(9)
        self._array: Pixels | None = source.new_array(batch, pattern[0]) if source.uniform else None
        self._bytes = None if self._array is None else self._array.reshape(-1).view(np.uint8)
        if self._bytes is not None:
            self._bytes[1::2] = 255 - pattern[0]  # else images of one value could be what it holds, once in 256 times
        self.image_bytes = 0 if self._bytes is None else len(self._bytes) // batch
        """Bytes of each image in the array; 0 where there is none."""
        self.labels: Labels = np.full(batch, int.from_bytes(pattern[1:], "little", signed=True), np.int64)
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

    def invert_bytes(
        self, fractions: NDArray[np.float64], offsets: NDArray[np.int64] | None, *, payloads: bool = False
    ) -> NDArray[np.uint8]:
        """Return bytes of each image of the batch, and invert them in the array that the next batch overwrites.

        Args:
            fractions: Array (n, k): where in each image, 0 to 1.
            offsets: The same as offsets into the array, (batch, k); None where there is no array.
            payloads: Whether payloads count even where they have been decoded.

        Returns:
            Array (n, k); of payloads where nothing has been decoded.
        """
        decoded = self.has_pixels and not payloads
        if self._bytes is not None and offsets is not None and decoded:
            places = offsets[: self._count]
            values = self._bytes[places]
            self._bytes[places] = ~values
            return values
        images: Sequence[Pixels | bytes] = self._images if decoded else self._payloads
        if len(images) != self._count:
            return np.zeros(fractions.shape, np.uint8)
        return np.array([_bytes_of(image, some) for image, some in zip(images, fractions, strict=True)], np.uint8)

    def invert_labels(self) -> Labels:
        """Return the labels of the batch, and invert them where the next batch is read to."""
        labels = self.labels[: self._count].copy()
        self.labels[: self._count] = ~labels
        return labels

    def payload(self, position: int) -> bytes:
        """Return the bytes at a position of the batch, as they were read."""
        return self._payloads[position]

    def image(self, position: int) -> Pixels:
        """Return the image at a position of the batch."""
        if self._array is not None:
            image: Pixels = self._array[position]
            return image
        return self._images[position]


def _bytes_of(image: Pixels | bytes, fractions: NDArray[np.float64]) -> list[int]:
    if isinstance(image, np.ndarray):
        values: list[int] = (image.flat[(fractions * image.size).astype(np.int64)] & 255).tolist()
        return values
    return [image[int(fraction * len(image))] for fraction in fractions] if image else [0] * len(fractions)
