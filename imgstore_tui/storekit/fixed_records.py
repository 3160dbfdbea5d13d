"""Values of one length in batches of one number of rows, wherever in a file the batches lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.storekit.raw_file import MAP_BELOW, RawFile

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

Locate = Callable[[int], tuple[int, int] | None]
"""Given the number of a batch, returns the places of its first image and of its first label; None: they do not lie so.

It is asked once a batch, and by then has verified what checksums there are."""

_UNKNOWN = -1


class FixedRecords:
    """Images and labels of the batches of a file."""

    def __init__(self, raw: RawFile, batches: int, rows: int, locate: Locate) -> None:
        """Make a reader of a file in which so many batches, but for the last one, have so many rows each."""
        self._raw, self._rows, self._locate = raw, rows, locate
        self._places = np.full((batches, 2), _UNKNOWN, np.int64)

    def read(self, ids: Sequence[int], out: Pixels, labels: Labels) -> bool:
        """Copy images and labels to where they belong, small images all together.

        Args:
            ids: Which, checked, at least one.
            out: C-contiguous array (n, ...).
            labels: int64 array (n,).

        Returns:
            Whether the batches lie so; if not, nothing was read.
        """
        numbers, rows = np.divmod(np.asarray(ids, np.int64), self._rows)
        for number in np.unique(numbers[self._places[numbers, 0] == _UNKNOWN]).tolist():
            offsets_of_batch = self._locate(number)
            if offsets_of_batch is None:
                return False
            self._places[number] = offsets_of_batch
        offsets = self._places[numbers]
        for column, target in enumerate((out, labels)):
            memory = target.reshape(len(ids), -1).view(np.uint8)
            self._copy(offsets[:, column] + rows * memory.shape[1], memory)
        return True

    def _copy(self, offsets: Any, memory: Any) -> None:
        if memory.shape[1] < MAP_BELOW:
            memory[:] = self._raw.pick(offsets, memory.shape[1])
            return
        for offset, target in zip(offsets.tolist(), memory, strict=True):
            self._raw.fill(target.data, offset)
