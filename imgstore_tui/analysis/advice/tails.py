"""Tells how long the slowest single reads of each method take, which is what the user of a service notices."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from imgstore_tui.analysis.cell_breakdown import is_valid
from imgstore_tui.core.model import Cell, Run

PERCENTILE = 99
LEAST_SAMPLES = 100
"""Reads of a round below which its percentile is not known."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The slow end of the single reads of one row."""

    row: Cell
    seconds: float
    """The 99th percentile of the reads of a round, the median over the rounds."""


def tails(run: Run, rows: Iterable[Cell]) -> tuple[Tail, ...]:
    """Return the tails of rows whose rounds have enough reads, in the same order.

    Args:
        run: The run.
        rows: Rows of single reads.
    """
    percentiles: dict[Cell, list[float]] = {row: [] for row in rows}
    for trial in run.measurements:
        if trial.cell in percentiles and is_valid(trial) and len(trial.samples) >= LEAST_SAMPLES:
            percentiles[trial.cell].append(percentile(trial.samples, PERCENTILE))
    return tuple(Tail(row, statistics.median(values)) for row, values in percentiles.items() if values)


def percentile(samples: Iterable[float], percent: float) -> float:
    """Return the least sample that at least so many per cent of all do not exceed (the nearest rank)."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
