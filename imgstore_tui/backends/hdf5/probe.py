"""Measures what the data type costs: the same images as 8-bit and as 64-bit integers, as in the article."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_TYPES = ("uint8", "int64")
_TIMES = 6
"""Repetitions: as many as an interval needs."""


def store_in_types(location: Path, images: Pixels, labels: Labels) -> dict[str, list[float]]:
    """Store and read the images in each type, alternately.

    Returns:
        ``TYPE_write_s``, ``TYPE_read_s`` (into 8 bits again) and ``TYPE_length_bytes``, one number per repetition.
    """
    import h5py

    measurements: dict[str, list[float]] = {}
    for number in range(_TIMES + 1):
        for kind in _TYPES if number % 2 else reversed(_TYPES):
            path = location / f"{kind}-{number}.h5"
            began = time.perf_counter()
            with h5py.File(path, "w") as file:
                file.create_dataset("images", images.shape, kind, images)
                file.create_dataset("meta", labels.shape, kind, labels)
            written = time.perf_counter()
            with h5py.File(path, "r") as file:
                np.array(file["images"]).astype("uint8")
                np.array(file["meta"]).astype("uint8")
            read = time.perf_counter()
            if number:  # the first repetition warms up
                measurements.setdefault(f"{kind}_write_s", []).append(written - began)
                measurements.setdefault(f"{kind}_read_s", []).append(read - written)
                measurements.setdefault(f"{kind}_length_bytes", []).append(path.stat().st_size)
            path.unlink()
    return measurements
