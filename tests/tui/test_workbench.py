"""The screen as a whole: choosing, running, stopping, breaking, exporting, leaving; at every size."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.text import Text
from textual import _time, events, timer
from textual.geometry import Size

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.state import RunPhase
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.operations import Operation
from imgstore_tui.tui import themes
from imgstore_tui.tui.app import ImgstoreApp
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.widgets.choose_lists import CutoffList, OperationList
from imgstore_tui.tui.widgets.choose_pane import FoldedText
from imgstore_tui.tui.widgets.chrome import SlimScrollBar
from imgstore_tui.tui.widgets.field import Line
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from tests.support.fake_runs import SETTINGS, FakeRunner, leave_behind
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


async def test_everything_is_seen_at_once_where_there_is_room() -> None:
    async with driven(size=WIDE) as app:
        await app.run()
        for words in ("1 Storage", "Operations", "2 Chart", "3 Table: Median time", "4 Log", "5 Verdict", "N=1k"):
            assert words in app.picture
        assert "[2 Chart]" not in app.picture, "no tabs where there is nothing to switch"
        assert "Which to take" in app.picture
        assert "disk is fastest" in str(app.workbench.panes.verdict.body.visual)


async def test_resizing_live_loses_nothing() -> None:
    async with driven(size=WIDE) as app:
        await app.run()
        await app.press("v")
        whole = app.picture
        for size in (SMALL, NARROW, WIDE):
            await app.pilot.resize_terminal(*size)
            await app.pilot.pause()
            assert len(app.picture.splitlines()) == size[1]
        await app.until(lambda: app.picture == whole)


async def test_a_window_is_followed_by_a_process_that_is_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    # As on a busy machine: 20 ms pass between the first two looks at the clock of the timer that waits for 8 ms.
    real, held = _time.get_time, [0.0]

    def late() -> float:
        asking = sys._getframe(1)
        if asking.f_code.co_name == "_run" and asking.f_locals["self"]._interval < 0.01 and not held[0]:
            held[0] = 0.02
            return real()
        return real() + held[0]

    async with driven() as app:
        monkeypatch.setattr(timer, "_time", SimpleNamespace(get_time=late))
        await app.pilot.resize_terminal(*WIDE)
        await app.until(lambda: app.workbench.outer_size == WIDE and app.workbench.has_class("-wide"))
        assert held[0], "the clock was looked at"
        await app.pilot.resize_terminal(*NARROW)
        await app.until(lambda: app.workbench.outer_size == NARROW and not app.workbench.has_class("-wide"))


async def test_of_sizes_that_come_while_the_screen_is_busy_the_last_one_counts() -> None:
    async with driven() as app:
        for size in (Size(130, 40), Size(*WIDE)):
            app.workbench.post_message(events.Resize(size, size))
            app.workbench.call_later(app.workbench.refresh_bindings)  # so that they are not taken for one
        await app.pilot.resize_terminal(*WIDE)
        await app.until(lambda: app.workbench.outer_size == WIDE)
        assert "1 Storage" in app.picture


async def test_the_log_folds_anew_when_the_width_changes() -> None:
    async with driven(FakeRunner(failures={"disk": "a reason " * 12})) as app:
        await app.run()
        await app.press("4")
        narrow = app.workbench.panes.log_lines.virtual_size.height
        await app.pilot.resize_terminal(118, 24)
        await app.pilot.pause()
        assert app.workbench.panes.log_lines.virtual_size.height < narrow
        assert app.workbench.panes.log_lines.virtual_size.height >= len(app.workbench.panes.log_lines.lines)


async def test_long_reasons_are_folded_and_nothing_of_them_is_lost() -> None:
    reason = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    async with driven(FakeRunner(failures={"lmdb/read-one": reason})) as app:
        await app.run()
        await app.press("3")
        for _ in range(12):
            if "Failures" in app.picture:
                break
            await app.press("v")
        words = app.picture.replace("│", " ").split()
        assert set(reason.split()) <= set(words)


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
        await app.until(lambda: "stopped · 30 trials kept" in app.picture)
        runner.hold_after = None
        await app.run()
        assert "finished · 306 trials kept" in app.picture
        assert len(runner.plans) == 2


async def test_an_error_in_the_thread_is_a_line_and_a_state_never_a_dead_app() -> None:
    async with driven(FakeRunner(fail_with=RuntimeError(HOSTILE), hold_after=4)) as app:
        await app.run()
        assert app.workbench.run_state.run is not None
        assert app.workbench.run_state.run.status == "interrupted"
        assert "broke off" in app.picture
        assert "[/foo] [red]x<U+001B>" in app.workbench.run_line.picture().plain
        assert any("[/foo]" in line for line in app.workbench.panes.log_lines.lines)


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


async def test_export_writes_the_format_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as app:
        await app.run()
        await app.press("e")
        await app.point_at("json")
        await app.press("enter", "enter")
        assert app.app.screen is app.workbench
        (path,) = app.app.saved
        assert json.loads(Path(path).read_bytes())["plan"]["name"] == "quick"
        assert any(f"saved {path}" in line for line in app.workbench.panes.log_lines.lines)


async def test_export_replaces_a_file_only_when_asked_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    async with driven() as app:
        await app.run()
        await app.press("e")
        await app.tab_to(Line)
        await app.press("ctrl+u", "enter")
        assert "Name a file." in app.picture
        await app.write("taken.csv")
        await app.press("enter")
        assert "Press enter again to replace it" in app.picture
        assert taken.read_text() == "mine"
        await app.press("x", "backspace", "enter")
        assert taken.read_text() == "mine", "another edit asks anew"
        await app.press("enter")
        assert taken.read_text().startswith("run,")


async def test_export_says_what_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as app:
        await app.run()
        await app.press("e")
        await app.tab_to(Line)
        await app.press("ctrl+u")
        await app.write("no/such.csv")
        await app.press("enter")
        assert "does not exist" in app.picture
        assert app.app.saved == []


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


async def test_nothing_beyond_ascii_where_that_was_asked() -> None:
    async with driven(FakeRunner(failures={"disk": "naïve 日本"}), WIDE, ascii_only=True) as app:
        await app.run()
        for keys in ([], ["v"], ["m"], ["question_mark"], ["escape", "e"]):
            await app.press(*keys)
            painted = "".join(
                segment.text
                for strip in app.app.screen._compositor.render_strips()
                for segment in strip.apply_filter(app.app._no_unicode, app.app.screen.background_colors[1])
            )
            assert painted.isascii(), {letter for letter in painted if not letter.isascii()}


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("theme", ["darkroom", "lightbox", "terminal-dark", "terminal-light"])
async def test_every_theme_can_be_asked_for(theme: str) -> None:
    async with driven(theme=theme) as app:
        assert app.app.theme == theme


def test_an_unknown_theme_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="Did you mean 'darkroom'"):
        ImgstoreApp(replace(SETTINGS, theme="darkrom"))


async def test_clicks_do_what_keys_do() -> None:
    async with driven() as app:
        await app.pilot.click("TabStrip", offset=(35, 0))
        await app.pilot.pause()
        assert app.workbench.pane is PaneName.LOG
        await app.press("1")
        keys = next(line for line in app.picture.splitlines() if "r Run" in line)
        await app.pilot.click("KeyBar", offset=(keys.index("r Run"), 0))
        await app.until(lambda: app.workbench.run_state.phase is RunPhase.FINISHED)


def _contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours as WCAG counts it, 1 to 21."""

    def light(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["darkroom", "lightbox"])
async def test_every_word_stands_out_from_what_is_behind_it(theme: str) -> None:
    async with driven(FakeRunner(failures={"lmdb/read-one": "no"}), WIDE, theme=theme) as app:
        await app.run()
        for keys in ([], ["tab"], ["v"], ["m"]):
            await app.press(*keys)
            for strip in app.app.screen._compositor.render_strips():
                painted = strip
                for entry in app.app.get_line_filters():
                    painted = painted.apply_filter(entry, app.app.screen.background_colors[1])
                for segment in painted:
                    style = segment.style
                    if style is None or style.color is None or style.bgcolor is None:
                        continue
                    if any(letter.isalnum() for letter in segment.text):
                        colours = [colour.get_truecolor().hex for colour in (style.color, style.bgcolor)]
                        assert _contrast(*colours) > 3, (segment.text, colours)


@pytest.mark.parametrize(("size", "lines"), [(NARROW, 4), (WIDE, 6)])
async def test_what_is_told_of_a_method_ends_in_a_sign_where_it_has_no_room(size: tuple[int, int], lines: int) -> None:
    async with driven(size=size) as app:
        note = app.workbench.query_one(FoldedText)
        for words in ("in a word.", "on and on " * 80, "nothing else " * 80):
            note.text = words
            await app.pilot.pause()
            assert note.size.height == (1 if words == "in a word." else lines)
            told = note.render().plain
            assert told.count("\n") + 1 == note.size.height
            assert told.endswith(" ...") is (words != "in a word.")
            assert max(map(len, told.split("\n"))) <= note.size.width


async def test_what_a_key_does_goes_on_below_its_beginning() -> None:
    async with driven(size=NARROW) as app:
        await app.press("question_mark")
        await app.until(lambda: "Skip the cell" in app.picture)
        lines = app.picture.splitlines()
        first = next(number for number, line in enumerate(lines) if "Skip the cell" in line)
        assert lines[first + 1].index("run no more of it") == lines[first].index("Skip the cell")


async def test_the_log_has_the_colours_of_the_theme_and_not_of_the_one_before() -> None:
    def colour_of(word: str) -> str:
        pane = app.workbench.panes.log_lines
        for y in range(pane.size.height):
            for segment in pane.render_line(y):
                if segment.text.strip() == word and segment.style is not None and segment.style.color is not None:
                    return segment.style.color.name
        raise AssertionError(f"no {word} in the log")

    async with driven(theme="darkroom") as app:
        await app.run()
        await app.press("4")
        assert colour_of("hdf5") == themes.PALETTES["darkroom"].series[2]
        await app.press("t")
        assert colour_of("hdf5") == themes.PALETTES["lightbox"].series[2]


async def test_empty_panes_say_in_their_middle_what_will_stand_there() -> None:
    async with driven(size=WIDE) as app:
        for pane, words in (
            (app.workbench.panes.matrix, "Storage methods by"), (app.workbench.panes.table, "Nothing measured yet."),
            (app.workbench.panes.log_lines, "Every trial gets a line"),
            (app.workbench.panes.verdict, "A verdict needs 6 rounds"),
        ):  # fmt: skip
            region = pane.content_region
            rows = app.picture.splitlines()[region.y : region.bottom]
            row = next(number for number, line in enumerate(rows) if words in line[region.x : region.right])
            assert abs(row - region.height / 2) <= 2, words
            inside = rows[row][region.x : region.right].ljust(region.width)
            assert inside.startswith(" "), words
        await app.run()
        assert not app.workbench.panes.matrix.has_class("-empty")


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


def test_a_scroll_bar_is_as_long_as_what_is_seen_and_where_that_is() -> None:
    def drawn(position: float, *, vertical: bool = True) -> str:
        bar = SlimScrollBar.render_bar(10, 100, 20, position, vertical=vertical)
        return "".join(segment.text for segment in bar.segments).rstrip("\n")

    assert drawn(0) == "▐▐        "
    assert drawn(80) == "        ▐▐"
    assert drawn(40) == "    ▐▐    "
    assert drawn(0, vertical=False) == "▂▂        "
    whole = SlimScrollBar.render_bar(5, 5, 5, 0)
    assert {segment.text for segment in whole.segments} == {" "}
    cells = SlimScrollBar.render_bar(4, 8, 2, 3).segments
    assert {cell.style.meta["@mouse.down"] for cell in cells if cell.style} == {"scroll_up", "grab", "scroll_down"}


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
