"""Where a read ends: the caller's own memory, the same for every backend; and the check of what arrived there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels


class ReadBuffer:
    """Decoded pixels in memory that is kept from batch to batch and was touched before the clock started.

    Images of one shape end in one contiguous array; where shapes vary, in one array each.
    """

    def __init__(self, source: PixelCache, codec: Codec, kind: PayloadKind, batch: int) -> None:
        self._codec = codec
        self._kind = kind
        self._array: Pixels | None = source.new_array(batch) if source.uniform else None
        self.labels: Labels = np.zeros(batch, np.int64)
        self._count = 0
        self._payloads: list[bytes] = []
        self._images: list[Pixels] = []
        self.has_pixels = False
        """Whether the batch that was fetched last has been decoded, or was pixels in the first place."""

    @property
    def encoded(self) -> bool:
        """Whether what was fetched last is bytes that are to be decoded."""
        return self._kind is PayloadKind.BYTES

    def fetch(self, reader: Reader, ids: Sequence[int]) -> None:
        """Read a batch: pixels straight into the array, or payloads to be decoded."""
        self._count = len(ids)
        if self._kind is PayloadKind.ARRAY and self._array is not None:
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


class Verifier:
    """Compares what was read with the source; off the clock."""

    def __init__(self, source: PixelCache, codec: Codec, expected: Mapping[int, int] | None = None) -> None:
        """Make a verifier.

        Args:
            source: What is right.
            codec: Tells whether pixels must be equal or may be near.
            expected: The source's id of what stands under each id; None where both are the same.
        """
        self._source = source
        self._expected = expected
        self._codec = codec
        self._as_bytes = codec.from_file and source.has_originals
        self._ratios: list[float] = []

    @property
    def psnr_db(self) -> float | None:
        """Mean over the images checked, of images that differ at all; None for a lossless codec."""
        return float(np.mean(self._ratios)) if self._ratios else None

    def batch(self, ids: Sequence[int], buffer: ReadBuffer) -> None:
        """Check labels and pixels of a batch.

        Raises:
            StoreError: At the first image or label that is not the source's.
        """
        sources = ids if self._expected is None else [self._expected[image_id] for image_id in ids]
        labels = self._source.labels_of(sources)
        for position, (image_id, source_id) in enumerate(zip(ids, sources, strict=True)):
            expected = int(labels[position])
            if int(buffer.labels[position]) != expected:
                raise StoreError(f"Image {image_id} came back with label {buffer.labels[position]}, not {expected}.")
            if self._as_bytes and buffer.payload(position) != self._source.original(source_id):
                raise StoreError(f"Image {image_id} came back with other bytes than its file has.")
            if buffer.has_pixels:
                self._image(image_id, source_id, buffer.image(position))
            elif not self._as_bytes:
                raise StoreError(f"Image {image_id} was not compared: there is nothing to compare it with.")

    def labels(self, found: Labels, expected: Labels) -> None:
        """Check all labels of a store.

        Raises:
            StoreError: If their number or one of them is not the source's.
        """
        if found.shape != expected.shape:
            raise StoreError(f"The store gave {len(found)} labels, not {len(expected)}.")
        wrong = np.flatnonzero(found != expected)
        if len(wrong):
            first = int(wrong[0])
            raise StoreError(f"Image {first} came back with label {found[first]}, not {expected[first]}.")

    def _image(self, image_id: int, source_id: int, image: Pixels) -> None:
        source = self._source.image(source_id)
        if image.shape != source.shape or image.dtype != source.dtype:
            raise StoreError(
                f"Image {image_id} came back as {image.shape} {image.dtype}, not {source.shape} {source.dtype}."
            )
        # A store must keep what it was given to the bit; it is the codec that may lose, and always the same.
        lossless = self._codec.lossless or self._codec.from_file
        kept = source if lossless else self._codec.decode(self._codec.encode(source))
        if not np.array_equal(image, kept):
            raise StoreError(f"Image {image_id} came back with other pixels than were stored.")
        if lossless:
            return
        meant = self._codec.kept_pixels(source)
        error = float(np.mean(np.square(self._codec.kept_pixels(image).astype(np.float64) - meant)))
        if error:
            # PSNR = 10 log10(peak squared / mean squared error).
            self._ratios.append(10 * float(np.log10(np.iinfo(source.dtype).max ** 2 / error)))
