"""Compares what cold reads fetched from storage with what is stored for them: the second witness beside mincore."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.bench.system.counters import process_io
from imgstore_tui.bench.system.page_cache import evict
from imgstore_tui.bench.trial.store_files import data_bytes
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.units import format_bytes

LEAST_SHARE = 0.5
"""Of what is stored for an image, this much at least is fetched by a read that is called cold."""
CONTROL_BYTES = 64 << 20
"""Most bytes that the instrument reads to see whether the kernel counts them here."""


def check_fetched(files: Sequence[Path], fetched: Sequence[int], contents: Sequence[int], images: float) -> None:
    """Refuse to call reads cold that fetched less than half of what is stored for the images that they returned.

    An image may be stored in fewer bytes than it came back with: the store's weight tells by how much on average.
    Where the kernel does not count what is read from these files, nothing is refused.

    Args:
        files: The store's files.
        fetched: Bytes that the kernel fetched for each sample.
        contents: Bytes of the payloads or pixels that each sample returned.
        images: Number of images in the store divided by that of a sample.

    Raises:
        UnsupportedError: If more than half of the samples fetched too little.
    """
    whole = statistics.fmean(contents) * images
    if whole <= 0:
        return
    stored_share = min(1.0, data_bytes(files) / whole)
    stored = [content * stored_share for content in contents]
    shares = [got / size for got, size in zip(fetched, stored, strict=True) if size]
    if not shares or statistics.median(shares) >= LEAST_SHARE:
        return
    if statistics.median(shares) >= LEAST_SHARE * _counted_share(files):
        return
    middle = sorted(range(len(shares)), key=shares.__getitem__)[len(shares) // 2]
    raise UnsupportedError(
        f"A read fetched {format_bytes(fetched[middle])} of the {format_bytes(stored[middle])} that are stored for it: "
        "it was not cold, the rest came from memory that is not the page cache."
    )


def _counted_share(files: Sequence[Path]) -> float:
    """Return how much of what this process reads from evicted files the kernel counts as fetched, 0 to 1."""
    evict(files)
    before, done = process_io(), 0
    for path in files:
        if done >= CONTROL_BYTES:
            break
        descriptor = os.open(path, os.O_RDONLY)
        try:
            while data := os.read(descriptor, 1 << 20):
                done += len(data)
        finally:
            os.close(descriptor)
    after = process_io()
    return 0.0 if before is None or after is None or not done else min(1.0, (after[0] - before[0]) / done)
