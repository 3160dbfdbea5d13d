"""What is inside a cell: its trials one by one, and where the time of the one in the middle went."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.operations import Status

PHASES = ("open", "storage", "codec", "sync", "close")
"""Parts of a timed sample, in the order in which they come; they add up to it with one worker."""
_NOTICED = 0.005
"""Share of the time that must be missing from the phases to be worth a line."""


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """One part of a sample."""

    name: str
    seconds: float | None
    """None where it cannot be told apart from its neighbours, or does not come."""
    share: float
    """Of all parts, 0 to 1."""
    start: float
    """Share of all parts that comes before it."""


@dataclass(frozen=True, slots=True)
class CellBreakdown:
    """A cell's trials, and what they say together."""

    trials: tuple[Measurement, ...]
    """By round."""
    median_trial: Measurement | None
    """The trial whose time is the (lower) median of those that count; None where none does."""
    phases: tuple[PhaseTime, ...]
    """Of the sample in the middle of that trial."""

    @property
    def valid_trials(self) -> tuple[Measurement, ...]:
        """The trials that count: they went well and were verified."""
        return tuple(trial for trial in self.trials if is_valid(trial))

    @property
    def overlapping(self) -> bool:
        """Whether phases are several workers' seconds added up."""
        return any(trial.workers > 1 for trial in self.trials)

    def median(self, field: str) -> float | None:
        """Return the median of a field of the trials that count; None where none says it."""
        known = [value for trial in self.valid_trials if (value := getattr(trial, field)) is not None]
        return float(statistics.median(known)) if known else None

    def worst(self, field: str) -> float | None:
        """Return the largest value of a field of the trials that count; None where none says it."""
        return max((value for trial in self.valid_trials if (value := getattr(trial, field)) is not None), default=None)


def is_valid(trial: Measurement) -> bool:
    """Tell whether a trial counts: it went well, and its store was found right."""
    return trial.status is Status.OK and trial.seconds is not None and bool(trial.verified)


def break_down(run: Run, cell: Cell) -> CellBreakdown:
    """Gather a cell's trials and take the one in the middle apart.

    Args:
        run: The run.
        cell: The cell.
    """
    trials = sorted((trial for trial in run.measurements if trial.cell == cell), key=lambda trial: trial.round)
    counted = sorted((trial for trial in trials if is_valid(trial)), key=lambda trial: trial.seconds or 0.0)
    middle = counted[(len(counted) - 1) // 2] if counted else None
    return CellBreakdown(tuple(trials), middle, () if middle is None else _phases(middle))


def _phases(trial: Measurement) -> tuple[PhaseTime, ...]:
    parts: list[tuple[str, float | None]] = [(name, getattr(trial, f"{name}_s")) for name in PHASES]
    known = sum(seconds or 0.0 for _, seconds in parts)
    whole = max(known, trial.seconds or 0.0)
    if whole <= 0:
        return ()
    if (whole - known) / whole > _NOTICED:
        parts.append(("not told apart", whole - known))
    return _placed(parts, whole)


def _placed(parts: Sequence[tuple[str, float | None]], whole: float) -> tuple[PhaseTime, ...]:
    placed, before = [], 0.0
    for name, seconds in parts:
        share = (seconds or 0.0) / whole
        placed.append(PhaseTime(name, seconds, share, before))
        before += share
    return tuple(placed)
