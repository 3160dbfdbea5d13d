"""A saved run played on the screen: it is marked as a replay, and paused, stepped and ended by keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from imgstore_tui.bench.results.state import RunPhase
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.saved_runs import save_journal
from tests.support.screen import driven


async def test_a_saved_run_is_played_and_marked_until_its_end() -> None:
    run = fake_run(rounds=2)
    first = datetime.fromisoformat(run.started_at)
    starts = [(first + timedelta(seconds=10 * number)).isoformat() for number in range(len(run.measurements))]
    trials = zip(run.measurements, starts, strict=True)
    save_journal(replace(run, measurements=tuple(replace(trial, started_at=start) for trial, start in trials)))
    async with driven() as app:
        await app.press("f")
        await app.until(lambda: "finished" in app.picture)
        await app.press("p")
        await app.until(lambda: "REPLAY 10x" in app.picture)
        await app.press("z")
        await app.until(lambda: "REPLAY PAUSED" in app.picture)
        await app.until(lambda: app.workbench.run_state.paused)
        state = app.workbench.run_state
        assert state.run is not None
        before = len(state.run.measurements)
        await app.press("k")
        await app.until(lambda: len(app.workbench.run_state.run.measurements) == before + 1)  # type: ignore[union-attr]
        assert app.workbench.check_action("export", ()) is False, "a part of a run is not exported as a run"
        await app.press("greater_than_sign", "z")
        await app.until(lambda: "REPLAY 20x" in app.picture)
        for _ in range(3):
            await app.press("greater_than_sign")
        controls = app.app.run_thread.replay
        assert controls is not None
        controls.controls.speed = 1e6
        await app.finish()
        await app.until(lambda: "REPLAY ENDED" in app.picture)
        assert app.workbench.run_state.phase is RunPhase.FINISHED
        assert app.workbench.check_action("go_on", ()) is False
