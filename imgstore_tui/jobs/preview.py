"""A look at data before it is measured: how much there is, of what size, with what labels, and a few pictures."""

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
"""Pictures are shown no larger than this many pixels."""
MOST_LABELS_COUNTED = 20_000
"""Labels of so many images are counted at most."""
MOST_LABELS_NAMED = 6
"""So many labels are named."""


class PreviewCancelledError(Exception):
    """Whoever wanted to look does not any more."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """One image, small enough to be shown."""

    pixels: NDArray[np.uint8]
    """uint8 array (H, W, 3), no edge longer than ``LARGEST_EDGE``."""
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class DatasetPreview:
    """What was seen."""

    text: str
    """The dataset as written."""
    size: DataSize
    summary: str
    facts: tuple[tuple[str, str], ...]
    """Name and words of what else is to be known; nothing in them is obeyed by a terminal."""
    thumbnails: tuple[Thumbnail, ...]


PreviewProgress = Callable[[str, int, int | None], None]
"""Told what is being done, how many are done, and of how many; raises ``PreviewCancelledError`` to end it."""


def preview_dataset(
    text: str, wanted: int, *, pictures: int = 0, progress: PreviewProgress = lambda *_: None
) -> DatasetPreview:
    """Look at a dataset. It is only read, and never all of it is in memory.

    Args:
        text: The dataset as written.
        wanted: How many images a run would use.
        pictures: How many images to show.
        progress: Told how far it is.

    Raises:
        LeftError: If ``progress`` raised it.
        ImgstoreError: If there is nothing to be seen, and why, in a sentence.
    """
    dataset = registry.make_dataset(text)
    dataset.wanted = wanted
    dataset.scan(progress)
    progress("measuring", 0, None)
    shown, edges = _shown(dataset, pictures, progress) if dataset.has_pixels else ((), ())
    return DatasetPreview(text, DataSize.of(dataset), dataset.summary, tuple(_facts(dataset, edges, progress)), shown)


def _shown(
    dataset: Dataset, wanted: int, progress: PreviewProgress
) -> tuple[tuple[Thumbnail, ...], tuple[tuple[int, int], ...]]:
    """Return the first images that can be decoded, small, and width and height of each as it is."""
    shown: list[Thumbnail] = []
    edges: list[tuple[int, int]] = []
    index = 0
    while len(shown) < wanted and index < min(len(dataset), 3 * wanted):
        progress("decoding", len(shown), wanted)
        with contextlib.suppress(BrokenImageError):
            pixels = dataset.image(index)
            edges.append((pixels.shape[1], pixels.shape[0]))
            shown.append(Thumbnail(thumbnail(pixels), _label(dataset, index)))
        index += 1
    return tuple(shown), tuple(edges)


def thumbnail(pixels: Pixels, edge: int = LARGEST_EDGE) -> NDArray[np.uint8]:
    """Return an image as 8-bit RGB, its proportions kept, no edge longer than ``edge`` pixels."""
    from imgstore_tui.images.resize import resized

    height, width = pixels.shape[:2]
    scale = min(1.0, edge / max(height, width))
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return resized(pixels, (max(1, round(width * scale)), max(1, round(height * scale))))


def _label(dataset: Dataset, index: int) -> str:
    number = dataset.label(index)
    names = dataset.label_names
    return safe_text(names[number]) if 0 <= number < len(names) else str(number)


def _facts(dataset: Dataset, edges: tuple[tuple[int, int], ...], progress: PreviewProgress) -> list[tuple[str, str]]:
    facts = []
    if dataset.label_names:
        facts.append(("labels", _label_words(dataset, progress)))
    excluded = dataset.excluded
    if excluded:
        first = excluded[0]
        count = counted(len(excluded), "file")
        facts.append(("left out", f"{count}, e.g. {safe_text(first.name)}: {safe_text(first.reason)}"))
    if dataset.uniform is None and edges:
        # By how many pixels: 200x320 is no smaller than 320x200.
        small_one, large = (pick(edges, key=lambda edge: edge[0] * edge[1]) for pick in (min, max))
        low, high = (f"{width}x{height}" for width, height in (small_one, large))
        facts.append(("sizes", low if low == high else f"{low} to {high} among those shown"))
    facts += [("mind", safe_text(warning)) for warning in dataset.warnings]
    return facts


def _label_words(dataset: Dataset, progress: PreviewProgress) -> str:
    names, counted = dataset.label_names, min(len(dataset), MOST_LABELS_COUNTED)
    counts: Counter[int] = Counter()
    for index in range(counted):
        if not index % 1000:
            progress("counting labels", index, counted)
        counts[dataset.label(index)] += 1
    words = [
        f"{safe_text(names[number]) if 0 <= number < len(names) else number} {format_count(count)}"
        for number, count in counts.most_common(MOST_LABELS_NAMED)
    ]
    more = len(counts) - len(words)
    among = f" (among {format_count(counted)})" if counted < len(dataset) else ""
    return f"{', '.join(words)}{f' and {more} more' if more else ''}{among}"


@dataclass(frozen=True, slots=True)
class ScratchPlace:
    """Where stores would be made."""

    path: Path
    text: str
    """What it is, in a sentence."""

    def shortage(self, need: SpaceNeed | None) -> str:
        """Return what it has too little of, in a sentence; empty where there is enough, or nobody knows."""
        if need is None:
            return ""
        try:
            check_space(need, self.path)
        except ImgstoreError as error:
            return str(error)
        return ""


def find_scratch_place(scratch: str | None, datasets: Sequence[str]) -> ScratchPlace:
    """Find the place and look at it, as a run would.

    Args:
        scratch: The folder asked for; None for the one that is found by itself.
        datasets: The plan's datasets, as written: stores are never made among the data.

    Raises:
        ImgstoreError: If there is no such place, or nothing can be written there.
    """
    # Data that is not there is said where data is chosen; it is in no place's way.
    roots = [root for text in datasets for root in registry.make_dataset(text).roots if root.exists()]
    path = choose_scratch(scratch, roots)
    found = describe_environment(path, roots, ())
    free = "" if found.scratch_free_bytes is None else f", {format_bytes(found.scratch_free_bytes)} free"
    words = f"Stores are made in {path} ({found.scratch_filesystem} on {found.scratch_device}{free})."
    if found.same_device_as_data is False:
        words += " The data is on another device."
    return ScratchPlace(path, words)
