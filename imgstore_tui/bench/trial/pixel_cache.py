"""The pixel cache: a dataset's images laid out once, so that children map them instead of decoding them again.

A folder with ``pixels.bin`` (all images one after another), ``index.npy`` (where each is and what shape it has),
``labels.npy``; where a codec stores the files as they are, ``originals.bin`` and ``originals.npy``; and where the files
are read in place, the list that ``inplace`` keeps of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from imgstore_tui.bench.trial.source_row import ListedFile, write_list
from imgstore_tui.core.codec import DEPTH, TRANSPARENCY
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.model import DatasetFacts

if TYPE_CHECKING:
    from imgstore_tui.core.codec import Codec
    from imgstore_tui.core.content import Labels, Pixels

_INDEX = np.dtype([
    ("offset", "<i8"), ("bytes", "<i8"), ("height", "<i4"), ("width", "<i4"), ("channels", "<i4"), ("wide", "<i4"),
])  # fmt: skip
_NO_CHANNELS = 0
"""Marks an image of shape (H, W) in the index."""

_NO_PIXELS = np.zeros((0, 0), np.uint8)
"""Stands for the image of a file that is not decoded."""
_KEPT_EXCLUSIONS = 1_000
MOST_BATCH_BYTES = 16 << 20
"""A call hands over no more than this, unless one image is larger.

Beyond the caches a larger batch only costs: 200 images of 512x512x3 were read a tenth faster than with 64 MiB.
"""


class PixelCache:
    """A pixel cache opened for reading. Ids beyond the distinct images repeat them from the start."""

    def __init__(self, folder: Path) -> None:
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
        kinds = np.unique(self._index[["height", "width", "channels", "wide"]])
        self.uniform: tuple[tuple[int, ...], str] | None = None
        if len(kinds) == 1 and self.has_pixels:
            self.uniform = _shape(kinds[0]), _dtype(kinds[0])
        self.largest_bytes = int(self._index["bytes"].max())
        if self._original_ends is not None:
            self.largest_bytes = max(self.largest_bytes, int(np.diff(self._original_ends, prepend=0).max()))

    @property
    def has_originals(self) -> bool:
        """Whether the files' own bytes are kept."""
        return self._originals is not None

    def dropped_by(self, codec: Codec) -> dict[str, int]:
        """Return what of the pixels the codec drops, and of how many of the distinct images."""
        having = {TRANSPARENCY: self._index["channels"] == 4, DEPTH: self._index["wide"] != 0}
        counts = {what: int(which.sum()) for what, which in having.items() if what in codec.drops}
        return {what: count for what, count in counts.items() if count}

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
        """Return owned labels of the images with these ids."""
        return self._labels[np.asarray(ids, np.int64) % self.distinct]

    def new_array(self, count: int) -> Pixels:
        """Return an array for ``count`` uniform images whose pages are already the process's own."""
        if self.uniform is None:
            raise ValueError("images of varying shapes have no common array")
        shape, dtype = self.uniform
        array: Pixels = np.empty((count, *shape), dtype)
        array.fill(1)
        return array

    def copy_into(self, ids: Sequence[int], out: Pixels) -> None:
        """Copy uniform images into the caller's array."""
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
        """Return how many images a call hands over: ``most``, fewer where they would pass ``most_bytes``."""
        return max(1, min(most, most_bytes // max(1, self.largest_bytes)))


def _shape(entry: np.void) -> tuple[int, ...]:
    height, width, channels = int(entry["height"]), int(entry["width"]), int(entry["channels"])
    return (height, width) if channels == _NO_CHANNELS else (height, width, channels)


def _dtype(entry: np.void) -> str:
    return "uint16" if entry["wide"] else "uint8"


def build_pixel_cache(
    dataset: Dataset,
    text: str,
    count: int,
    folder: Path,
    *,
    originals: bool,
    in_place: bool = False,
    progress: Callable[[int, int], None],
    cancel: Event,
) -> DatasetFacts:
    """Write the pixel cache of the first ``count`` readable images of a scanned dataset.

    Args:
        dataset: The dataset, scanned.
        text: The dataset as the plan names it.
        count: The largest cutoff; fewer images are used where the dataset has fewer.
        folder: Folder to write into; exists, empty.
        originals: Whether to keep the files' own bytes too.
        in_place: Whether to keep a list of the files, so that they can be read where they lie.
        progress: Called with images done and in all, now and then.
        cancel: When set, stops early with what there is (the caller gives up anyway).

    Returns:
        What the dataset is and which images are used.

    Raises:
        DataError: If not one image can be read, or originals are asked of a dataset that has none.
    """
    if originals and not dataset.has_originals:
        raise DataError(f"The codec 'original' needs picture files stored as they are; {dataset.summary} has none.")
    wanted = min(count, len(dataset))
    entries: list[tuple[int, ...]] = []
    labels: list[int] = []
    ends: list[int] = []
    listed: list[ListedFile] = []
    broken: list[Excluded] = []
    digest = hashlib.sha256()
    offset = 0
    index = -1
    with (folder / "pixels.bin").open("wb") as pixels, (folder / "originals.bin").open("wb") as files:
        # A dataset may find another image where one turns out to be broken, so its length is asked for each time.
        while (index := index + 1) < len(dataset) and len(entries) < wanted and not cancel.is_set():
            try:
                image = np.ascontiguousarray(dataset.image(index)) if dataset.has_pixels else _NO_PIXELS
                data = dataset.original(index) if originals else b""
                label = int(dataset.label(index))
                if in_place:
                    listed.append(_listed(dataset, index, label))
            except BrokenImageError as error:
                broken.append(error.excluded)
                continue
            digest.update(f"{image.shape}{image.dtype}{label};".encode())
            digest.update(image.data if dataset.has_pixels else data)
            pixels.write(image.data)
            files.write(data)
            channels = image.shape[2] if image.ndim == 3 else _NO_CHANNELS
            entries.append((offset, image.nbytes, *image.shape[:2], channels, int(image.dtype == np.uint16)))
            labels.append(label)
            ends.append((ends[-1] if ends else 0) + len(data))
            offset += image.nbytes
            if not len(entries) % 64:
                progress(len(entries), wanted)
    if not entries:
        reason = f" ({broken[0].reason})" if broken else ""
        raise DataError(f"{dataset.summary}: not one image can be read{reason}.")
    index_array = np.array(entries, _INDEX)
    np.save(folder / "index.npy", index_array)
    np.save(folder / "labels.npy", np.array(labels, np.int64))
    if originals:
        np.save(folder / "originals.npy", np.array(ends, np.int64))
    else:
        (folder / "originals.bin").unlink()
    if in_place:
        write_list(folder, listed)
    progress(len(entries), wanted)
    uniform = PixelCache(folder).uniform
    excluded = (*dataset.excluded, *broken)
    return DatasetFacts(
        text=text,
        summary=dataset.summary,
        images=len(dataset) - len(broken),
        used=len(entries),
        repeated=count > len(entries),
        shape=uniform[0] if uniform else None,
        dtype=uniform[1] if uniform else None,
        pixel_bytes=offset,
        original_bytes=sum(file.size for file in listed) if in_place else ends[-1] if originals else None,
        fingerprint=digest.hexdigest(),
        label_names=dataset.label_names,
        excluded=tuple((entry.name, entry.reason) for entry in excluded[:_KEPT_EXCLUSIONS]),
        excluded_count=len(excluded),
    )


def _listed(dataset: Dataset, index: int, label: int) -> ListedFile:
    path = dataset.file(index)
    try:
        return ListedFile.of(path, label)
    except OSError as error:
        raise BrokenImageError(path.name, f"The file cannot be found any more: {error.strerror}.") from None
