"""Reads payloads that lie in a row without gaps, where the end of each is stored as a number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

ReadEnds = Callable[[Sequence[int], IdSpan | None, Any], None]
"""Given ids, their span (or None) and an int64 array (n,), stores in the array where the payloads end, in bytes."""


def read_row(
    ids: Sequence[int],
    span: IdSpan | None,
    ends: ReadEnds,
    size: int,
    read_range: Callable[[int, int], bytes],
    joint_bytes: int,
    damaged: Callable[[], StoreError],
) -> list[bytes]:
    """Return payloads by ids.

    Args:
        ids: Ids that exist, one or more.
        span: Their span if they ascend one by one, else None.
        ends: Reads where payloads end, in bytes from the start of the row.
        size: Bytes in the row.
        read_range: Returns the bytes of the row from one offset to another.
        joint_bytes: A span of this many bytes or fewer is read by one call and cut; otherwise payloads are read one by
            one, which saves a copy.
        damaged: Returns the error for ends that do not fit the row.

    Raises:
        StoreError: If the ends do not fit the row, or it cannot be read.
    """
    bounds = np.zeros((2, len(ids)), np.int64)
    ends(ids, span, bounds[1])
    numbers = np.asarray(ids, np.int64)
    later = np.flatnonzero(numbers)  # the payload of id 0 starts at offset 0
    if len(later):
        before = (numbers[later] - 1).tolist()
        ends_before = np.empty(len(later), np.int64)
        ends(before, None if span is None else (before[0], before[-1] + 1), ends_before)
        bounds[0, later] = ends_before
    starts, stops = bounds.tolist()
    if any(not 0 <= start <= stop <= size for start, stop in zip(starts, stops, strict=True)):
        raise damaged()
    if span is None or stops[-1] - starts[0] > joint_bytes:
        return [read_range(start, stop) for start, stop in zip(starts, stops, strict=True)]
    base = starts[0]
    whole = read_range(base, stops[-1])
    return [whole[start - base : stop - base] for start, stop in zip(starts, stops, strict=True)]


def image_views(images: Pixels) -> list[memoryview]:
    """Return a view of the bytes of each image of a C-contiguous array (n, ...); n is 1 or more."""
    pixels = images.data.cast("B")
    size = len(pixels) // len(images)
    return [pixels[start : start + size] for start in range(0, len(pixels), size)]
