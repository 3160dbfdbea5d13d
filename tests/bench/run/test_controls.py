"""Pausing and skipping: what the user wants of a run that is going on, in its journal and in its state."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.results.journal_reader import JournalReader
from imgstore_tui.bench.results.state import RunState, reduce
from imgstore_tui.bench.run.budget import Budget
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.bench.run.measurement import SKIPPED_BY_USER
from imgstore_tui.bench.run.runner import resume_run, run_plan
from imgstore_tui.core.events import CellSkipped, Continued, Event, Paused, RunFinished, TrialFinished, TrialStarted
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.present.text.captions import fact_pairs
from imgstore_tui.testing.fake_executor import FakeExecutor, fake_outcome
from tests.support.plans import small_plan


def fold(events: list[Event]) -> RunState:
    state = RunState()
    for event in events:
        state = reduce(state, event)
    return state


def paused_for(seconds: float) -> tuple[Run, list[Event]]:
    """Run a plan, paused at its fifth trial for so long."""
    controls, events = RunControls(), list[Event]()

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, TrialFinished) and sum(isinstance(entry, TrialFinished) for entry in events) == 5:
            controls.pause()
        if isinstance(event, Paused):
            threading.Timer(seconds, controls.resume).start()

    return run_plan(small_plan(), executor=FakeExecutor(), controls=controls, listen=listen), events


def test_while_paused_no_trial_starts_and_the_state_says_so() -> None:
    run, events = paused_for(0.3)
    at = next(index for index, event in enumerate(events) if isinstance(event, Paused))
    assert isinstance(events[at + 1], Continued)
    assert sum(isinstance(event, TrialFinished) for event in events[:at]) == 5
    state = fold(events[: at + 1])
    assert state.paused
    assert state.current is None
    assert not fold(events[: at + 2]).paused
    assert run.status == "finished"
    assert run.paused_s > 0.25
    assert fold(events).run == run


def test_a_pause_is_in_the_journal_and_in_the_facts_of_the_run() -> None:
    run, _ = paused_for(0.2)
    assert read_journal(saved_runs()[0]) == run
    kinds = [type(event) for event in JournalReader(saved_runs()[0]).read()]
    assert kinds.index(Paused) == 5
    assert kinds[6] is Continued
    long = replace(run, paused_s=83.0)
    assert "paused for 1:23 in all" in dict(fact_pairs(long))["Run"]


def test_time_paused_counts_in_no_budget() -> None:
    budget = Budget(5.0)
    before = budget.left_s
    budget.paused_s += 60.0
    assert before <= 5.0 < budget.left_s <= 65.0


def test_a_paused_run_can_be_stopped() -> None:
    controls, cancel = RunControls(), threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, Paused):
            cancel.set()

    controls.pause()
    run = run_plan(small_plan(), executor=FakeExecutor(), cancel=cancel, controls=controls, listen=listen)
    assert (run.status, run.measurements) == ("stopped", ())
    assert list(Path.cwd().iterdir()) == []


def skipping(operation: Operation, step: Step) -> tuple[Run, list[Event], Cell]:
    """Run a plan; in the first round, in this step of this operation at 20 images, its cell is skipped."""
    controls, events, cells = RunControls(), list[Event](), list[Cell]()
    target = (step.value, operation, 20)

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, TrialStarted) and (event.step, event.cell.operation, event.cell.cutoff) == target:
            cells.append(event.cell)

    def answer(request: TrialRequest) -> TrialOutcome:
        if cells and not controls.skipped:
            controls.skip(cells[0])
            # What a child that is ended comes back with.
            return TrialOutcome(False, "Stopped by the user.", cancelled=True)
        return fake_outcome(request)

    run = run_plan(small_plan("disk", rounds=3), executor=FakeExecutor(answer), controls=controls, listen=listen)
    return run, events, cells[0]


def test_a_skipped_cell_is_written_down_and_the_run_goes_on() -> None:
    run, events, cell = skipping(Operation.WRITE_MANY, Step.TRIAL)
    own = [m for m in run.measurements if m.cell == cell]
    assert sorted(m.round for m in own) == [0, 1, 2]
    assert {(m.status, m.reason) for m in own} == {(Status.SKIPPED, SKIPPED_BY_USER)}
    assert {m.status for m in run.measurements if m.cell != cell} == {Status.OK}, "reads build a store of their own"
    assert run.status == "finished"
    assert fold(events).skipped == {cell}
    assert read_journal(saved_runs()[0]) == run
    assert CellSkipped(cell) in JournalReader(saved_runs()[0]).read()
    assert len(run.measurements) == 3 * (2 + 1 + 3 + 1)


def test_skipping_a_read_while_its_store_is_built_leaves_the_other_reads_theirs() -> None:
    controls, done = RunControls(), list[str]()

    def answer(request: TrialRequest) -> TrialOutcome:
        if request.step is Step.PREPARE and not done:
            done.append(request.location)
            controls.skip(
                next(cell for cell in cells if (cell.operation, cell.cutoff) == (request.operation, request.cutoff))
            )
            return TrialOutcome(False, "Stopped by the user.", cancelled=True)
        return fake_outcome(request)

    cells: list[Cell] = []

    def listen(event: Event) -> None:
        if isinstance(event, TrialStarted):
            cells.append(event.cell)

    plan = small_plan("disk", rounds=2, cutoffs=(20,), operations=(Operation.READ_ONE, Operation.READ_MANY))
    run = run_plan(plan, executor=FakeExecutor(answer), controls=controls, listen=listen)
    by_operation = {m.operation: m.status for m in run.measurements}
    assert by_operation == {Operation.READ_ONE: Status.SKIPPED, Operation.READ_MANY: Status.OK}


def test_a_resumed_run_leaves_skipped_cells_alone() -> None:
    controls, cancel, events = RunControls(), threading.Event(), list[Event]()

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, TrialFinished) and event.measurement.status is Status.OK:
            controls.skip(event.measurement.cell)
        if isinstance(event, CellSkipped):
            cancel.set()

    first = run_plan(small_plan(), executor=FakeExecutor(), cancel=cancel, controls=controls, listen=listen)
    assert first.status == "stopped"
    (cell,) = controls.skipped & {m.cell for m in first.measurements if m.status is Status.SKIPPED}
    executor = FakeExecutor()
    run = resume_run(saved_runs()[0], executor=executor)
    assert run.status == "finished"
    own = sorted((m.round, m.status) for m in run.measurements if m.cell == cell)
    assert own == [(0, Status.OK), (1, Status.SKIPPED)]
    assert len({(m.cell, m.round) for m in run.measurements}) == len(run.measurements)


@pytest.mark.full
def test_a_real_child_is_ended_when_its_cell_is_skipped() -> None:
    controls, events = RunControls(), list[Event]()

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, TrialStarted) and event.cell.spec == "disk" and event.step == "trial":
            controls.skip(event.cell)

    plan = small_plan(
        "disk", "lmdb", datasets=("synthetic,size=64",), cutoffs=(3000,), rounds=1, operations=(Operation.WRITE_MANY,)
    )
    run = run_plan(plan, controls=controls, listen=listen)
    assert {m.spec: m.status for m in run.measurements} == {"disk": Status.SKIPPED, "lmdb": Status.OK}
    assert isinstance(events[-1], RunFinished)
    assert list(Path.cwd().iterdir()) == []
