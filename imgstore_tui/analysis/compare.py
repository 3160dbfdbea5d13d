"""Compares a run with base runs cell by cell: what got slower, and what makes the runs hard to compare."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.run_differences import changes_between, obstacles_between
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.access import Access
from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.stats.holm import holm_intervals
from imgstore_tui.stats.intervals import MIN_ROUNDS, Interval
from imgstore_tui.stats.ranking import MARGIN
from imgstore_tui.stats.run_spread import ERROR, FEWEST_BASES, RunShift, run_shift
from imgstore_tui.stats.shift import simultaneous_shift

ASSUMED_SPREAD = 1.1
"""Ratio by which two runs of one machine are assumed to differ where too few base runs show how much they do."""


class ComparisonResult(StrEnum):
    """The result of comparing a cell that all runs measured."""

    SLOWER = "slower"
    FASTER = "faster"
    WITHIN_MARGIN = "within the margin"
    """Different beyond chance, but not by more than the margin."""
    NONE_SHOWN = "no difference shown"
    UNSURE = "too few rounds"
    UNFIT = "not comparable"
    """A run has trials that failed, were skipped or were not verified."""


@dataclass(frozen=True, slots=True)
class CellComparison:
    """One cell in all runs."""

    cell: Cell
    before: tuple[CellSummary, ...]
    """One a base run."""
    after: CellSummary
    ratio: Interval | None
    """Ratio of the later run's time to that of the base runs; None where one has no time."""
    result: ComparisonResult
    relative: Interval | None = None
    """Over what the other cells of the run are above theirs, by the spread between base runs; None where that spread
    is not measured, or there are too few cells."""

    @property
    def seconds_before(self) -> float | None:
        """Median seconds of the base runs, the median of them."""
        medians = [summary.seconds for summary in self.before if summary.seconds is not None]
        return statistics.median(medians) if medians else None


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The comparison of a run with base runs."""

    bases: tuple[Run, ...]
    run: Run
    cells: tuple[CellComparison, ...]
    obstacles: tuple[str, ...]
    """Differences that make the figures incomparable: other data, another machine. A sentence each."""
    changes: tuple[str, ...]
    """Other differences, such as versions: often the subject of the comparison. A sentence each."""
    only_base: int
    """Number of cells that only base runs measured, or not all of them."""
    only_run: int
    """Number of cells that only the later run measured."""
    margin: float = MARGIN
    """Ratio beyond which a cell counts as slower."""
    shift: RunShift | None = None
    """The spread between base runs, and the run as a whole; None where the spread is not measured."""

    @property
    def base(self) -> Run:
        """The first base run."""
        return self.bases[0]

    @property
    def bound(self) -> float:
        """Ratio beyond which a difference counts: the margin, and the spread between runs where it is assumed."""
        return self.margin * (ASSUMED_SPREAD if self.shift is None else 1.0)

    @property
    def whole_result(self) -> ComparisonResult | None:
        """The result for the run as a whole; None where it is not judged as one."""
        whole = None if self.shift is None else self.shift.whole
        if whole is None:
            return None
        return _beyond_chance(whole.low > 1.0, whole.high < 1.0, whole.median, self.margin)

    @property
    def worse(self) -> bool:
        """Whether a cell or the run as a whole is slower, beyond chance and margin."""
        results = [self.whole_result, *(pair.result for pair in self.cells)]
        return ComparisonResult.SLOWER in results


def compare_runs(bases: Sequence[Run], run: Run, margin: float = MARGIN) -> RunComparison:
    """Compare a run with base runs cell by cell.

    Cells match if they are equal in all but the scratch folder, and were measured with the same options and access:
    the label of a method does not decide, since defaults change.

    Args:
        bases: One run or more of what it is compared with.
        run: The run.
        margin: Ratio beyond which a cell counts as slower, at least 1.

    Raises:
        ValueError: If there is no base run.
    """
    if not bases:
        raise ValueError("a base run is needed")
    after, by_cell = _by_cell(run), [_by_cell(base) for base in bases]
    matches = [_matches(cells, after) for cells in by_cell]
    common = [cell for cell in after if all(cell in match for match in matches)]
    before = {cell: tuple(match[cell] for match in matches) for cell in common}
    sides = {cell: (*before[cell], after[cell].summary) for cell in common}
    states = {cell: _unfit(sides[cell]) for cell in common}
    fit = [cell for cell in common if states[cell] is None]
    measured = run_shift(
        [_seconds(after[cell].summary) for cell in fit],
        [[_seconds(before[cell][index]) for cell in fit] for index in range(len(bases))],
    ) if fit and len(bases) >= FEWEST_BASES else None  # fmt: skip
    judged = dict(zip(fit, _by_spread(measured, margin) if measured else _by_rounds(sides, fit, margin), strict=True))
    differing = [
        (cells[cell], after[cell])
        for cells, match in zip(by_cell, matches, strict=True)
        for cell in after
        if cell in cells and cell not in match
    ]
    pairs = []
    for cell in common:
        ratio, result, relative = judged.get(cell) or (_ratio(sides[cell]), states[cell], None)
        pairs.append(CellComparison(cell, before[cell], after[cell].summary, ratio, result or _UNFIT, relative))
    return RunComparison(
        tuple(bases), run, tuple(pairs),
        tuple(dict.fromkeys([
            *(text for base in bases for text in obstacles_between(base, run)),
            *(_access_obstacle(old, new) for old, new in differing if old.has_other_access(new)),
        ])),
        tuple(dict.fromkeys([
            *(text for base in bases for text in changes_between(base, run)),
            *(safe_text(f"{new.trial.spec} has other options, so that its cells are not compared")
              for old, new in differing if not old.has_other_access(new)),
        ])),
        only_base=max(len(cells) - len(common) for cells in by_cell), only_run=len(after) - len(common),
        margin=margin, shift=measured,
    )  # fmt: skip


_UNFIT = ComparisonResult.UNFIT
_Judged = tuple[Interval | None, ComparisonResult, Interval | None]
"""Ratio, result and ratio to the other cells."""


def _by_spread(shift: RunShift, margin: float) -> list[_Judged]:
    """Return the results of cells by the spread between base runs."""
    return [
        (
            cell.ratio,
            _beyond_chance(cell.is_slower(), cell.is_faster(), cell.judged.median, margin),
            None if shift.whole is None else cell.judged,
        )
        for cell in shift.cells
    ]


def _beyond_chance(slower: bool, faster: bool, ratio: float, margin: float) -> ComparisonResult:
    if not slower and not faster:
        return ComparisonResult.NONE_SHOWN
    if 1 / margin <= ratio <= margin:
        return ComparisonResult.WITHIN_MARGIN
    return ComparisonResult.SLOWER if slower else ComparisonResult.FASTER


def _by_rounds(sides: dict[Cell, tuple[CellSummary, ...]], fit: Sequence[Cell], margin: float) -> list[_Judged]:
    """Return the results of cells by the spread of their rounds, and the assumed one between runs."""
    bound = margin * ASSUMED_SPREAD
    ratios = holm_intervals([partial(_interval_at, sides[cell]) for cell in fit], ERROR, bound)
    return [(ratio, ComparisonResult.UNSURE if ratio is None else _result(ratio, bound), None) for ratio in ratios]


def _interval_at(sides: tuple[CellSummary, ...], level: float) -> Interval | None:
    *before, after = sides
    return simultaneous_shift(
        _seconds(after), [seconds for base in before for seconds in _seconds(base)], 1 - 2 * level
    )


def _ratio(sides: tuple[CellSummary, ...]) -> Interval | None:
    return _interval_at(sides, ERROR)


def _result(ratio: Interval, bound: float) -> ComparisonResult:
    if ratio.contains(1.0):
        return ComparisonResult.NONE_SHOWN
    if ratio.low > bound:
        return ComparisonResult.SLOWER
    return ComparisonResult.FASTER if ratio.high < 1 / bound else ComparisonResult.WITHIN_MARGIN


def _unfit(sides: tuple[CellSummary, ...]) -> ComparisonResult | None:
    """Return why a cell is not judged; None where it is."""
    if any(side.ok < side.trials or not _seconds(side) for side in sides):
        return ComparisonResult.UNFIT
    return ComparisonResult.UNSURE if any(len(_seconds(side)) < MIN_ROUNDS for side in sides) else None


def _seconds(summary: CellSummary) -> list[float]:
    return [seconds for _, seconds in summary.rounds if 0 < seconds < math.inf]


@dataclass(frozen=True, slots=True)
class _Measured:
    """A cell of a run, and a trial that says which options it was measured with."""

    summary: CellSummary
    trial: Measurement

    @property
    def access(self) -> Access | None:
        return self.summary.access

    def is_same(self, other: _Measured) -> bool:
        """Return whether two cells of one label were measured with the same options, as far as both runs say."""
        mine, theirs = self.trial, other.trial
        return (
            (mine.backend, mine.codec, mine.preset) == (theirs.backend, theirs.codec, theirs.preset)
            and all(theirs.options[name] == mine.options[name] for name in mine.options.keys() & theirs.options.keys())
            and not self.has_other_access(other)
        )

    def has_other_access(self, other: _Measured) -> bool:
        """Return whether the bytes went another way: a package was installed, or another version used it."""
        return None not in (self.access, other.access) and self.access is not other.access


def _access_obstacle(old: _Measured, new: _Measured) -> str:
    trial = new.trial
    return safe_text(
        f"Another access: {trial.spec}, {trial.operation} was by {old.access}, is by {new.access}; the two are not "
        "compared."
    )


def _by_cell(run: Run) -> dict[Cell, _Measured]:
    trials: dict[Cell, Measurement] = {}
    for trial in run.measurements:
        trials.setdefault(trial.cell, trial)
    return {replace(summary.cell, scratch=""): _Measured(summary, trials[summary.cell]) for summary in summarise(run)}


def _matches(base: dict[Cell, _Measured], run: dict[Cell, _Measured]) -> dict[Cell, CellSummary]:
    """Return the cells of a base run by the cell of the run that measured the same."""
    matches: dict[Cell, CellSummary] = {}
    others: dict[object, Cell] = {_methods_own(cell, measured): cell for cell, measured in base.items()}
    for cell, measured in run.items():
        named = base.get(cell)
        if named is None or not named.is_same(measured):
            # Another label may stand for the same options.
            other = others.get(_methods_own(cell, measured))
            named = None if other is None else base[other]
        if named is not None:
            matches[cell] = named.summary
    return matches


def _methods_own(cell: Cell, measured: _Measured) -> object:
    """Return what identifies a cell without the label of its method."""
    trial = measured.trial
    options = tuple(sorted((name, str(value)) for name, value in trial.options.items()))
    return cell.contest, trial.backend, trial.codec, trial.preset, options, measured.access
