"""Predicts the seconds of trials and learns them as a run goes, because trials differ by orders of magnitude."""

from __future__ import annotations

from collections.abc import Mapping

from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import Operation

TRIAL_S = 0.05
"""Assumed fixed cost of a trial: process, warm-up, check, journal."""
IMAGE_S = 2.5e-4
"""Assumed seconds per image, verification included, before anything has been measured."""
BYTE_S = 2e-8
"""Assumed seconds per byte: between the cost of bare pixels and that of PNG."""


class CostModel:
    """Expected wall seconds of each cell's next trial, everything around the clock included."""

    def __init__(self, image_bytes: Mapping[str, float]) -> None:
        """Start from assumptions.

        Args:
            image_bytes: Pixels of one image of each dataset, in bytes.
        """
        self._image_bytes = dict(image_bytes)
        self._seconds: dict[tuple[str, str, Operation], dict[int, float]] = {}

    def learn(self, cell: Cell, seconds: float) -> None:
        """Learn from the seconds that a trial of a cell took, everything around its clock included."""
        measured = self._seconds.setdefault((cell.dataset, cell.spec, cell.operation), {})
        before = measured.get(cell.cutoff)
        measured[cell.cutoff] = seconds if before is None else (before + seconds) / 2

    def expect(self, cell: Cell) -> float:
        """Return the expected seconds of a cell: as measured, else the nearest cutoff scaled, else as assumed."""
        measured = self._seconds.get((cell.dataset, cell.spec, cell.operation), {})
        if cell.cutoff in measured:
            return measured[cell.cutoff]
        assumed = self._assume(cell, cell.cutoff)
        if not measured:
            return assumed
        nearest = min(measured, key=lambda cutoff: abs(cutoff - cell.cutoff))
        return measured[nearest] * assumed / self._assume(cell, nearest)

    def _assume(self, cell: Cell, cutoff: int) -> float:
        images = cell.operation.images(cutoff)
        if cell.operation is Operation.READ_LABELS:
            return TRIAL_S + images * 1e-6
        if cell.operation.changes:
            # The store that is to be changed is built each time.
            images += cutoff
        return TRIAL_S + images * (IMAGE_S + BYTE_S * self._image_bytes.get(cell.dataset, 0.0))
