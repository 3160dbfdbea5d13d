"""How long what is left will take: by cost, learned as the run goes, because trials differ by orders of magnitude."""

from __future__ import annotations

from collections.abc import Mapping

from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import Operation

TRIAL_S = 0.05
"""Assumed fixed cost of a trial: process, warm-up, check, journal."""
IMAGE_S = 2.5e-4
"""Assumed seconds an image, verification included, before anything has been measured."""
BYTE_S = 2e-8
"""Between what bare pixels cost and what PNG costs: which of the two comes first is learned soon enough."""


class CostModel:
    """Expected wall seconds of each cell's next trial, everything around the clock included."""

    def __init__(self, image_bytes: Mapping[str, float]) -> None:
        """Start from the pixels of an image of each dataset, in bytes."""
        self._image_bytes = dict(image_bytes)
        self._seen: dict[tuple[str, str, Operation], dict[int, float]] = {}

    def learn(self, cell: Cell, seconds: float) -> None:
        """Note what a trial of this cell took, all told."""
        known = self._seen.setdefault((cell.dataset, cell.spec, cell.operation), {})
        before = known.get(cell.cutoff)
        known[cell.cutoff] = seconds if before is None else (before + seconds) / 2

    def expect(self, cell: Cell) -> float:
        """Return expected seconds: what this cell took, else the nearest cutoff scaled, else an assumption."""
        known = self._seen.get((cell.dataset, cell.spec, cell.operation), {})
        if cell.cutoff in known:
            return known[cell.cutoff]
        assumed = self._assume(cell, cell.cutoff)
        if not known:
            return assumed
        nearest = min(known, key=lambda cutoff: abs(cutoff - cell.cutoff))
        return known[nearest] * assumed / self._assume(cell, nearest)

    def _assume(self, cell: Cell, cutoff: int) -> float:
        images = cell.operation.images(cutoff)
        if cell.operation is Operation.READ_LABELS:
            return TRIAL_S + images * 1e-6
        if cell.operation.changes:
            # The store that is to be changed is built anew each time.
            images += cutoff
        return TRIAL_S + images * (IMAGE_S + BYTE_S * self._image_bytes.get(cell.dataset, 0.0))
