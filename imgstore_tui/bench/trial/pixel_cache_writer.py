"""Writes the pixel cache of a dataset, before the first trial."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
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
_NAMED_EXCLUSIONS = 1_000
"""Images left out that the facts name; all are counted."""
_REPORT_EVERY = 64
"""Images between two reports of progress."""


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
        raise DataError(
            f"The codec 'original' needs picture files stored as they are; {dataset.summary} has none. Take the method "
            "without +original, or with a codec that encodes pixels, e.g. lmdb or lmdb+png."
        )
    total = min(count, len(dataset))
    written = _write_images(dataset, total, folder, originals, in_place, progress, cancel)
    used, broken = len(written.entries), written.broken
    if not used:
        reason = f" ({broken[0].reason})" if broken else ""
        raise DataError(f"{dataset.summary}: not one image can be read{reason}.")
    _write_index(written, folder, originals, in_place)
    progress(used, total)
    uniform = PixelCache(folder).uniform
    excluded = (*dataset.excluded, *broken)
    original_bytes = written.ends[-1] if originals else None
    return DatasetFacts(
        text=text,
        summary=dataset.summary,
        images=len(dataset) - len(broken),
        used=used,
        repeated=count > used,
        shape=uniform[0] if uniform else None,
        dtype=uniform[1] if uniform else None,
        pixel_bytes=written.pixel_bytes,
        original_bytes=sum(file.size for file in written.listed) if in_place else original_bytes,
        fingerprint=written.fingerprint.hexdigest(),
        label_names=dataset.label_names,
        has_labels=dataset.has_labels,
        label_note=dataset.label_note,
        excluded=tuple((entry.name, entry.reason) for entry in excluded[:_NAMED_EXCLUSIONS]),
        excluded_count=len(excluded),
    )


@dataclass(slots=True)
class _Written:
    """What was written of a dataset, image by image."""

    fingerprint: Fingerprint
    entries: list[tuple[int, ...]] = field(default_factory=list)
    """Rows of the index: offset, bytes, height, width, channels, and whether values have 16 bits."""
    labels: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """Offsets in ``originals.bin`` at which the files end."""
    listed: list[ListedFile] = field(default_factory=list)
    """The files, if they are read in place."""
    broken: list[Excluded] = field(default_factory=list)
    """Images that cannot be read."""
    pixel_bytes: int = 0


def _write_images(
    dataset: Dataset, total: int, folder: Path, originals: bool, in_place: bool, progress: Callable[[int, int], None],
    cancel: Event,
) -> _Written:  # fmt: skip
    """Write pixels and files of the first ``total`` readable images of a dataset, see ``build_pixel_cache``."""
    written = _Written(Fingerprint(has_labels=dataset.has_labels))
    entries = written.entries
    index = -1
    with (folder / "pixels.bin").open("wb") as pixels, (folder / "originals.bin").open("wb") as files:
        # A dataset may offer another image in place of a broken one, so its length may change.
        while (index := index + 1) < len(dataset) and len(entries) < total and not cancel.is_set():
            try:
                image = dataset.image(index) if dataset.has_pixels else _NO_PIXELS
                data = dataset.original(index) if originals else b""
                label = int(dataset.label(index))
                if in_place:
                    written.listed.append(_listed(dataset, index, label))
            except BrokenImageError as error:
                written.broken.append(error.excluded)
                continue
            if dataset.has_pixels:
                written.fingerprint.add(image, label)
            else:
                written.fingerprint.add_file(data, label)
            pixels.write(np.ascontiguousarray(image).data)
            files.write(data)
            channels = image.shape[2] if image.ndim == 3 else NO_CHANNELS
            is_16_bit = int(image.dtype == np.uint16)
            entries.append((written.pixel_bytes, image.nbytes, *image.shape[:2], channels, is_16_bit))
            written.labels.append(label)
            written.ends.append((written.ends[-1] if written.ends else 0) + len(data))
            written.pixel_bytes += image.nbytes
            if not len(entries) % _REPORT_EVERY:
                progress(len(entries), total)
    return written


def _write_index(written: _Written, folder: Path, originals: bool, in_place: bool) -> None:
    """Write where each image lies in the pixel cache, and what else is known of it, see ``build_pixel_cache``."""
    np.save(folder / "index.npy", np.array(written.entries, INDEX))
    np.save(folder / "labels.npy", np.array(written.labels, np.int64))
    if originals:
        np.save(folder / "originals.npy", np.array(written.ends, np.int64))
    else:
        (folder / "originals.bin").unlink()
    if in_place:
        write_list(folder, written.listed)


def _listed(dataset: Dataset, index: int, label: int) -> ListedFile:
    """Return an image's file as it is listed for reading in place.

    Raises:
        BrokenImageError: If the file is gone.
    """
    path = dataset.file(index)
    try:
        return ListedFile.of(path, label)
    except OSError as error:
        raise BrokenImageError(path.name, f"The file cannot be found any more: {error.strerror}.") from None
