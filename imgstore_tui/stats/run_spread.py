"""A run against several base runs: their spread is measured, and split into the whole run's and each cell's part."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from imgstore_tui.stats.holm import holm_intervals
from imgstore_tui.stats.intervals import Basis, Interval
from imgstore_tui.stats.student import SMALLEST_SPREAD, student_quantile

FEWEST_BASES = 3
"""Base runs from which their spread is measured."""
ERROR = 0.05
"""Probability that a run which is nowhere slower is called slower, as a whole or in any cell."""
WHOLE_PART = 0.8
"""Part of the error that the run as a whole gets: its spread is known from few runs, a cell's from all cells."""
FEW_CELLS = 2
"""Cells up to which each is judged by itself: there is no middle of the others."""
RESTLESS = 4.0
"""A cell's variance between runs over that of all cells, beyond which it is judged by its own."""
UNLIKE = 1.6
"""The same of two cells, each of which is then judged by its own: one has four times the variance of the other."""
PAIR_FREEDOM = 1.5
"""Degrees of freedom of the common spread of two cells over those of one: less than two, as what a run does to both
alike is in the spread of both. Where it is most of it, they are called slower together, which Holm's method allows."""


@dataclass(frozen=True, slots=True)
class CellShift:
    """By what factor one cell of a run lies above that of the base runs."""

    ratio: Interval
    """By itself, for this cell alone."""
    judged: Interval
    """What it is judged by, at the level that Holm's method leaves it: over what the other cells of the run lie above
    theirs; of few cells, by itself."""

    def is_slower(self) -> bool:
        """Return whether it is slower than the run's other cells beyond chance, and slower by itself."""
        return self.judged.low > 1.0 and self.ratio.low > 1.0

    def is_faster(self) -> bool:
        """Return whether it is faster than the run's other cells beyond chance, and faster by itself."""
        return self.judged.high < 1.0 and self.ratio.high < 1.0


@dataclass(frozen=True, slots=True)
class RunShift:
    """By what factor a run lies above its base runs."""

    whole: Interval | None
    """The middle of all cells; None for few cells, each of which is judged by itself."""
    cells: tuple[CellShift, ...]
    whole_spread: float
    """Standard deviation between base runs of what a run does to all its cells alike, as a part of 1."""
    cell_spread: float
    """Standard deviation between base runs of a cell against the others of its run, as a part of 1."""


@dataclass(frozen=True, slots=True)
class _Spread:
    """A standard error and what it stands on."""

    variance: float
    freedom: float

    def interval(self, middle: float, runs: int, level: float) -> Interval:
        error = max(math.sqrt(self.variance), SMALLEST_SPREAD)
        reach = student_quantile(1 - level, self.freedom) * error
        low, high = math.exp(max(middle - reach, -700.0)), math.exp(min(middle + reach, 700.0))
        return Interval(math.exp(middle), low, high, 1 - 2 * level, runs, Basis.STUDENT)


Rounds = Sequence[Sequence[float]]
"""Seconds of the rounds of each cell of a run, all above 0."""


def run_shift(run: Rounds, bases: Sequence[Rounds], error: float = ERROR) -> RunShift:
    """Return by what factor a run lies above base runs, as a whole and cell by cell.

    The value of a cell in a run is the middle of its rounds' logarithms, that of the run the middle of its cells. What
    a run does to all cells alike is judged by its spread between the base runs, with one degree of freedom less than
    there are runs; what a cell does besides, by a spread that is pooled over cells, and between cells by Holm's
    method. Intervals are by Student's t, hence approximate.

    Args:
        run: The run.
        bases: Base runs, at least ``FEWEST_BASES``, with the same cells.
        error: Probability that anything is called slower while nothing is; the same again for faster.

    Raises:
        ValueError: If there are too few base runs, or no cell.
    """
    if len(bases) < FEWEST_BASES or not run:
        raise ValueError(f"{FEWEST_BASES} base runs or more are needed, and a cell that all have")
    count, runs = len(run), len(bases)
    values = [[_log_middle(rounds) for rounds in base] for base in bases]
    middles = [statistics.fmean(base[cell] for base in values) for cell in range(count)]
    shifts = [_log_middle(rounds) - middle for rounds, middle in zip(run, middles, strict=True)]
    deviations = [[value - middle for value, middle in zip(base, middles, strict=True)] for base in values]
    # The run itself varies, and so does the mean of its base runs.
    grow = 1 + 1 / runs
    few = count <= FEW_CELLS

    whole_variance = 0.0 if few else statistics.variance(statistics.median(base) for base in deviations)
    whole = _Spread(whole_variance * grow, runs - 1)
    own = [sum(_against_others(base, cell) ** 2 for base in deviations) / (runs - 1) for cell in range(count)]
    pooled = statistics.fmean(own)
    spreads = []
    for cell in range(count):
        alone = max(own) > UNLIKE * pooled or count == 1 if few else own[cell] > RESTLESS * pooled
        # A run of fewer rounds scatters more than its base runs did.
        more = max(0.0, _noise(run, cell) - statistics.fmean(_noise(base, cell) for base in bases))
        variance = (own[cell] if alone else pooled) * grow + more
        spreads.append(_Spread(variance, (runs - 1) * (1 if alone else PAIR_FREEDOM if few else count - 1)))
    at_level = [partial(spreads[cell].interval, _against_others(shifts, cell), runs) for cell in range(count)]
    judged = holm_intervals(at_level, error if few else error * (1 - WHOLE_PART), 1.0)
    return RunShift(
        None if few else whole.interval(statistics.median(shifts), runs, error * WHOLE_PART),
        tuple(
            CellShift(_sum(whole, spread).interval(shift, runs, error), interval)
            for spread, shift, interval in zip(spreads, shifts, judged, strict=True)
            if interval is not None
        ),
        math.sqrt(whole_variance),
        math.sqrt(pooled),
    )


def _log_middle(rounds: Sequence[float]) -> float:
    logs = [math.log(seconds) for seconds in rounds]
    return statistics.median((a + b) / 2 for a, b in itertools.combinations_with_replacement(logs, 2))


def _against_others(values: Sequence[float], cell: int) -> float:
    """Return by how much a cell lies above the middle of the others; where they are too few for one, above nothing."""
    others = [*values[:cell], *values[cell + 1 :]]
    return values[cell] - (statistics.median(others) if len(values) > FEW_CELLS else 0.0)


def _noise(run: Rounds, cell: int) -> float:
    """Return the variance of the logarithm of a cell's median that its own rounds show."""
    logs = [math.log(seconds) for seconds in run[cell]]
    return statistics.variance(logs) * math.pi / 2 / len(logs) if len(logs) > 1 else 0.0


def _sum(one: _Spread, other: _Spread) -> _Spread:
    """Return the spread of a sum of two, its degrees of freedom by Welch and Satterthwaite."""
    variance = one.variance + other.variance
    parts = one.variance**2 / one.freedom + other.variance**2 / other.freedom
    # Rounded down, which errs to the safe side, and keeps the quantiles few.
    return _Spread(variance, max(1, math.floor(variance**2 / parts)) if parts > 0 else one.freedom)
