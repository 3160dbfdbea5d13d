"""Breaks a cell down into its trials, and its median trial into phases."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from imgstore_tui.core.model import Cell, Measurement, Run
from imgstore_tui.core.operations import Status

PHASES = ("open", "storage", "codec", "sync", "close")
"""Phases of a timed sample in their order; with one worker they add up to it."""
_LEAST_REST = 0.005
"""Share of the time, missing from the phases, from which the rest is listed."""


@dataclass(frozen=True, slots=True)
class PhaseTime:
    """One phase of a sample."""

    name: str
    seconds: float | None
    """None where the phase is not separable, or does not occur."""
    share: float
    """Share of the sample, 0 to 1."""
    start: float
    """Share of the sample before the phase, 0 to 1."""


@dataclass(frozen=True, slots=True)
class CellBreakdown:
    """The trials of a cell, and the phases of its median trial."""

    trials: tuple[Measurement, ...]
    """By round."""
    median_trial: Measurement | None
    """The valid trial with the (lower) median time; None if there is none."""
    phases: tuple[PhaseTime, ...]
    """Phases of the median trial."""

    @property
    def valid_trials(self) -> tuple[Measurement, ...]:
        """The trials that count: successful and verified."""
        return tuple(trial for trial in self.trials if is_valid(trial))

    @property
    def overlapping(self) -> bool:
        """Whether phases are sums over several workers."""
        return any(trial.workers > 1 for trial in self.trials)

    def median(self, field: str) -> float | None:
        """Return the median of a field over the valid trials; None where none has it."""
        values = [value for trial in self.valid_trials if (value := getattr(trial, field)) is not None]
        return float(statistics.median(values)) if values else None

    def worst(self, field: str) -> float | None:
        """Return the largest value of a field over the valid trials; None where none has it."""
        return max((value for trial in self.valid_trials if (value := getattr(trial, field)) is not None), default=None)


def is_valid(trial: Measurement) -> bool:
    """Return whether a trial counts: it was successful, and its store was verified."""
    return trial.status is Status.OK and trial.seconds is not None and bool(trial.verified)


def break_down(run: Run, cell: Cell) -> CellBreakdown:
    """Gather the trials of a cell and split the median one into phases."""
    trials = sorted((trial for trial in run.measurements if trial.cell == cell), key=lambda trial: trial.round)
    valid = sorted((trial for trial in trials if is_valid(trial)), key=lambda trial: trial.seconds or 0.0)
    median = valid[(len(valid) - 1) // 2] if valid else None
    return CellBreakdown(tuple(trials), median, () if median is None else _phases(median))


def _phases(trial: Measurement) -> tuple[PhaseTime, ...]:
    parts: list[tuple[str, float | None]] = [(name, getattr(trial, f"{name}_s")) for name in PHASES]
    measured = sum(seconds or 0.0 for _, seconds in parts)
    whole = max(measured, trial.seconds or 0.0)
    if whole <= 0:
        return ()
    if (whole - measured) / whole > _LEAST_REST:
        parts.append(("not separable", whole - measured))
    phases, start = [], 0.0
    for name, seconds in parts:
        share = (seconds or 0.0) / whole
        phases.append(PhaseTime(name, seconds, share, start))
        start += share
    return tuple(phases)
