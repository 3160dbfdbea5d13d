"""What a running run says, to anybody who listens. Frozen; made in the supervising thread."""

from __future__ import annotations

from dataclasses import dataclass

from imgstore_tui.core.model import Cell, Measurement, Run


@dataclass(frozen=True, slots=True)
class Preparing:
    """Work before the first trial: scanning the data, making the pixels ready."""

    what: str
    done: int
    total: int | None


@dataclass(frozen=True, slots=True)
class RunStarted:
    """All is ready, the journal is open; trials follow."""

    run: Run
    cells: tuple[Cell, ...]
    """All cells of the plan, in the order in which tables show them."""
    expected_s: float
    """Expected seconds of all trials together, from rates assumed before anything was measured."""
    journal: str
    """Path of the journal."""


@dataclass(frozen=True, slots=True)
class TrialStarted:
    """A child has been asked to run a trial, or an untimed step that a trial needs."""

    cell: Cell
    round: int
    step: str
    """``trial``, or the untimed step: ``prepare`` or ``verify``."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the running trial is, and the whole run; at most ten a second."""

    images_done: int
    fraction: float
    """Share of the run's expected cost that is behind us, 0 to 1."""
    remaining_s: float | None
    """Expected seconds to go; None until something has been measured."""


@dataclass(frozen=True, slots=True)
class TrialFinished:
    """A trial ended, its measurement is in the journal already."""

    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that bears on the numbers, in a sentence, with what to do."""

    text: str


@dataclass(frozen=True, slots=True)
class Paused:
    """The user wants no new trial for the time being; none is running."""


@dataclass(frozen=True, slots=True)
class Continued:
    """A pause is over."""

    paused_s: float
    """How long it was."""


@dataclass(frozen=True, slots=True)
class CellSkipped:
    """The user wants no more of a cell; what remained of it follows as skipped trials."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over; ``run`` holds everything."""

    run: Run


Event = (
    Preparing | RunStarted | TrialStarted | Progress | TrialFinished | Warned | Paused | Continued | CellSkipped
    | RunFinished
)  # fmt: skip
