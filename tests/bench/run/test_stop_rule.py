"""Rounds stop by themselves: what is compared stops together, at a look, and the rows say why."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from imgstore_tui.bench.plan.looks import look_at, looks_of, rounds_for_verdict
from imgstore_tui.bench.plan.stop_rule import StopRule, with_stops
from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.runner import resume_run, run_plan
from imgstore_tui.core.events import Event, Progress, TrialFinished
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.testing.fake_executor import FakeExecutor, fake_outcome
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.plans import small_plan

OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY)


def plan_of(*specs: str, **changes: object) -> Plan:
    return small_plan(
        *specs or ("disk", "disk+raw", "lmdb"),
        **{"cutoffs": (20,), "operations": OPERATIONS, "rounds": 12, "looks": True, "budget_s": None, **changes},
    )


def wavering(request: TrialRequest) -> TrialOutcome:
    """Answer like a flawless trial, but reading takes another time with each store and round."""
    outcome = fake_outcome(request)
    if request.step is not Step.TRIAL or request.operation is not Operation.READ_MANY:
        return outcome
    number = int(request.seed.split("/")[1])
    seconds = {"disk": 1.0, "disk+raw": (0.6, 1.5, 1.1)[number % 3], "lmdb": 3.0}[request.spec.label]
    return replace(outcome, result=replace(outcome.result, seconds=seconds, samples=(seconds,)))


def rounds_by_operation(run: Run) -> dict[Operation, set[int]]:
    """Return the numbers of rounds that the cells of each operation have."""
    counts = Counter(trial.cell for trial in run.measurements)
    return {operation: {n for cell, n in counts.items() if cell.operation is operation} for operation in OPERATIONS}


def test_what_is_settled_stops_together_at_the_first_look_and_the_rest_goes_on() -> None:
    run = run_plan(plan_of(), executor=FakeExecutor(wavering))
    assert run.status == "finished"
    assert rounds_by_operation(run) == {Operation.WRITE_MANY: {9}, Operation.READ_MANY: {12}}
    stops = {(trial.operation, trial.stop) for trial in run.measurements}
    assert stops == {(Operation.WRITE_MANY, "settled"), (Operation.READ_MANY, "rounds")}
    assert read_journal(saved_runs()[0]).measurements == run.measurements


def test_a_run_ends_when_all_is_settled() -> None:
    events: list[Event] = []
    executor = FakeExecutor()
    run = run_plan(plan_of(rounds=25), executor=executor, listen=events.append)
    assert rounds_by_operation(run) == {Operation.WRITE_MANY: {9}, Operation.READ_MANY: {9}}
    assert (run.status, executor.rounds) == ("finished", 9)
    # No time is left for rounds that do not come.
    last = max(index for index, event in enumerate(events) if isinstance(event, TrialFinished))
    left = [event.remaining_s for event in events[:last] if isinstance(event, Progress)]
    assert left[-1] is not None
    assert left[0] is None or left[-1] < 1.0


def test_a_plan_without_looks_runs_all_its_rounds() -> None:
    run = run_plan(plan_of(looks=False), executor=FakeExecutor())
    assert rounds_by_operation(run) == {Operation.WRITE_MANY: {12}, Operation.READ_MANY: {12}}
    assert {trial.stop for trial in run.measurements} == {"rounds"}


def test_what_the_budget_ended_says_so_and_what_was_settled_before_too() -> None:
    whole = run_plan(plan_of(), executor=FakeExecutor(wavering))
    short = replace(
        whole, status="budget", measurements=tuple(trial for trial in whole.measurements if trial.round < 10)
    )
    stops = {(trial.operation, trial.stop) for trial in with_stops(short).measurements}
    assert stops == {(Operation.WRITE_MANY, "settled"), (Operation.READ_MANY, "budget")}


def test_a_resumed_run_stops_where_it_would_have_stopped() -> None:
    class Stop(Exception):
        """Breaks a run off."""

    def listen(event: Event) -> None:
        if isinstance(event, TrialFinished) and event.measurement.round == 9:
            raise Stop

    with pytest.raises(Stop):
        run_plan(plan_of(), executor=FakeExecutor(wavering), listen=listen)
    (path,) = saved_runs()
    assert rounds_by_operation(read_journal(path))[Operation.WRITE_MANY] == {9}
    run = resume_run(path, executor=FakeExecutor(wavering))
    assert rounds_by_operation(run) == {Operation.WRITE_MANY: {9}, Operation.READ_MANY: {12}}


def test_a_method_that_fails_does_not_keep_the_others_waiting() -> None:
    def answer(request: TrialRequest) -> TrialOutcome:
        fails = request.spec.label == "lmdb" and request.step is Step.TRIAL
        return TrialOutcome(False, "It broke.") if fails else fake_outcome(request)

    run = run_plan(plan_of(), executor=FakeExecutor(answer))
    assert rounds_by_operation(run) == {Operation.WRITE_MANY: {9}, Operation.READ_MANY: {9}}


def test_the_looks_of_a_plan() -> None:
    plan = plan_of()
    assert [look.rounds for look in looks_of(plan, 3)] == [9, 12]
    assert rounds_for_verdict(plan, 3) == 9
    assert look_at(plan, 3, 8, ended=False) is None
    early = look_at(plan, 3, 8, ended=True)
    assert early is not None
    assert early.rounds == 8
    fixed = replace(plan, looks=False, rounds=6)
    (only,) = looks_of(fixed, 3)
    assert only.rounds == 6
    assert only.error == pytest.approx(0.05)
    assert looks_of(replace(fixed, rounds=5), 3) == ()
    assert look_at(replace(fixed, rounds=5), 3, 5, ended=True) is None


def test_all_methods_of_a_round_are_needed_before_anything_stops() -> None:
    run = fake_run(cutoffs=[10], rounds=9, operations=[Operation.READ_MANY])
    plan = replace(run.plan, looks=True, rounds=12)
    rule = StopRule(plan, dict.fromkeys(trial.cell for trial in run.measurements))
    stopped = [rule.add(trial) for trial in run.measurements]
    assert not any(stopped[:-1])
    assert {cell.spec for cell in stopped[-1]} == {"disk", "lmdb", "hdf5"}


def settled_at(run: Run, **seconds: tuple[float, ...]) -> list[int]:
    """Return the rounds in which cells stopped, one for each contest; each method takes its seconds in turn."""
    rule = StopRule(replace(run.plan, looks=True, rounds=25), dict.fromkeys(trial.cell for trial in run.measurements))
    ordered = sorted(run.measurements, key=lambda trial: trial.round)
    first = ordered[0].round
    stopped = []
    for trial in ordered:
        times = seconds[trial.spec]
        number = trial.round - first
        if rule.add(replace(trial, seconds=times[number % len(times)])):
            stopped.append(number + 1)
    return stopped


def test_between_looks_nothing_stops_though_it_would_be_settled() -> None:
    run = fake_run(["lmdb", "hdf5"], [10], 12, operations=[Operation.READ_MANY])
    # One round of nine does not keep signed ranks from calling it slower; the looks are at 8 and 11.
    assert [look.rounds for look in looks_of(replace(run.plan, looks=True, rounds=25), 2)][:2] == [8, 11]
    assert settled_at(run, lmdb=(1.0,), hdf5=(1.0, *[2.0] * 11)) == [11]


def test_what_is_settled_alone_goes_on_where_many_cells_hold_together() -> None:
    wide = {"lmdb": (1.0,), "hdf5": (1.06, 1.1, 1.3, 1.5, 1.2, 1.4, 1.08, 1.35)}
    assert settled_at(fake_run(["lmdb", "hdf5"], [10], 8, operations=[Operation.READ_MANY]), **wide) == [8]
    assert settled_at(fake_run(["lmdb", "hdf5"], range(1, 21), 8, operations=[Operation.READ_MANY]), **wide) == []


def test_what_was_not_verified_has_no_say_in_when_to_stop() -> None:
    run = fake_run(cutoffs=[10], rounds=12, operations=[Operation.READ_MANY])
    open_yet = {"disk": (1.0,), "lmdb": (2.0,), "hdf5": (0.6, 1.5, 1.1)}
    assert settled_at(run, **open_yet) == []
    trials = tuple(replace(trial, verified=trial.spec != "hdf5") for trial in run.measurements)
    assert settled_at(replace(run, measurements=trials), **open_yet) == [9]
