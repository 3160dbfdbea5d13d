"""Defines the names of the files, and appends payloads to their row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imgstore_tui.storekit.npy_file import NpyOutput

IMAGES, PAYLOADS, ENDS = "images.npy", "payloads.npy", "ends.npy"


def append_payloads(row: NpyOutput, ends: NpyOutput | None, payloads: Sequence[bytes]) -> None:
    """Append payloads to their row, and their ends to the array of ends."""
    if ends is None:
        raise ValueError("a store of arrays has no row of payloads")
    new_ends = row.count + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
    row.append_pieces(payloads)
    ends.append(new_ends)
