"""The list of saved runs: what it says at every size, opening, watching, resuming, and what is in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from textual.widgets import Static

from imgstore_tui.bench.results.journal import Journal, read_journal, saved_runs
from imgstore_tui.bench.results.lock import RunLock
from imgstore_tui.bench.results.saved_runs import read_saved_run
from imgstore_tui.bench.results.state import RunPhase
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens import compare
from imgstore_tui.tui.screens.saved_runs import SavedRunsScreen
from imgstore_tui.tui.widgets import runs_table
from imgstore_tui.tui.widgets.runs_table import RunsTable
from tests.support.fake_runs import FakeRunner
from tests.support.saved_runs import save_journal
from tests.support.screen import NARROW, SMALL, WIDE, Driven, driven

HOSTILE = "[/foo] [red]x\x1b[2J\u202e"


async def listed(app: Driven, words: str) -> None:
    await app.press("f")
    await app.until(lambda: words in app.picture)


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE, (120, 35)])
async def test_every_run_is_told_at_a_glance_newest_first(size: tuple[int, int]) -> None:
    run = fake_run(rounds=2)
    save_journal(replace(run, id="20260101-000000-old", started_at="2026-01-01T00:00:00+00:00"))
    save_journal(replace(run, id="20260102-000000-new", measurements=run.measurements[:40]), end=False)
    (runs_folder() / "20260103-000000-bad.jsonl").write_text("what?\n")
    async with driven(size=size) as app:
        await listed(app, "2026-01-01 00:00")
        words = ("unreadable", "interrupted", "finished")
        rows = [line for line in app.picture.splitlines() if any(word in line for word in words)]
        assert [word in row for word, row in zip(words, rows, strict=True)] == [True, True, True]
        assert "40 of 102" in rows[1]
        assert "synthetic" in rows[1]
        # In the dialog alone; what is behind it shows beside it.
        assert "is not a run of this program." in str(app.app.screen.query_one(".message", Static).visual)
        await app.press("enter", "r", "n", "space")
        assert app.shows(SavedRunsScreen), "what cannot be read can only be deleted"
        await app.press("down")
        await app.until(lambda: "r Resume" in app.picture)
        await app.press("down")
        await app.until(lambda: "r Resume" not in app.picture)


async def test_names_say_nothing_to_the_terminal() -> None:
    path = save_journal(replace(fake_run(rounds=1), id="20260101-000000-x"))
    journal = Journal.reopen(path)
    journal.set_title(HOSTILE)
    journal.close()
    (runs_folder() / f"{HOSTILE.replace('/', '')}.jsonl").write_text("{}\n")
    async with driven(size=WIDE) as app:
        await listed(app, "2026-01-02 03:04")
        for keys in ([], ["down"], ["d"], ["escape", "up", "d"]):
            await app.press(*keys)
            assert "\x1b" not in app.picture
            assert "\u202e" not in app.picture
        await app.press("escape", "down")
        assert app.picture.count("'[/foo] [red]x<U+001B>[2J<U+202E>'") == 2, "in its row, and in the words below"


async def test_an_opened_run_looks_as_it_did_when_it_ended_and_another_can_follow() -> None:
    run = fake_run(rounds=6, failures={"hdf5/read-one": "it broke"})
    save_journal(run)
    async with driven(size=WIDE) as app:
        await listed(app, "2026-01-02 03:04")
        await app.press("enter")
        await app.until(lambda: "finished · 306 trials kept · 24 failed" in app.picture)
        assert "Fastest at 1,000 images: write-one disk · " in app.picture
        assert run.finished_at is not None
        ended = datetime.fromisoformat(run.finished_at).astimezone()
        assert app.workbench.panes.log_lines.lines[-1].startswith(f"{ended:%H:%M:%S} finished: ")
        assert any("it broke" in line for line in app.workbench.panes.log_lines.lines)
        await app.run()
        assert "none failed" in app.picture


async def test_an_incomplete_run_shows_how_far_it_came() -> None:
    run = fake_run(rounds=6)
    save_journal(replace(run, measurements=run.measurements[:150]), end=False)
    async with driven() as app:
        await listed(app, "150 of 306")
        await app.press("enter")
        await app.until(lambda: "interrupted · z continues · 150 trials kept" in app.picture)
        assert 0.2 < app.workbench.run_state.fraction < 0.8


@pytest.mark.full
async def test_damage_within_is_said_when_it_is_opened() -> None:
    path = save_journal(fake_run(rounds=1))
    path.write_text(path.read_text().replace('"cutoff":100,', '"cutoff":"many",', 1))
    async with driven() as app:
        await listed(app, "2026-01-02 03:04")
        await app.press("enter")
        await app.until(lambda: "is damaged in line" in app.workbench.run_line.problem)


@pytest.mark.full
async def test_while_a_run_goes_on_none_takes_its_place() -> None:
    save_journal(replace(fake_run(rounds=1), id="20260101-000000-x"))
    runner = FakeRunner(hold_after=3)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await listed(app, "2026-01-02 03:04")
        await app.press("enter")
        assert "Stop it first, or wait for it." in app.picture
        await app.press("n")
        await app.write("kept")
        await app.press("enter")
        await app.until(lambda: "'kept': disk" in app.picture)
        await app.press("escape")
        assert app.app.run_thread.measuring
        assert len(runner.plans) == 1


@pytest.mark.full
async def test_a_name_that_is_taken_is_refused_at_the_name() -> None:
    save_journal(replace(fake_run(rounds=1), id="20260101-000000-x"))
    save_journal(replace(fake_run(rounds=1), id="20260102-000000-y"))
    async with driven() as app:
        await listed(app, "2026-01-02 03:04")
        await app.press("n")
        await app.write("20260101-000000-x")
        await app.press("enter")
        await app.until(lambda: "is called '20260101-000000-x'" in " ".join(app.picture.split()))
        await app.press("escape")
        assert app.shows(SavedRunsScreen), "the line goes first, then the list"
        await app.press("escape")
        assert not app.shows(SavedRunsScreen)
        assert [read_journal(path).title for path in saved_runs()] == ["", ""]


async def test_a_run_of_another_process_is_watched_and_a_second_one_refused() -> None:
    run = fake_run(rounds=1)
    with RunLock() as lock:
        lock.set_holder(f"run {run.id}")
        journal = Journal.begin(replace(run, measurements=(), status="running", finished_at=None))
        journal.add(run.measurements[0])
        runner = FakeRunner()
        async with driven(runner) as app:
            await listed(app, "running")
            assert "d Delete" not in app.picture
            await app.press("enter")
            await app.until(lambda: "which another process measures" in app.picture)
            assert "1/51" in app.picture
            await app.press("r")
            assert runner.plans == []
            assert "Another run is going on (run 20260102-030405-fake, " in app.workbench.panes.log_lines.lines[-1]
            assert app.workbench.check_action("pause", ()) is False, "there is nothing here to steer"
            assert app.workbench.check_action("skip", ()) is False
            journal.add(run.measurements[1])
            await app.until(lambda: "2/51" in app.picture)
            await app.press("s")
            await app.until(lambda: "no longer watching" in app.picture)
            await app.press("q")
            assert app.app.leaving.is_set(), "nothing is lost by leaving, so nobody asks"
        assert len(read_journal(journal.path).measurements) == 2
        journal.close()


@pytest.mark.full
async def test_a_stopped_run_is_resumed_for_real_and_completed() -> None:
    import threading

    cancel = threading.Event()
    plan = Plan(
        datasets=("synthetic,size=8",), specs=(resolve_spec("disk"),), cutoffs=(1,), rounds=2, budget_s=None,
        operations=(Operation.WRITE_ONE, Operation.READ_ONE),
    )  # fmt: skip
    heard: list[object] = []

    def listen(event: object) -> None:
        heard.append(event)
        if type(event).__name__ == "TrialFinished":
            cancel.set()

    assert run_plan(plan, cancel=cancel, listen=listen).status == "stopped"
    async with driven() as app:
        await listed(app, "1 of 4")
        await app.press("r")
        await app.until(lambda: app.workbench.run_state.phase is RunPhase.FINISHED)
        assert app.workbench.pane is PaneName.CHART
        assert "finished · 4 trials kept · none failed" in app.picture
    assert read_journal(saved_runs()[0]).status == "finished"


@pytest.mark.full
async def test_a_small_terminal_scrolls_and_loses_nothing() -> None:
    for number in range(12):
        save_journal(replace(fake_run(("disk",), (1,), rounds=1), id=f"202601{number + 10}-000000-x"))
    async with driven(size=SMALL) as app:
        await listed(app, "2026-01-02 03:04")
        await app.press(*["down"] * 11)
        await app.until(lambda: "20260110-000000-x" in app.picture)


async def test_paused_says_so_and_time_stands_still_for_what_is_left() -> None:
    runner = FakeRunner(hold_after=3)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await app.press("z")
        await app.until(lambda: "until z is pressed again" in app.picture)
        assert app.picture.splitlines()[0].endswith("paused")
        await app.press("s")
        await app.until(lambda: app.workbench.run_state.phase is RunPhase.FINISHED)
        assert "stopped" in app.picture


@pytest.mark.full
async def test_a_file_that_is_read_late_comes_neither_twice_nor_back() -> None:
    path = save_journal(fake_run(rounds=1))
    late = RunsTable.RunRead(read_saved_run(path))
    async with driven() as app:
        await listed(app, "2026-01-02 03:04")
        app.app.screen.query_one(RunsTable).post_message(late)
        await app.pilot.pause()
        assert app.picture.count("2026-01-02 03:04") == 1
        await app.press("d", "y")
        app.app.screen.query_one(RunsTable).post_message(late)
        await app.pilot.pause()
        assert "2026-01-02 03:04" not in app.picture
        assert "There is no saved run yet." in app.picture


@pytest.mark.full
async def test_an_error_of_our_own_leaves_no_list_and_no_comparison_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("[/foo] boom")

    path = save_journal(replace(fake_run(rounds=1), id="20260101-000000-x"))
    monkeypatch.setattr(compare, "compare_runs", broken)
    monkeypatch.setattr(runs_table, "newest_first", broken)
    async with driven(size=WIDE) as app:
        await listed(app, "Not all saved runs can be read: RuntimeError: [/foo] boom")
        app.app.push_screen(compare.CompareScreen(path, path))
        await app.until(lambda: "The runs cannot be compared: RuntimeError: [/foo] boom" in app.picture)
