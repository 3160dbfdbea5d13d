"""The run in its thread: news in order, cancelling, and errors that never leave the thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.state import Phase, RunState
from imgstore_tui.bench.run.controls import Steering
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.events import Event, RunFinished, RunStarted
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.run.run_thread import Bridge, Broken, after
from tests.support.fake_runs import FakeRunner

PLAN = named_plan("quick")


def carried_out(bridge: Bridge) -> RunState:
    bridge.prepare().carry_out(bridge.to_run(PLAN))
    return after(RunState(), bridge.drain())


def test_news_comes_in_order_and_once() -> None:
    bridge = Bridge(FakeRunner())
    state = carried_out(bridge)
    assert state.phase is Phase.FINISHED
    assert state.run is not None
    assert len(state.run.measurements) == 51 * 6
    assert bridge.drain() == []
    assert not bridge.busy


def test_a_run_that_never_says_it_is_over_is_over_all_the_same() -> None:
    def run(plan: Plan, *, cancel: threading.Event, steering: Steering, listen: Callable[[Event], None]) -> Run:
        return fake_run()

    bridge = Bridge(run)
    bridge.prepare().carry_out(bridge.to_run(PLAN))
    assert [type(news) for news in bridge.drain()] == [RunFinished]


def test_stopping_reaches_the_run() -> None:
    runner = FakeRunner(hold_after=10)
    bridge = Bridge(runner)
    job = bridge.prepare()
    thread = threading.Thread(target=job.carry_out, args=(bridge.to_run(PLAN),))
    thread.start()
    assert runner.held.wait(5)
    assert bridge.busy
    assert not bridge.stopping
    bridge.stop()
    assert bridge.wait(5)
    thread.join()
    finished = [news for news in bridge.drain() if isinstance(news, RunFinished)]
    assert [news.run.status for news in finished] == ["stopped"]
    assert len(finished[0].run.measurements) == 10
    assert not bridge.stopping


def test_a_new_run_is_not_stopped_by_the_last_ones_stop() -> None:
    bridge = Bridge(FakeRunner())
    bridge.stop()
    assert carried_out(bridge).phase is Phase.FINISHED


def test_a_thread_that_is_slow_to_end_touches_nothing_of_the_next_run() -> None:
    runner = FakeRunner(hold_after=3, stubborn=threading.Event())
    assert runner.stubborn is not None
    bridge = Bridge(runner)
    old = bridge.prepare(watching=True)
    thread = threading.Thread(target=old.carry_out, args=(bridge.to_run(PLAN),))
    thread.start()
    assert runner.held.wait(5)
    bridge.stop()
    new = bridge.prepare()
    runner.stubborn.set()
    thread.join(5)
    assert not thread.is_alive()
    assert (bridge.measuring, bridge.stopping) == (True, False)
    assert bridge.drain() == [], "what the old one said late is not the new one's"
    new.carry_out(lambda **_: fake_run())
    assert not bridge.busy
    assert [type(news) for news in bridge.drain()] == [RunFinished]


@pytest.mark.parametrize("error", [UnavailableError("No room [/foo]."), RuntimeError("boom"), MemoryError()])
def test_an_error_before_the_start_leaves_an_idle_screen(error: Exception) -> None:
    state = carried_out(Bridge(FakeRunner(fail_with=error)))
    assert (state.phase, state.run) == (Phase.IDLE, None)
    assert str(error) in state.warnings[-1]


def test_an_error_in_the_middle_keeps_what_was_measured() -> None:
    state = carried_out(Bridge(FakeRunner(fail_with=RuntimeError("boom"), hold_after=7)))
    assert state.phase is Phase.FINISHED
    assert state.run is not None
    assert (state.run.status, len(state.run.measurements)) == ("interrupted", 7)
    assert "boom" in state.warnings[-1]


def test_an_error_after_the_end_does_not_undo_it() -> None:
    run = fake_run()
    state = after(RunState(), [RunStarted(run, (), 1.0, "journal"), RunFinished(run), Broken("late")])
    assert (state.phase, state.warnings) == (Phase.FINISHED, ("late",))
