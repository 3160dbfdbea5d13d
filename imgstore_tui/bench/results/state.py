"""Reduces the events of a run to one frozen state, which the screen and the command line show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imgstore_tui.core.events import (
    CellSkipped,
    Continued,
    Event,
    Paused,
    Preparing,
    Progress,
    RunFinished,
    RunStarted,
    TrialFinished,
    TrialStarted,
    Warned,
)
from imgstore_tui.core.model import Cell, Measurement, Run


class RunPhase(StrEnum):
    """Phase of a run."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class RunState:
    """State of a run at one moment."""

    phase: RunPhase = RunPhase.IDLE
    preparing: Preparing | None = None
    run: Run | None = None
    """The run with all measurements so far; None before it has started."""
    cells: tuple[Cell, ...] = ()
    journal: str | None = None
    expected_s: float | None = None
    current: TrialStarted | None = None
    """The trial that runs; None between runs and while paused."""
    paused: bool = False
    """Whether the user has paused the run."""
    skipped: frozenset[Cell] = frozenset()
    """Cells that the user skips."""
    images_done: int = 0
    fraction: float = 0.0
    remaining_s: float | None = None
    past_budget: bool = False
    """Whether the time budget is spent, and what was begun is finished."""
    warnings: tuple[str, ...] = ()
    revision: int = 0
    """Grows by one whenever ``run`` changes, so that tables and charts know when to be rebuilt."""


def reduce(state: RunState, event: Event) -> RunState:
    """Return the state after ``event``."""
    match event:
        case Preparing():
            return replace(state, phase=RunPhase.PREPARING, preparing=event)
        case RunStarted(run, cells, expected_s, journal):
            return replace(
                state, phase=RunPhase.RUNNING, preparing=None, run=run, cells=cells, expected_s=expected_s,
                journal=journal, revision=state.revision + 1,
            )  # fmt: skip
        case TrialStarted():
            return replace(state, current=event, images_done=0)
        case Paused():
            return replace(state, paused=True, current=None)
        case Continued(paused_s):
            resumed = None if state.run is None else replace(state.run, paused_s=state.run.paused_s + paused_s)
            return replace(state, paused=False, run=resumed)
        case CellSkipped(cell):
            return replace(state, skipped=state.skipped | {cell})
        case Progress(images_done, fraction, remaining_s, past_budget):
            return replace(
                state, images_done=images_done, fraction=fraction, remaining_s=remaining_s, past_budget=past_budget
            )
        case TrialFinished(measurement):
            return _with_trials(state, [measurement])
        case Warned(text):
            return replace(state, warnings=(*state.warnings, text))
        case RunFinished(run):
            return replace(
                state, phase=RunPhase.FINISHED, run=run, current=None, paused=False, remaining_s=0.0,
                fraction=1.0 if run.status == "finished" else state.fraction, revision=state.revision + 1,
            )  # fmt: skip


def reduce_all(state: RunState, events: Iterable[Event]) -> RunState:
    """Return the state after ``events``, in order: the same as ``reduce`` for each, but in linear time.

    A state is frozen, so each trial that ends copies all trials before it. When a run is opened, thousands come at
    once: they are gathered until another event changes the run.
    """
    trials: list[Measurement] = []
    for event in events:
        if isinstance(event, TrialFinished):
            trials.append(event.measurement)
            continue
        if trials and isinstance(event, RunStarted | Continued | RunFinished):
            state, trials = _with_trials(state, trials), []
        state = reduce(state, event)
    return _with_trials(state, trials) if trials else state


def _with_trials(state: RunState, trials: Sequence[Measurement]) -> RunState:
    if state.run is None:
        raise ValueError("a trial ended before its run started")
    run = replace(state.run, measurements=(*state.run.measurements, *trials))
    return replace(state, run=run, revision=state.revision + len(trials))
