"""Compares a timed pass with one that was compared in full, by a few bytes of every image at random places.

After each call, while the clock stands, the bytes are copied aside and then inverted where they stood: a call that
leaves the memory as it was brings other bytes than the right ones. The places are drawn anew for every trial.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from imgstore_tui.bench.trial.read_buffer import ReadBuffer
from imgstore_tui.core.errors import StoreError

PLACES = 4
"""Bytes of each image that are copied."""
MOST_SIZE = 2**32 - 1
_ROW = np.dtype([("label", "<i8"), ("size", "<u4"), ("bytes", "u1", (PLACES,))])

CopyAside = Callable[[Sequence[int], ReadBuffer], None]
"""Takes the rows of the images in a buffer, and copies a few bytes of each aside."""


class SpotCheck:
    """A few bytes of every image of two passes, in memory that reading processes share."""

    def __init__(self, rows: int, batch: int, *, payloads: bool, same_places: bool = False) -> None:
        """Draw the places.

        Args:
            rows: Number of images of a pass, or of single reads.
            batch: Images of the largest call.
            payloads: Whether the clock covers payloads alone: only the pass that is compared in full decodes them.
            same_places: Whether the places are the same at every position of a call, so that passes that call in
                another order can be compared.
        """
        self._payloads = payloads
        # Seeded by the system: no backend can know the places.
        drawn: NDArray[np.float64] = np.random.default_rng().random((1 if same_places else batch, PLACES))
        self._fractions: NDArray[np.float64] = np.broadcast_to(drawn, (batch, PLACES))
        self._offsets: NDArray[np.int64] | None = None
        self._memory = mmap.mmap(-1, 2 * rows * _ROW.itemsize)
        passes = np.frombuffer(self._memory, _ROW).reshape(2, rows)
        passes.fill(0)  # its pages are touched before a clock starts
        self._timed, self._checked = passes

    def prepare(self, buffer: ReadBuffer) -> None:
        """Compute the places in a buffer, before the clock starts."""
        if buffer.image_bytes:
            places = (self._fractions * buffer.image_bytes).astype(np.int64)
            self._offsets = places + np.arange(len(places))[:, None] * buffer.image_bytes

    def copy_timed(self, rows: Sequence[int], buffer: ReadBuffer) -> None:
        """Copy bytes of what a timed call has brought aside.

        Args:
            rows: The row of each image: its id, or the number of a single read.
            buffer: Holds the images.
        """
        self._copy(self._timed, rows, buffer)

    def copy_checked(self, rows: Sequence[int], buffer: ReadBuffer) -> None:
        """Copy bytes and sizes of payloads that were compared in full aside; see ``copy_timed``."""
        selection = self._copy(self._checked, rows, buffer)
        if buffer.encoded:
            sizes = [min(MOST_SIZE, len(buffer.payload(position))) for position in range(len(rows))]
            self._checked["size"][selection] = sizes

    def _copy(self, into: NDArray[np.void], rows: Sequence[int], buffer: ReadBuffer) -> slice | NDArray[np.int64]:
        selection: slice | NDArray[np.int64]
        if isinstance(rows, range) and rows.step == 1:
            selection = slice(rows.start, rows.stop)
        else:
            selection = np.asarray(rows, np.int64)
        into["bytes"][selection] = buffer.invert_bytes(
            self._fractions[: len(rows)], self._offsets, payloads=self._payloads
        )
        into["label"][selection] = buffer.invert_labels()
        return selection

    def compare(self, rows: int | Sequence[int] | None = None) -> None:
        """Compare both passes.

        Args:
            rows: How many rows were timed, or which; None for all.

        Raises:
            StoreError: If the timed pass has brought other bytes or another label of an image.
        """
        selection = slice(rows) if rows is None or isinstance(rows, int) else np.asarray(rows, np.int64)
        timed, checked = self._timed[selection], self._checked[selection]
        same = (timed["bytes"] == checked["bytes"]).all(axis=1) & (timed["label"] == checked["label"])
        if not same.all():
            wrong = np.flatnonzero(~same)
            raise StoreError(
                f"What was timed is not what was checked: {len(wrong):,} of {len(same):,} images that were read on the "
                f"clock are not those of the store, image {int(wrong[0]):,} of them first."
            )

    def sizes(self, rows: int | None = None) -> list[int]:
        """Return the sizes of the payloads of the checked pass in bytes, 0 where images are read as pixels."""
        sizes: list[int] = self._checked["size"][:rows].tolist()
        return sizes
