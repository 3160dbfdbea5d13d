"""Follows a run that another process measures, by its journal."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path

from imgstore_tui.bench.plan.cost_model import TRIAL_S
from imgstore_tui.bench.plan.grid import run_cells
from imgstore_tui.bench.plan.remaining_work import RemainingWork
from imgstore_tui.bench.plan.stop_rule import StopRule
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.results.lock import running
from imgstore_tui.core.events import Event, Progress, RunFinished, RunStarted, TrialFinished
from imgstore_tui.core.model import Cell, Measurement, Run

POLL_INTERVAL_S = 0.5


def cells_of(run: Run) -> tuple[Cell, ...]:
    """Return all cells of a run's plan, in the order in which tables show them."""
    return run_cells(run)


def is_running(run_id: str) -> bool:
    """Return whether a run is being measured now, in whatever process."""
    return running() == f"run {run_id}"


def follow_run(path: Path, *, cancel: threading.Event, listen: Callable[[Event], None]) -> Run:
    """Emit the events of a run as they appear in its journal, until it ends or the measuring process is gone.

    The events of earlier measurements come first. A run that has ended is emitted at once.

    Args:
        path: The run's journal.
        cancel: When set, stops following; the run itself goes on.
        listen: Called with every event, in this thread.

    Returns:
        The run as far as its journal was read.

    Raises:
        DataError: If the journal cannot be read.
    """
    reader = JournalReader(path)
    estimate: _ProgressEstimate | None = None
    while True:
        # Read before the journal: what a run writes before it dies is then still seen.
        alive = is_running(path.stem)
        events = reader.read()
        run = reader.run
        if estimate is None:
            estimate = _ProgressEstimate(run)
            begun = Run(run.id, run.plan, run.environment, run.datasets, run.started_at, title=run.title)
            listen(RunStarted(begun, cells_of(run), estimate.expected_s, str(path)))
        for event in events:
            listen(event)
            if isinstance(event, TrialFinished):
                estimate.add(event.measurement)
        listen(estimate.progress())
        if run.status != "interrupted" or not alive:
            listen(RunFinished(run))
            return run
        if cancel.wait(POLL_INTERVAL_S):
            return run


class _ProgressEstimate:
    """How far a run of another process is: by cost, as its own supervisor counts."""

    def __init__(self, run: Run) -> None:
        image_bytes = {facts.text: facts.image_bytes for facts in run.datasets}
        cells = cells_of(run)
        self._work = RemainingWork(cells, run.plan.rounds, image_bytes)
        self._stop_rule = StopRule(run.plan, cells)
        self._budget_s = math.inf if run.plan.budget_s is None else run.plan.budget_s
        self.expected_s = self._work.seconds

    def add(self, measurement: Measurement) -> None:
        """Count a trial; the journal does not record what surrounds its clock."""
        self._work.finish(measurement.cell)
        self._work.learn(measurement.cell, TRIAL_S + (measurement.elapsed_s or 0.0) + (measurement.drain_s or 0.0))
        for cell in self._stop_rule.add(measurement):
            self._work.stop(cell)

    def progress(self) -> Progress:
        """Return how far the run is; the journal does not record how far the running trial is."""
        spent_s = self._work.spent_s
        return self._work.progress(0, self._work.seconds, self._budget_s - spent_s, known=spent_s > 0)
