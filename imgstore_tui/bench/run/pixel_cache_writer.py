"""Writes the pixel cache of a dataset, before the first trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.bench.trial.pixel_cache import INDEX, NO_CHANNELS, PixelCache
from imgstore_tui.bench.trial.source_row import ListedFile, write_list
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.fingerprint import Fingerprint
from imgstore_tui.core.model import DatasetFacts

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_NO_PIXELS: Pixels = np.zeros((0, 0), np.uint8)
"""Stands for the image of a file that is not decoded."""
_KEPT_EXCLUSIONS = 1_000


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
        text: The dataset as written in the plan.
        count: The largest cutoff; fewer images are used where the dataset has fewer.
        folder: Folder to write into; exists, empty.
        originals: Whether to keep the files' own bytes too.
        in_place: Whether to keep a list of the files, so that they can be read in place.
        progress: Called now and then with the number of images done and of all.
        cancel: When set, stops early with a partial cache, which the caller discards.

    Returns:
        Facts of the dataset and of the images that are used.

    Raises:
        DataError: If no image can be read, or the dataset has no original files and they are needed.
    """
    if originals and not dataset.has_originals:
        raise DataError(f"The codec 'original' needs picture files stored as they are; {dataset.summary} has none.")
    total = min(count, len(dataset))
    entries: list[tuple[int, ...]] = []
    labels: list[int] = []
    ends: list[int] = []
    listed: list[ListedFile] = []
    broken: list[Excluded] = []
    fingerprint = Fingerprint(has_labels=dataset.has_labels)
    offset = 0
    index = -1
    with (folder / "pixels.bin").open("wb") as pixels, (folder / "originals.bin").open("wb") as files:
        # A dataset may offer another image in place of a broken one, so its length may change.
        while (index := index + 1) < len(dataset) and len(entries) < total and not cancel.is_set():
            try:
                image = dataset.image(index) if dataset.has_pixels else _NO_PIXELS
                data = dataset.original(index) if originals else b""
                label = int(dataset.label(index))
                if in_place:
                    listed.append(_listed(dataset, index, label))
            except BrokenImageError as error:
                broken.append(error.excluded)
                continue
            if dataset.has_pixels:
                fingerprint.add(image, label)
            else:
                fingerprint.add_file(data, label)
            pixels.write(np.ascontiguousarray(image).data)
            files.write(data)
            channels = image.shape[2] if image.ndim == 3 else NO_CHANNELS
            entries.append((offset, image.nbytes, *image.shape[:2], channels, int(image.dtype == np.uint16)))
            labels.append(label)
            ends.append((ends[-1] if ends else 0) + len(data))
            offset += image.nbytes
            if not len(entries) % 64:
                progress(len(entries), total)
    if not entries:
        reason = f" ({broken[0].reason})" if broken else ""
        raise DataError(f"{dataset.summary}: not one image can be read{reason}.")
    np.save(folder / "index.npy", np.array(entries, INDEX))
    np.save(folder / "labels.npy", np.array(labels, np.int64))
    if originals:
        np.save(folder / "originals.npy", np.array(ends, np.int64))
    else:
        (folder / "originals.bin").unlink()
    if in_place:
        write_list(folder, listed)
    progress(len(entries), total)
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
        fingerprint=fingerprint.hexdigest(),
        label_names=dataset.label_names,
        has_labels=dataset.has_labels,
        label_note=dataset.label_note,
        excluded=tuple((entry.name, entry.reason) for entry in excluded[:_KEPT_EXCLUSIONS]),
        excluded_count=len(excluded),
    )


def _listed(dataset: Dataset, index: int, label: int) -> ListedFile:
    path = dataset.file(index)
    try:
        return ListedFile.of(path, label)
    except OSError as error:
        raise BrokenImageError(path.name, f"The file cannot be found any more: {error.strerror}.") from None
