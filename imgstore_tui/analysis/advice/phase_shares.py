"""Tells how much of a method's time is storage, and how much faster it could get if storage took none."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from imgstore_tui.analysis.cell_breakdown import is_valid
from imgstore_tui.core.model import Cell, Measurement, Run


@dataclass(frozen=True, slots=True)
class PhaseShares:
    """Shares of the time of one cell, each the median over its trials, 0 to 1."""

    row: Cell
    storage: float
    """Opening, fetching, writing, forcing and closing: whatever is not the codec."""
    codec: float
    """Decoding or encoding."""

    @property
    def most_gain(self) -> float:
        """How many times as fast it would be if storage took no time at all; infinite where all of it is storage."""
        return 1 / self.codec if self.codec > 0 else float("inf")


def phase_shares(run: Run, row: Cell) -> PhaseShares | None:
    """Return the shares of a cell; None where no trial told the codec apart, or phases overlap.

    Args:
        run: The run.
        row: The cell.
    """
    if row.workers > 1:
        return None
    shares = [share for trial in run.measurements if trial.cell == row and (share := _codec_share(trial)) is not None]
    if not shares:
        return None
    codec = statistics.median(shares)
    return PhaseShares(row, 1 - codec, codec)


def _codec_share(trial: Measurement) -> float | None:
    if not is_valid(trial) or trial.codec_s is None or not trial.seconds:
        return None
    return min(1.0, trial.codec_s / trial.seconds)
