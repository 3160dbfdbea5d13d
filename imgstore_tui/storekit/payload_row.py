"""Payloads in a row without gaps: where each ends is a number of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

ReadEnds = Callable[[Sequence[int], IdSpan | None, Any], None]
"""Given ids, the first and the one after the last where they are a run, and an int64 array, fills in where they end."""


def read_row(
    ids: Sequence[int],
    span: IdSpan | None,
    ends: ReadEnds,
    size: int,
    piece: Callable[[int, int], bytes],
    together: int,
    damaged: Callable[[], StoreError],
) -> list[bytes]:
    """Return payloads.

    Args:
        ids: Which; checked, at least one.
        span: The first and the one after the last, where they are one ascending run.
        ends: Reads where payloads end, in bytes from the start of the row.
        size: Bytes in the row.
        piece: Returns the bytes of the row from one place to another.
        together: A run of so many bytes at most is read at once and cut; other payloads are read one by one, which
            spares a copy.
        damaged: Makes the error for ends that do not fit the row.

    Raises:
        StoreError: If the ends do not fit the row, or it cannot be read.
    """
    bounds = np.zeros((2, len(ids)), np.int64)
    ends(ids, span, bounds[1])
    numbers = np.asarray(ids, np.int64)
    later = np.flatnonzero(numbers)  # the first image of all starts where nothing ends
    if len(later):
        before = (numbers[later] - 1).tolist()
        ends_before = np.empty(len(later), np.int64)
        ends(before, None if span is None else (before[0], before[-1] + 1), ends_before)
        bounds[0, later] = ends_before
    starts, stops = bounds.tolist()
    if any(not 0 <= start <= stop <= size for start, stop in zip(starts, stops, strict=True)):
        raise damaged()
    if span is None or stops[-1] - starts[0] > together:
        return [piece(start, stop) for start, stop in zip(starts, stops, strict=True)]
    base = starts[0]
    whole = piece(base, stops[-1])
    return [whole[start - base : stop - base] for start, stop in zip(starts, stops, strict=True)]


def image_views(images: Pixels) -> list[memoryview]:
    """Return a view of the bytes of each image of a C-contiguous array (n, ...); n is 1 or more."""
    pixels = images.data.cast("B")
    size = len(pixels) // len(images)
    return [pixels[start : start + size] for start in range(0, len(pixels), size)]
