"""Playing a saved run: its events in their order, faster, paused, step by step."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from imgstore_tui.bench.results.state import RunPhase, RunState, reduce_all
from imgstore_tui.bench.run.replay import SPEEDS, ReplayControls, replay_run
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.events import Event, TrialFinished
from imgstore_tui.core.model import Run
from imgstore_tui.testing.fake_runs import fake_run


def run_with_gaps(seconds: float) -> Run:
    """A run whose trials began so many seconds apart."""
    run = fake_run(rounds=2, cutoffs=(10,))
    first = datetime.fromisoformat(run.started_at)
    starts = [(first + timedelta(seconds=seconds * number)).isoformat() for number in range(len(run.measurements))]
    trials = zip(run.measurements, starts, strict=True)
    return replace(run, measurements=tuple(replace(trial, started_at=start) for trial, start in trials))


def test_a_replay_ends_in_the_state_of_the_run() -> None:
    run, events = run_with_gaps(1.0), list[Event]()
    cancel = threading.Event()
    assert replay_run(run, "journal", cancel=cancel, controls=ReplayControls(1e6), listen=events.append) == run
    state = reduce_all(RunState(), events)
    assert (state.run, state.phase, state.fraction) == (run, RunPhase.FINISHED, 1.0)
    assert [event.measurement for event in events if isinstance(event, TrialFinished)] == list(run.measurements)


def test_time_between_trials_passes_as_it_did_divided_by_the_speed() -> None:
    run, events = run_with_gaps(1.0), list[Event]()
    began = time.monotonic()
    replay_run(run, "", cancel=threading.Event(), controls=ReplayControls(50.0), listen=events.append)
    assert time.monotonic() - began > 0.9 * (len(run.measurements) - 1) / 50


def test_a_step_plays_one_trial_and_waits() -> None:
    controls, cancel, events = ReplayControls(1e6), threading.Event(), list[Event]()
    controls.pause()
    thread = threading.Thread(
        target=replay_run,
        args=(run_with_gaps(1.0), ""),
        kwargs={"cancel": cancel, "controls": controls, "listen": events.append},
    )
    thread.start()

    def played() -> int:
        return sum(isinstance(event, TrialFinished) for event in list(events))

    for count in (1, 2, 3):
        controls.step()
        deadline = time.monotonic() + 60
        while played() < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert played() == count
    cancel.set()
    thread.join(60)
    assert not thread.is_alive()
    assert played() == 3


def test_the_speed_moves_through_its_steps_and_no_further() -> None:
    controls = ReplayControls(10.0)
    controls.change_speed(1)
    assert controls.speed == 20.0
    for _ in SPEEDS:
        controls.change_speed(-1)
    assert controls.speed == SPEEDS[0]


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(UsageError, match="A speed is a number above 0"):
        ReplayControls(speed)
