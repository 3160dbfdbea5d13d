"""Reads values of one length straight from a file, in batches of equal numbers of rows at any offsets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.storekit.raw_file import MAP_BELOW, RawFile

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

Locate = Callable[[int], tuple[int, int] | None]
"""Given the number of a batch, returns the offsets of its first image and of its first label, after a check of the
batch's checksums; None if the values do not lie there uncompressed. Called once per batch."""

_UNKNOWN = -1


class FixedRecords:
    """Reads images and labels by id from a file of batches."""

    def __init__(self, raw: RawFile, batches: int, rows: int, locate: Locate) -> None:
        """Prepare to read.

        Args:
            raw: The file.
            batches: Number of batches.
            rows: Rows of every batch but the last, which may have fewer.
            locate: Finds the values of a batch.
        """
        self._raw, self._rows, self._locate = raw, rows, locate
        self._offsets = np.full((batches, 2), _UNKNOWN, np.int64)

    def read(self, ids: Sequence[int], out: Pixels, labels: Labels) -> bool:
        """Copy images and labels into the caller's arrays.

        Args:
            ids: Ids that exist, one or more.
            out: C-contiguous array (n, ...).
            labels: int64 array (n,).

        Returns:
            False, with nothing read, if a batch cannot be read straight from the file.
        """
        numbers, rows = np.divmod(np.asarray(ids, np.int64), self._rows)
        for number in np.unique(numbers[self._offsets[numbers, 0] == _UNKNOWN]).tolist():
            offsets_of_batch = self._locate(number)
            if offsets_of_batch is None:
                return False
            self._offsets[number] = offsets_of_batch
        offsets = self._offsets[numbers]
        for column, target in enumerate((out, labels)):
            memory = target.reshape(len(ids), -1).view(np.uint8)
            self._copy(offsets[:, column] + rows * memory.shape[1], memory)
        return True

    def _copy(self, offsets: Any, memory: Any) -> None:
        if memory.shape[1] < MAP_BELOW:
            memory[:] = self._raw.read_ranges(offsets, memory.shape[1])
            return
        for offset, target in zip(offsets.tolist(), memory, strict=True):
            self._raw.read_into(target.data, offset)
