"""Reads the pixel cache: a dataset's images, decoded once, so that each child maps them instead of decoding them.

A folder with ``pixels.bin`` (all images one after another), ``index.npy`` (offset and shape of each) and
``labels.npy``; if a codec stores the files as they are, ``originals.bin`` and ``originals.npy``; and if the files are
read in place, the list of ``source_row``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgstore_tui.core.codec import DEPTH, TRANSPARENCY
from imgstore_tui.core.errors import DataError

if TYPE_CHECKING:
    from imgstore_tui.core.codec import Codec
    from imgstore_tui.core.content import Labels, Pixels

INDEX = np.dtype([
    ("offset", "<i8"), ("bytes", "<i8"), ("height", "<i4"), ("width", "<i4"), ("channels", "<i4"), ("wide", "<i4"),
])  # fmt: skip
NO_CHANNELS = 0
"""Marks an image of shape (H, W) in the index."""

MOST_BATCH_BYTES = 16 << 20
"""A call hands over at most this, unless one image is larger.

A batch beyond the processor's caches only costs: 200 images of 512x512x3 were read a tenth faster than with 64 MiB.
"""


class PixelCache:
    """A pixel cache, mapped for reading. Ids beyond the distinct images repeat them from the start."""

    def __init__(self, folder: Path) -> None:
        """Open a pixel cache.

        Raises:
            DataError: If it is not complete.
        """
        self._index: NDArray[np.void] = np.load(folder / "index.npy", allow_pickle=False)
        self._labels: Labels = np.load(folder / "labels.npy", allow_pickle=False)
        self.has_pixels = bool(self._index["bytes"].any())
        self._pixels: NDArray[np.uint8] = np.zeros(0, np.uint8)
        if self.has_pixels:
            self._pixels = np.memmap(folder / "pixels.bin", np.uint8, "r")
            if len(self._pixels) != self._index["bytes"].sum():
                raise DataError(f"The pixel cache {folder} is not what the run has made. Start the run again.")
        self._originals: NDArray[np.uint8] | None = None
        self._original_ends: NDArray[np.int64] | None = None
        if (folder / "originals.npy").exists():
            self._originals = np.memmap(folder / "originals.bin", np.uint8, "r")
            self._original_ends = np.load(folder / "originals.npy", allow_pickle=False)
        self.distinct = len(self._index)
        shapes = np.unique(self._index[["height", "width", "channels", "wide"]])
        self.uniform: tuple[tuple[int, ...], str] | None = None
        """Shape and dtype of all images; None if they vary."""
        if len(shapes) == 1 and self.has_pixels:
            self.uniform = _shape(shapes[0]), _dtype(shapes[0])
        self.largest_bytes = int(self._index["bytes"].max())
        if self._original_ends is not None:
            self.largest_bytes = max(self.largest_bytes, int(np.diff(self._original_ends, prepend=0).max()))

    @property
    def has_originals(self) -> bool:
        """Whether the files' own bytes are kept."""
        return self._originals is not None

    def dropped_by(self, codec: Codec) -> dict[str, int]:
        """Return how many of the distinct images lose something in a codec, by what it drops."""
        affected = {TRANSPARENCY: self._index["channels"] == 4, DEPTH: self._index["wide"] != 0}
        counts = {dropped: int(images.sum()) for dropped, images in affected.items() if dropped in codec.drops}
        return {dropped: count for dropped, count in counts.items() if count}

    def image(self, image_id: int) -> Pixels:
        """Return a read-only view of the image with this id."""
        entry = self._index[image_id % self.distinct]
        raw = self._pixels[int(entry["offset"]) : int(entry["offset"] + entry["bytes"])]
        view: Pixels = raw.view(_dtype(entry)).reshape(_shape(entry))
        return view

    def original(self, image_id: int) -> bytes:
        """Return the bytes of the file of the image with this id."""
        if self._originals is None or self._original_ends is None:
            raise DataError("The pixel cache holds no original files.")
        index = image_id % self.distinct
        start = int(self._original_ends[index - 1]) if index else 0
        return self._originals[start : int(self._original_ends[index])].tobytes()

    def labels_of(self, ids: Sequence[int]) -> Labels:
        """Return the labels of the images with these ids, int64 array (n,), owned by the caller."""
        return self._labels[np.asarray(ids, np.int64) % self.distinct]

    def new_array(self, count: int, pattern: int = 1) -> Pixels:
        """Return an array (count, H, W[, C]) for uniform images, filled, so that this process has touched its pages.

        Args:
            count: Number of images.
            pattern: Value of each pixel.
        """
        if self.uniform is None:
            raise ValueError("images of varying shapes have no common array")
        shape, dtype = self.uniform
        array: Pixels = np.empty((count, *shape), dtype)
        array.fill(pattern)
        return array

    def copy_into(self, ids: Sequence[int], out: Pixels) -> None:
        """Copy uniform images into the caller's array (n, H, W[, C])."""
        if self.uniform is None:
            raise ValueError("images of varying shapes have no common array")
        shape, dtype = self.uniform
        stacked = self._pixels.view(dtype).reshape(self.distinct, *shape)
        np.take(stacked, np.asarray(ids, np.int64) % self.distinct, axis=0, out=out, mode="clip")

    def pixel_bytes(self, count: int) -> int:
        """Return the sum of the pixels of the ids 0 to ``count``, in bytes."""
        sizes = self._index["bytes"]
        full, rest = divmod(count, self.distinct)
        return int(full * sizes.sum() + sizes[:rest].sum())

    def pixel_bytes_of(self, ids: Sequence[int]) -> int:
        """Return the sum of the pixels of the images with these ids, in bytes."""
        return int(self._index["bytes"][np.asarray(ids, np.int64) % self.distinct].sum())

    def original_bytes(self, count: int) -> int:
        """Return the sum of the files of the ids 0 to ``count``, in bytes."""
        if self._original_ends is None:
            return 0
        full, rest = divmod(count, self.distinct)
        return int(full * self._original_ends[-1] + (self._original_ends[rest - 1] if rest else 0))

    def batch_size(self, most: int, most_bytes: int = MOST_BATCH_BYTES) -> int:
        """Return the images per call: at most ``most``, and fewer if they would exceed ``most_bytes``."""
        return max(1, min(most, most_bytes // max(1, self.largest_bytes)))


def _shape(entry: np.void) -> tuple[int, ...]:
    height, width, channels = int(entry["height"]), int(entry["width"]), int(entry["channels"])
    return (height, width) if channels == NO_CHANNELS else (height, width, channels)


def _dtype(entry: np.void) -> str:
    return "uint16" if entry["wide"] else "uint8"
