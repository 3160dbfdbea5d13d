"""Generates pictures from a seed: for a first run, for tests, and if no pictures of the user are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.core.dataset import Dataset, ScanProgress
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.units import MAX_CUTOFF

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from imgstore_tui.datasets.synthetic.recipe import Recipe

_SMALLEST, _LARGEST = 8, 2048
_READ_AHEAD_BYTES = 1 << 20
"""Most bytes of pixels that are generated and kept at a time, but at least one image."""


class Synthetic(Dataset):
    """Generates endless pictures from an integer recipe: the same seed and index give the same bytes everywhere.

    Only the last few images are kept. Images that are read in order are generated several at a time, for speed; an
    image that is read out of order is generated alone.
    """

    name = "synthetic"
    title = "Synthetic images"
    describe = (
        "Made on the spot from integers: clouds, which compress like photographs. "
        "Right for storage, useless for training. They never run out."
    )
    options = (
        Option("size", 32, "Height and width in pixels; 32 as in CIFAR.", minimum=_SMALLEST, maximum=_LARGEST),
        Option("channels", 3, "1 for grey, 3 for RGB, 4 for RGBA (with transparency).", minimum=1, maximum=4),
        Option("seed", 0, "Another number, other images.", minimum=0, maximum=2**63 - 1),
        Option("varying", False, "Heights and widths from half to one and a half times the size, each its own."),
        Option("count", MAX_CUTOFF, "Images before they repeat; as many as anyone may ask for.", minimum=1,
               maximum=MAX_CUTOFF),
    )  # fmt: skip

    def __init__(self, path: Path | None, values: Mapping[str, OptionValue]) -> None:
        super().__init__(path, values)
        self._size, self._channels = int(values["size"]), int(values["channels"])
        self._seed, self._count = int(values["seed"]), int(values["count"])
        self._varying = bool(values["varying"])
        if self._channels == 2:
            raise UsageError("Option 'channels' of dataset synthetic takes 1, 3 or 4, not 2.")
        self._low = max(_SMALLEST, self._size // 2) if self._varying else self._size
        self._high = min(_LARGEST, self._size + self._size // 2) if self._varying else self._size
        self._recipe: Recipe | None = None
        self._ahead: tuple[int, NDArray[np.uint8]] | None = None

    def scan(self, progress: ScanProgress | None = None) -> None:
        """Prepare the recipe."""
        from imgstore_tui.datasets.synthetic.recipe import Recipe

        self._recipe = Recipe(self._high, self._high, self._channels, self._seed)

    def __len__(self) -> int:
        return self._count

    @property
    def uniform(self) -> tuple[tuple[int, ...], str] | None:
        """Shape and dtype, or None if ``varying``."""
        if self._varying:
            return None
        edges = (self._size, self._size)
        return (edges if self._channels == 1 else (*edges, self._channels)), "uint8"

    def image(self, index: int) -> NDArray[np.uint8]:
        """Return image ``index``, which is generated unless it was generated with the one before."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        if self._recipe is None:
            raise RuntimeError("scan must be called first")
        start, images = self._ahead or (0, None)
        if images is None or not start <= index < start + len(images):
            # In order: twice as many as the last time. Anything else may be random access: only this one.
            count = 1
            if images is not None and index == start + len(images):
                count = max(1, min(2 * len(images), _READ_AHEAD_BYTES // images[0].nbytes, self._count - index))
            start, images = self._ahead = index, self._recipe.images(index, count)
        whole: NDArray[np.uint8] = images[index - start]
        if not self._varying:
            return whole.copy()
        height, width = self._recipe.edges(index, self._low)
        return whole[:height, :width].copy()

    def label(self, index: int) -> int:
        """Return the last digit of ``index``: ten classes, as in CIFAR-10."""
        if not 0 <= index < self._count:
            raise IndexError(index)
        return index % 10

    @property
    def summary(self) -> str:
        """E.g. ``synthetic 32x32x3``, with the seed unless it is 0."""
        edge = f"{self._low}..{self._high}" if self._varying else f"{self._size}"
        seed = f", seed {self._seed}" if self._seed else ""
        return f"synthetic {edge}x{edge}x{self._channels}{seed}"
