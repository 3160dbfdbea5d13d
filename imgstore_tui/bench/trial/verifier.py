"""Compares what was read from a store with the source, off the clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError

if TYPE_CHECKING:
    from imgstore_tui.bench.trial.read_buffer import ReadBuffer
    from imgstore_tui.core.content import Labels, Pixels


class Verifier:
    """Checks labels and pixels: lossless codecs bit by bit, lossy ones against what the codec makes of the source."""

    def __init__(self, source: PixelCache, codec: Codec, source_ids: Mapping[int, int] | None = None) -> None:
        """Prepare to verify stores of one source.

        Args:
            source: Holds the right images and labels.
            codec: The codec of the store.
            source_ids: The source's id of each image id of the store; None if they are the same.
        """
        self._source = source
        self._source_ids = source_ids
        self._codec = codec
        self._as_bytes = codec.from_file and source.has_originals
        self._psnr_db: list[float] = []

    @property
    def psnr_db(self) -> float | None:
        """Mean peak signal-to-noise ratio over the checked images that differ, dB; None for a lossless codec."""
        return float(np.mean(self._psnr_db)) if self._psnr_db else None

    def check_batch(self, ids: Sequence[int], buffer: ReadBuffer) -> None:
        """Check labels and pixels of a batch.

        Args:
            ids: The images that were read.
            buffer: What came back.

        Raises:
            StoreError: At the first image or label that differs from the source.
        """
        source_ids = ids if self._source_ids is None else [self._source_ids[image_id] for image_id in ids]
        labels = self._source.labels_of(source_ids)
        for position, (image_id, source_id) in enumerate(zip(ids, source_ids, strict=True)):
            expected = int(labels[position])
            if int(buffer.labels[position]) != expected:
                raise StoreError(f"Image {image_id} came back with label {buffer.labels[position]}, not {expected}.")
            if self._as_bytes and buffer.payload(position) != self._source.original(source_id):
                raise StoreError(f"Image {image_id} came back with other bytes than its file has.")
            if buffer.has_pixels:
                self._check_image(image_id, source_id, buffer.image(position))
            elif not self._as_bytes:
                raise StoreError(f"Image {image_id} was not compared: there is nothing to compare it with.")

    def check_labels(self, labels: Labels, expected: Labels) -> None:
        """Check all labels of a store.

        Args:
            labels: int64 array (n,), as read.
            expected: int64 array (n,), the source's.

        Raises:
            StoreError: If their number or one of them differs from the source.
        """
        if labels.shape != expected.shape:
            raise StoreError(f"The store gave {len(labels)} labels, not {len(expected)}.")
        wrong = np.flatnonzero(labels != expected)
        if len(wrong):
            first = int(wrong[0])
            raise StoreError(f"Image {first} came back with label {labels[first]}, not {expected[first]}.")

    def _check_image(self, image_id: int, source_id: int, image: Pixels) -> None:
        source = self._source.image(source_id)
        if image.shape != source.shape or image.dtype != source.dtype:
            raise StoreError(
                f"Image {image_id} came back as {image.shape} {image.dtype}, not {source.shape} {source.dtype}."
            )
        # A store must keep what it was given to the bit; only the codec may lose, and always the same.
        lossless = self._codec.lossless or self._codec.from_file
        stored = source if lossless else self._codec.decode(self._codec.encode(source))
        if not np.array_equal(image, stored):
            raise StoreError(f"Image {image_id} came back with other pixels than were stored.")
        if lossless:
            return
        expected = self._codec.kept_pixels(source)
        error = float(np.mean(np.square(self._codec.kept_pixels(image).astype(np.float64) - expected)))
        if error:
            # PSNR = 10 log10(peak squared / mean squared error).
            self._psnr_db.append(10 * float(np.log10(np.iinfo(source.dtype).max ** 2 / error)))
