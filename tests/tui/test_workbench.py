"""Chooses, runs, stops and quits on the workbench, and refuses what cannot be done."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.text import Text

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.state import RunPhase
from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.events import Event
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.widgets.choose_lists import CutoffList, OperationList
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from tests.support.fake_runs import FakeRunner, leave_behind
from tests.support.screen import NARROW, SMALL, WIDE, driven

HOSTILE = "[/foo] [red]x\x1b[2J\u202e"


async def test_what_is_chosen_is_what_runs() -> None:
    runner = FakeRunner()
    async with driven(runner, WIDE) as app:
        await app.point_at("lmdb")
        await app.press("space")
        await app.tab_to("add-spec")
        await app.write("lmdb+png")
        await app.press("enter")
        await app.tab_to(CutoffList)
        await app.press("n")
        await app.point_at(1)
        await app.press("space")
        await app.tab_to("add-cutoffs")
        await app.write("5,25")
        await app.press("enter")
        await app.tab_to(OperationList)
        await app.press("n")
        await app.point_at(Operation.WRITE_MANY)
        await app.press("space")
        await app.tab_to("rounds")
        await app.press("ctrl+u")
        await app.write("2")
        await app.tab_to("budget")
        await app.press("ctrl+u", "escape")
        await app.run()
        (plan,) = runner.plans
        assert [spec.label for spec in plan.specs] == ["disk", "hdf5", "lmdb+png"]
        assert plan.cutoffs == (1, 5, 25)
        assert plan.operations == (Operation.WRITE_MANY,)
        assert (plan.rounds, plan.budget_s, plan.datasets) == (2, None, ("synthetic",))


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE, SMALL])
async def test_a_whole_run_at_every_size(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(failures={"hdf5/read-one": "it broke"}), size) as app:
        await app.run()
        assert app.workbench.run_state.phase is RunPhase.FINISHED
        for pane in PaneName:
            await app.press(pane.key)
            assert len(app.picture.splitlines()) == size[1]
        assert "finished" in app.picture
        assert any("it broke" in line for line in app.workbench.panes.log_lines.lines)
        await app.press("2")
        assert "o disk" in app.picture or size == SMALL


async def test_progress_is_said_while_it_runs_and_time_left_is_not_made_up() -> None:
    runner = FakeRunner(hold_after=0)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await app.until(lambda: "left ?" in app.picture)
        assert "disk · write-one" in app.picture
        assert "round 1 of 6" in app.picture
        assert "0/306" in app.picture
        assert "running" in app.picture


async def test_a_second_run_cannot_be_started() -> None:
    runner = FakeRunner(hold_after=3)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await app.press("r", "p")
        assert len(runner.plans) == 1
        assert app.workbench.choice.plan.name == "quick"


async def test_stopping_keeps_what_was_measured_and_another_run_can_follow() -> None:
    runner = FakeRunner(hold_after=30)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await app.press("s")
        await app.until(lambda: "stopped · z continues · 30 trials kept" in app.picture)
        runner.hold_after = None
        await app.run()
        assert "finished · 306 trials kept" in app.picture
        assert len(runner.plans) == 2


async def test_while_stores_are_removed_after_the_last_trial_the_clock_stands_and_a_line_says_it() -> None:
    removed = threading.Event()
    runner = FakeRunner()

    def run(plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]) -> Run:
        done = runner(plan, cancel=cancel, controls=controls, listen=listen)
        assert removed.wait(60)
        return done

    async with driven(run) as app:
        await app.press("r")
        await app.until(lambda: "trials kept" in app.picture)
        line = app.workbench.run_line
        assert "finished · 306 trials kept · none failed · removing its stores" in app.picture
        assert app.app.run_thread.busy
        ended = line.ended
        assert ended is not None
        await app.press("q")
        await app.until(lambda: "The run has ended" in app.picture)
        await app.press("escape")
        removed.set()
        await app.until(lambda: not app.app.run_thread.busy)
        await app.until(lambda: "removing its stores" not in app.picture)
        assert line.ended == ended


async def test_an_error_in_the_thread_is_a_line_and_a_state_never_a_dead_app() -> None:
    async with driven(FakeRunner(fail_with=RuntimeError(HOSTILE), hold_after=4)) as app:
        await app.run()
        assert app.workbench.run_state.run is not None
        assert app.workbench.run_state.run.status == "interrupted"
        assert "interrupted" in app.picture
        assert "[/foo] [red]x<U+001B>" in app.workbench.run_line.picture().plain
        assert any("[/foo]" in line for line in app.workbench.panes.log_lines.lines)


@pytest.mark.sample_first
@pytest.mark.parametrize("error", [UnavailableError("No space on the device."), UsageError("Nothing to do.")])
async def test_a_run_that_cannot_start_says_why_and_can_be_tried_again(error: Exception) -> None:
    runner = FakeRunner(fail_with=error)
    async with driven(runner) as app:
        await app.run()
        assert str(error) in app.picture
        assert app.workbench.run_state.phase is RunPhase.IDLE
        runner.fail_with = None
        await app.run()
        assert str(error) not in app.picture
        assert "finished" in app.picture


async def test_a_choice_that_cannot_run_says_why_in_place() -> None:
    async with driven() as app:
        await app.press("n", "r")
        assert "no storage method" in app.picture
        assert not app.app.run_thread.busy
        await app.press("a")
        assert "no storage method" not in app.picture


@pytest.mark.full
async def test_words_that_mean_nothing_are_refused_in_place() -> None:
    async with driven() as app:
        await app.tab_to("add-spec")
        await app.write("lmbd")
        await app.press("enter")
        assert "Unknown backend 'lmbd'. Did you mean" in app.picture
        assert "'lmdb'? Known:" in app.picture
        await app.tab_to("add-cutoffs")
        await app.write("-5")
        await app.press("enter")
        assert app.workbench.choice.cutoffs == frozenset({1, 10, 100, 1000})
        dataset = next(field for field in app.workbench.query("Field") if field.id == "dataset")
        dataset.query_one("Input").value = "/no/such/[/foo]/folder"  # type: ignore[attr-defined]
        await app.pilot.pause()
        assert "There is no" in app.picture
        assert "'/no/such/[/foo]/folder'." in app.picture
        assert "Not ready" in app.picture
        await app.press("escape", "r")
        assert not app.app.run_thread.busy


@pytest.mark.full
async def test_what_the_data_says_is_never_obeyed() -> None:
    plan = named_plan("quick")
    hostile = replace(plan, datasets=(HOSTILE,), specs=(replace(plan.specs[0], label=HOSTILE), *plan.specs[1:]))
    runner = FakeRunner(failures={HOSTILE: HOSTILE}, journal=HOSTILE)
    async with driven(runner, WIDE, plan=hostile) as app:
        app.workbench.choice = replace(app.workbench.choice, problems=())
        app.workbench._shown_run.begin().carry_out(app.app.run_thread.run_action(hostile))
        app.workbench._tick()
        await app.pilot.pause()
        for key in ("v", "v", "v", "m", "m", "4", "5"):
            await app.press(key)
            assert "\x1b" not in app.picture
            assert "\u202e" not in app.picture
        assert "[/foo]" in app.picture


async def test_leaving_twice_does_not_wait_for_a_run_that_will_not_end() -> None:
    runner = FakeRunner(hold_after=2, stubborn=threading.Event())
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await app.press("ctrl+q")
        assert isinstance(app.app.screen, LeaveScreen)
        await app.press("ctrl+q")
        assert "Stopping" in app.picture
        await app.press("escape")
        assert isinstance(app.app.screen, LeaveScreen), "there is no way back"
        assert not app.app.leaving.is_set()
        await app.press("q")
        assert app.app.leaving.is_set()
        assert runner.stubborn is not None
        runner.stubborn.set()


async def test_no_run_starts_while_what_a_dead_one_left_is_removed() -> None:
    runner = FakeRunner()
    async with driven(runner) as app:
        line = app.workbench.query_one(LeftoversLine)
        line.sweeping = True
        await app.press("r")
        app.workbench.resume(Path("/nowhere.jsonl"))
        assert runner.plans == []
        assert not app.app.run_thread.busy
        line.sweeping = False
        await app.run()
        assert len(runner.plans) == 1


async def test_a_trial_that_went_well_is_not_offered_to_be_skipped() -> None:
    runner = FakeRunner(hold_after=3)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(lambda: runner.held.is_set() and app.workbench.check_action("skip", ()) is True)
        state = app.workbench.run_state
        assert state.current is not None
        app.workbench.run_state = replace(state, current=replace(state.current, step="destroy"))
        assert app.workbench.check_action("skip", ()) is False


async def test_clicks_do_what_keys_do() -> None:
    async with driven() as app:
        await app.pilot.click("TabStrip", offset=(35, 0))
        await app.pilot.pause()
        assert app.workbench.pane is PaneName.LOG
        await app.press("1")
        keys = next(line for line in app.picture.splitlines() if "r Run" in line)
        await app.pilot.click("KeyBar", offset=(keys.index("r Run"), 0))
        await app.until(lambda: app.workbench.run_state.phase is RunPhase.FINISHED)


async def test_keys_without_a_place_among_the_keys_are_told_before_a_run() -> None:
    async with driven() as app:
        assert "p next plan  w save as a plan" in app.picture
        await app.run()
        assert "p next plan" not in app.picture


async def test_what_was_left_behind_is_not_offered_to_be_removed_while_a_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    leave_behind()
    async with driven() as app:
        await app.until(lambda: "u removes it." in app.picture)
        await app.hold(3)
        await app.until(lambda: "u removes it after this run" in app.picture)
        await app.press("s")
        await app.until(lambda: "u removes it." in app.picture)


async def test_the_log_follows_its_end_however_fast_lines_come_and_not_who_scrolled_away() -> None:
    async with driven() as app:
        await app.press("4")
        log = app.workbench.panes.log_lines

        def say(count: int) -> None:
            log.add_lines([(datetime.now(UTC), Text(f"line {number}")) for number in range(count)])

        for _ in range(8):
            say(30)  # the lines before have not been painted yet
            await asyncio.sleep(0)
        await app.until(lambda: log.is_vertical_scroll_end and log.scroll_offset.y > 100)
        await app.press("up", "up")
        here = log.scroll_offset.y
        say(30)
        await app.pilot.pause()
        assert log.scroll_offset.y == here, "who reads is left alone"
        await app.press("end")
        await app.until(lambda: log.is_vertical_scroll_end)
        say(30)
        await app.until(lambda: log.is_vertical_scroll_end and log.scroll_offset.y > here + 30)


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [SMALL, WIDE])
async def test_a_pane_fills_the_screen_and_gives_it_back(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(), size) as app:
        panes = app.workbench.panes
        await app.press("5")
        before = panes.verdict.region
        await app.press("plus")
        await app.until(lambda: panes.verdict.region == panes.region)
        assert not panes.log_lines.region
        await app.press("2")
        await app.until(lambda: panes.chart.region == panes.region)
        await app.press("5", "plus")
        await app.until(lambda: panes.verdict.region == before)
        await app.press("plus", "escape")
        await app.until(lambda: panes.verdict.region == before)


@pytest.mark.full
async def test_a_click_on_the_top_edge_of_a_pane_enlarges_it() -> None:
    async with driven(FakeRunner(), WIDE) as app:
        panes = app.workbench.panes
        await app.press("4")
        await app.until(lambda: bool(panes.log_lines.region))
        before = panes.log_lines.region
        await app.pilot.click(offset=(before.x + 5, before.y))
        await app.until(lambda: panes.log_lines.region == panes.region)
        await app.pilot.click(offset=(panes.region.x + 5, panes.region.y))
        await app.until(lambda: panes.log_lines.region == before)
