"""The run in its thread: news in order, cancelling, and errors that never leave the thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.state import RunPhase, RunState
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.events import Event, RunFinished, RunStarted
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.run.run_thread import RunFailed, RunThread, apply_updates
from tests.support.fake_runs import FakeRunner

PLAN = named_plan("quick")


def carried_out(run_thread: RunThread) -> RunState:
    run_thread.prepare().carry_out(run_thread.run_action(PLAN))
    return apply_updates(RunState(), run_thread.drain())


def test_news_comes_in_order_and_once() -> None:
    run_thread = RunThread(FakeRunner())
    state = carried_out(run_thread)
    assert state.phase is RunPhase.FINISHED
    assert state.run is not None
    assert len(state.run.measurements) == 27 * 12
    assert run_thread.drain() == []
    assert not run_thread.busy


def test_a_run_that_never_says_it_is_over_is_over_all_the_same() -> None:
    def run(plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]) -> Run:
        return fake_run()

    run_thread = RunThread(run)
    run_thread.prepare().carry_out(run_thread.run_action(PLAN))
    assert [type(news) for news in run_thread.drain()] == [RunFinished]


def test_stopping_reaches_the_run() -> None:
    runner = FakeRunner(hold_after=10)
    run_thread = RunThread(runner)
    job = run_thread.prepare()
    thread = threading.Thread(target=job.carry_out, args=(run_thread.run_action(PLAN),))
    thread.start()
    assert runner.held.wait(60)
    assert run_thread.busy
    assert not run_thread.stopping
    run_thread.stop()
    assert run_thread.wait(60)
    thread.join()
    finished = [news for news in run_thread.drain() if isinstance(news, RunFinished)]
    assert [news.run.status for news in finished] == ["stopped"]
    assert len(finished[0].run.measurements) == 10
    assert not run_thread.stopping


def test_a_new_run_is_not_stopped_by_the_last_ones_stop() -> None:
    run_thread = RunThread(FakeRunner())
    run_thread.stop()
    assert carried_out(run_thread).phase is RunPhase.FINISHED


def test_a_thread_that_is_slow_to_end_touches_nothing_of_the_next_run() -> None:
    runner = FakeRunner(hold_after=3, stubborn=threading.Event())
    assert runner.stubborn is not None
    run_thread = RunThread(runner)
    old = run_thread.prepare(watching=True)
    thread = threading.Thread(target=old.carry_out, args=(run_thread.run_action(PLAN),))
    thread.start()
    assert runner.held.wait(60)
    run_thread.stop()
    new = run_thread.prepare()
    runner.stubborn.set()
    thread.join(60)
    assert not thread.is_alive()
    assert (run_thread.measuring, run_thread.stopping) == (True, False)
    assert run_thread.drain() == [], "what the old one said late is not the new one's"
    new.carry_out(lambda **_: fake_run())
    assert not run_thread.busy
    assert [type(news) for news in run_thread.drain()] == [RunFinished]


@pytest.mark.parametrize("error", [UnavailableError("No room [/foo]."), RuntimeError("boom"), MemoryError()])
def test_an_error_before_the_start_leaves_an_idle_screen(error: Exception) -> None:
    state = carried_out(RunThread(FakeRunner(fail_with=error)))
    assert (state.phase, state.run) == (RunPhase.IDLE, None)
    assert str(error) in state.warnings[-1]


def test_an_error_in_the_middle_keeps_what_was_measured() -> None:
    state = carried_out(RunThread(FakeRunner(fail_with=RuntimeError("boom"), hold_after=7)))
    assert state.phase is RunPhase.FINISHED
    assert state.run is not None
    assert (state.run.status, len(state.run.measurements)) == ("interrupted", 7)
    assert "boom" in state.warnings[-1]


def test_an_error_after_the_end_does_not_undo_it() -> None:
    run = fake_run()
    state = apply_updates(RunState(), [RunStarted(run, (), 1.0, "journal"), RunFinished(run), RunFailed("late")])
    assert (state.phase, state.warnings) == (RunPhase.FINISHED, ("late",))
