"""Runs that go on without an instrument: believable events, as fast or as slow as a test wants."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.bench.run.run_folder import RunFolder
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
)
from imgstore_tui.core.model import Cell, Plan, Run
from imgstore_tui.core.operations import Status
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.terminal.capabilities import ScreenSettings

SETTINGS = ScreenSettings(theme=None, ascii=False, animate=False, fps=20)


def _hold(cancel: threading.Event, over: Callable[[], bool]) -> None:
    while not over() and not cancel.wait(0.01):
        pass


def _steered(controls: RunControls, cell: Cell) -> bool:
    return controls.paused or cell in controls.skipped


@dataclass
class FakeRunner:
    """Carries a plan out by saying so."""

    delay_s: float = 0.0
    """Seconds a trial takes."""
    hold_after: int | None = None
    """After so many trials, wait until told to stop, to pause, or to skip the cell."""
    fail_with: Exception | None = None
    """Raised after ``hold_after`` trials, or at once."""
    failures: dict[str, str] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    """The plans that were asked for."""
    journal: str = "/nowhere/run.jsonl"
    held: threading.Event = field(default_factory=threading.Event)
    """Set when the run waits."""
    stubborn: threading.Event | None = None
    """Where given, cancelling has no effect until this is set."""

    def __call__(
        self, plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]
    ) -> Run:
        self.plans.append(plan)
        for done in (0, 500, 1000):
            listen(Preparing("making pixels", done, 1000))
        whole = fake_run(
            [spec.label for spec in plan.specs],
            plan.cutoffs,
            plan.rounds,
            operations=plan.operations,
            sync=plan.sync,
            cache=plan.cache,
            dataset=plan.datasets[0],
            failures=self.failures,
        )
        # The instrument counts rounds from 0.
        measurements = [replace(entry, round=entry.round - 1) for entry in whole.measurements]
        run = replace(whole, plan=plan, measurements=(), status="running", finished_at=None)
        cells = plan_cells(plan)
        if self.fail_with is not None and self.hold_after is None:
            raise self.fail_with
        listen(RunStarted(run, cells, 10.0, self.journal))
        done = 0
        for number, measurement in enumerate(measurements):
            if controls.paused:
                listen(Paused())
                _hold(cancel, lambda: not controls.paused)
                listen(Continued(0.5))
            if measurement.cell in controls.skipped:
                done += 1
                skipped = replace(measurement, status=Status.SKIPPED, seconds=None, reason="Skipped by the user.")
                run = replace(run, measurements=(*run.measurements, skipped))
                listen(CellSkipped(skipped.cell))
                listen(TrialFinished(skipped))
                continue
            listen(TrialStarted(measurement.cell, measurement.round, "trial"))
            fraction = number / len(measurements)
            listen(Progress(measurement.cutoff // 2, fraction, 10 * (1 - fraction) if number else None))
            if self.hold_after == number:
                if self.fail_with is not None:
                    raise self.fail_with
                self.held.set()
                if self.stubborn is not None:
                    self.stubborn.wait()
                _hold(cancel, partial(_steered, controls, measurement.cell))
            if cancel.wait(self.delay_s) if self.delay_s else cancel.is_set():
                break
            run = replace(run, measurements=(*run.measurements, measurement))
            listen(TrialFinished(measurement))
            done += 1
        status = "finished" if done == len(measurements) else "stopped"
        run = replace(run, status=status, finished_at="2026-01-02T03:05:00+00:00")
        listen(RunFinished(run))
        return run


def leave_behind() -> Path:
    """Leave a scratch folder as a run that was killed does."""
    folder = RunFolder(Path.cwd(), "20260101-000000-died")
    store = folder.claim("store-000001")
    store.mkdir()
    (store / "image").write_bytes(bytes(5000))
    # The kernel drops the lock when its holder dies.
    os.close(folder._sentinel)
    return folder.path
