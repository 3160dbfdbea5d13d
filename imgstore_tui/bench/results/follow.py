"""Watching a run that goes on in another process: its journal is the truth, so it is what is watched."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path

from imgstore_tui.bench.plan.cost_model import TRIAL_S, CostModel
from imgstore_tui.bench.plan.grid import plan_cells, with_files
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.results.lock import running
from imgstore_tui.core.events import Event, Progress, RunFinished, RunStarted, TrialFinished
from imgstore_tui.core.model import Cell, Measurement, Run

POLL_INTERVAL_S = 0.5


def cells_of(run: Run) -> tuple[Cell, ...]:
    """Return all cells that a run was to measure, in the order in which tables show them."""
    return plan_cells(run.plan, with_files(run.datasets))


def is_running(run_id: str) -> bool:
    """Tell whether this run goes on now, in whatever process."""
    return running() == f"run {run_id}"


def follow_run(path: Path, *, cancel: threading.Event, listen: Callable[[Event], None]) -> Run:
    """Tell what a run writes into its journal until it ends, or the process that measures is gone.

    What was measured before is told first. A run that is over is told at once, and returned.

    Args:
        path: Its journal.
        cancel: Ends the watching; the run goes on.
        listen: Told of every event, in this thread.

    Returns:
        The run as far as it was seen.

    Raises:
        DataError: If the journal cannot be read.
    """
    reader = JournalReader(path)
    outlook: _ProgressEstimate | None = None
    while True:
        # Asked before the journal is read: what a run writes before it dies is then still seen.
        alive = is_running(path.stem)
        events = reader.read()
        run = reader.run
        if outlook is None:
            outlook = _ProgressEstimate(run)
            begun = Run(run.id, run.plan, run.environment, run.datasets, run.started_at, title=run.title)
            listen(RunStarted(begun, cells_of(run), outlook.expected_s, str(path)))
        for event in events:
            listen(event)
            if isinstance(event, TrialFinished):
                outlook.note(event.measurement)
        listen(outlook.progress())
        if run.status != "interrupted" or not alive:
            listen(RunFinished(run))
            return run
        if cancel.wait(POLL_INTERVAL_S):
            return run


class _ProgressEstimate:
    """How far a run is that somebody else measures: by cost, as its own supervisor reckons."""

    def __init__(self, run: Run) -> None:
        self._costs = CostModel({facts.text: facts.pixel_bytes / max(1, facts.used) for facts in run.datasets})
        self._left: dict[Cell, int] = dict.fromkeys(cells_of(run), run.plan.rounds)
        self._spent_s = 0.0
        self._budget_s = math.inf if run.plan.budget_s is None else run.plan.budget_s
        self.expected_s = self._remaining_s()

    def note(self, measurement: Measurement) -> None:
        """Take in what a trial took; what goes on around its clock was not written down."""
        seconds = TRIAL_S + (measurement.elapsed_s or 0.0) + (measurement.drain_s or 0.0)
        self._left[measurement.cell] = max(0, self._left.get(measurement.cell, 1) - 1)
        self._costs.learn(measurement.cell, seconds)
        self._spent_s += seconds

    def progress(self) -> Progress:
        """Return how far the run is; what the running trial has done nobody writes down."""
        left = self._remaining_s()
        total = self._spent_s + left
        within = min(left, max(0.0, self._budget_s - self._spent_s))
        return Progress(0, 1 - left / total if total else 1.0, within if self._spent_s else None)

    def _remaining_s(self) -> float:
        return sum(self._costs.expect(cell) * count for cell, count in self._left.items())
