"""Previews a dataset and the scratch folder before a run: images, sizes, labels, thumbnails, free space."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.bench.run.preflight import DataSize, SpaceNeed, check_space
from imgstore_tui.bench.run.scratch import choose_scratch
from imgstore_tui.bench.system.environment import describe_environment
from imgstore_tui.core.dataset import BrokenImageError, Dataset
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.plugins import registry

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgstore_tui.core.content import Pixels

LARGEST_EDGE = 96
"""Longest edge of a thumbnail, pixels."""
MOST_LABELS_COUNTED = 20_000
"""Most images whose labels are counted."""
MOST_LABELS_NAMED = 6
"""Most labels that are named."""


class PreviewCancelledError(Exception):
    """The preview is no longer needed."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """One image, scaled down to be shown."""

    pixels: NDArray[np.uint8]
    """uint8 array (H, W, 3), no edge longer than ``LARGEST_EDGE``."""
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class DatasetPreview:
    """The preview of a dataset."""

    text: str
    """The dataset as the user wrote it."""
    size: DataSize
    summary: str
    facts: tuple[tuple[str, str], ...]
    """Name and text of further facts, harmless to a terminal."""
    thumbnails: tuple[Thumbnail, ...]


PreviewProgress = Callable[[str, int, int | None], None]
"""Called with the step, the number done and the total; may raise ``PreviewCancelledError`` to end the preview."""


def preview_dataset(
    text: str, count: int, *, thumbnails: int = 0, progress: PreviewProgress = lambda *_: None
) -> DatasetPreview:
    """Scan a dataset and return its preview. The dataset is only read, and never all of it is in memory.

    Args:
        text: The dataset as the user wrote it.
        count: Number of images that a run would use.
        thumbnails: Most thumbnails to make.
        progress: Called with the progress.

    Raises:
        PreviewCancelledError: If ``progress`` raises it.
        ImgstoreError: If the dataset cannot be read.
    """
    dataset = registry.make_dataset(text)
    dataset.image_limit = count
    dataset.scan(progress)
    progress("measuring", 0, None)
    pictures, edges = _thumbnails(dataset, thumbnails, progress) if dataset.has_pixels else ((), ())
    facts = tuple(_facts(dataset, edges, progress))
    return DatasetPreview(text, DataSize.of(dataset), dataset.summary, facts, pictures)


def _thumbnails(
    dataset: Dataset, most: int, progress: PreviewProgress
) -> tuple[tuple[Thumbnail, ...], tuple[tuple[int, int], ...]]:
    """Return thumbnails of the first images that can be decoded, and the original width and height of each."""
    thumbnails: list[Thumbnail] = []
    edges: list[tuple[int, int]] = []
    index = 0
    while len(thumbnails) < most and index < min(len(dataset), 3 * most):
        progress("decoding", len(thumbnails), most)
        with contextlib.suppress(BrokenImageError):
            pixels = dataset.image(index)
            edges.append((pixels.shape[1], pixels.shape[0]))
            thumbnails.append(Thumbnail(thumbnail(pixels), _label(dataset, index)))
        index += 1
    return tuple(thumbnails), tuple(edges)


def thumbnail(pixels: Pixels, edge: int = LARGEST_EDGE) -> NDArray[np.uint8]:
    """Return an image as 8-bit RGB, its proportions kept, no edge longer than ``edge`` pixels."""
    from imgstore_tui.images.resize import resized

    height, width = pixels.shape[:2]
    scale = min(1.0, edge / max(height, width))
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return resized(pixels, (max(1, round(width * scale)), max(1, round(height * scale))))


def _label(dataset: Dataset, index: int) -> str:
    """Return the label of an image by its name, else its number; empty if there is none."""
    return _label_text(dataset, dataset.label(index)) if dataset.has_labels else ""


def _label_text(dataset: Dataset, number: int) -> str:
    """Return the name of a label, else its number."""
    names = dataset.label_names
    return safe_text(names[number]) if 0 <= number < len(names) else str(number)


def _facts(dataset: Dataset, edges: tuple[tuple[int, int], ...], progress: PreviewProgress) -> list[tuple[str, str]]:
    facts = []
    if not dataset.has_labels:
        facts.append(("labels", f"none ({safe_text(dataset.label_note)})" if dataset.label_note else "none"))
    elif dataset.label_names:
        facts.append(("labels", _label_counts(dataset, progress)))
    excluded = dataset.excluded
    if excluded:
        first = excluded[0]
        count = counted(len(excluded), "file")
        facts.append(("left out", f"{count}, e.g. {safe_text(first.name)}: {safe_text(first.reason)}"))
    if dataset.uniform is None and edges:
        # By area: 200x320 is as large as 320x200.
        smallest, largest = (extreme(edges, key=lambda edge: edge[0] * edge[1]) for extreme in (min, max))
        low, high = (f"{width}x{height}" for width, height in (smallest, largest))
        facts.append(("sizes", low if low == high else f"{low} to {high} among those shown"))
    facts += [("caution", safe_text(warning)) for warning in dataset.warnings]
    return facts


def _label_counts(dataset: Dataset, progress: PreviewProgress) -> str:
    """Return the most frequent labels with their numbers of images."""
    total = min(len(dataset), MOST_LABELS_COUNTED)
    counts: Counter[int] = Counter()
    for index in range(total):
        if not index % 1000:
            progress("counting labels", index, total)
        counts[dataset.label(index)] += 1
    labels = [
        f"{_label_text(dataset, number)} ({format_count(count)})"
        for number, count in counts.most_common(MOST_LABELS_NAMED)
    ]
    more = len(counts) - len(labels)
    among = f" (among {format_count(total)})" if total < len(dataset) else ""
    return f"{', '.join(labels)}{f' and {more} more' if more else ''}{among}"


@dataclass(frozen=True, slots=True)
class ScratchPlace:
    """The folder in which a run would make its stores."""

    path: Path
    text: str
    """File system, device and free space, in a sentence."""

    def shortage(self, need: SpaceNeed | None) -> str:
        """Return what the folder lacks for a run, in a sentence; empty if it suffices, or the need is unknown."""
        if need is None:
            return ""
        try:
            check_space(need, self.path)
        except ImgstoreError as error:
            return str(error)
        return ""


def find_scratch_place(scratch: str | None, datasets: Sequence[str]) -> ScratchPlace:
    """Choose the scratch folder as a run would, and describe it.

    Args:
        scratch: The folder that the user asks for; None to choose one.
        datasets: The plan's datasets as the user wrote them: stores are never made among the data.

    Raises:
        ImgstoreError: If there is no such folder, or it cannot be written.
    """
    # Missing data is reported where data is chosen, and rules out no folder.
    roots = [root for text in datasets for root in registry.make_dataset(text).roots if root.exists()]
    path = choose_scratch(scratch, roots)
    environment = describe_environment(path, roots, ())
    size = environment.scratch_free_bytes
    free = "" if size is None else f", {format_bytes(size)} free"
    text = f"Stores are made in {path} ({environment.scratch_filesystem} on {environment.scratch_device}{free})."
    if environment.same_device_as_data is False:
        text += " The data is on another device."
    return ScratchPlace(path, text)
