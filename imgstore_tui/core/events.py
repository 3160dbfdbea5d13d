"""Defines the events of a run, frozen, which the supervising thread sends to listeners."""

from __future__ import annotations

from dataclasses import dataclass

from imgstore_tui.core.model import Cell, Measurement, Run


@dataclass(frozen=True, slots=True)
class Preparing:
    """Work goes on before the first trial: scanning the data, filling the pixel cache."""

    what: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class RunStarted:
    """Preparation is done and the journal is open; trials follow."""

    run: Run
    cells: tuple[Cell, ...]
    """All cells of the plan, in the order in which tables show them."""
    expected_s: float
    """Expected seconds of all trials together, from rates assumed before anything was measured."""
    journal: str
    """Path of the journal."""


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A child process begins a trial, or an untimed step that a trial needs."""

    cell: Cell
    round: int
    step: str
    """``trial``, or the untimed step: ``prepare`` or ``verify``."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of the running trial and of the whole run; at most ten events per second."""

    images_done: int
    fraction: float
    """Share of the run's expected cost that is done, 0 to 1."""
    remaining_s: float | None
    """Expected seconds to go; None until something has been measured."""
    past_budget: bool = False
    """Whether the time budget is spent, and what was begun is finished."""


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """A trial has ended, and its measurement is in the journal."""

    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Warned:
    """Something affects the numbers; one sentence with what to do."""

    text: str
    at: str | None = None
    """When it was seen, UTC, ISO 8601; None where a journal of before does not say."""


@dataclass(frozen=True, slots=True)
class Paused:
    """The user has paused the run; no trial is running."""


@dataclass(frozen=True, slots=True)
class Continued:
    """A pause has ended."""

    paused_s: float
    """Length of the pause in seconds."""


@dataclass(frozen=True, slots=True)
class CellSkipped:
    """The user skips a cell; its remaining trials follow as skipped."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run has ended; ``run`` holds everything."""

    run: Run


Event = (
    Preparing | RunStarted | TrialStarted | Progress | TrialFinished | Warned | Paused | Continued | CellSkipped
    | RunFinished
)  # fmt: skip
