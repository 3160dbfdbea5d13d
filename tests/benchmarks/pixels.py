"""The images that benchmarks compare with: as the instrument has them, and as one array for everybody else."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.plugins import registry


def make_pixels(folder: Path, size: int, count: int) -> None:
    """Make a folder of synthetic images of size x size x 3: what a request takes as its source, and pixels.npy."""
    folder.mkdir()
    dataset = registry.make_dataset(f"synthetic,size={size}")
    dataset.scan()
    build_pixel_cache(
        dataset, "synthetic", count, folder, originals=False,
        progress=lambda done, total: None, cancel=threading.Event(),
    )  # fmt: skip
    source = PixelCache(folder)
    pixels = source.new_array(count)
    source.copy_into(range(count), pixels)
    np.save(folder / "pixels.npy", pixels)
