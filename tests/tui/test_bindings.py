"""Every key that is bound does something, and a test here says what."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import imgstore_tui.tui
from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.core.operations import CacheState
from imgstore_tui.jobs.plans import plan_by_name, saved_plans
from imgstore_tui.present.help import load_topic
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.forms.choice import Choice
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.ask import AskScreen
from imgstore_tui.tui.screens.compare import CompareScreen
from imgstore_tui.tui.screens.conditions import ConditionsScreen
from imgstore_tui.tui.screens.data import DataScreen
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.export import ExportScreen
from imgstore_tui.tui.screens.help import ELSEWHERE, HelpScreen, TopicList, TopicPage, pane_bindings
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.screens.options import OptionsScreen
from imgstore_tui.tui.screens.report import ReportScreen
from imgstore_tui.tui.screens.save_plan import SavePlanScreen
from imgstore_tui.tui.screens.saved_runs import SavedRunsScreen
from imgstore_tui.tui.screens.workbench import Workbench
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from tests.support.fake_runs import leave_behind
from tests.support.saved_runs import save_journal
from tests.support.screen import Driven, driven

Check = Callable[[Driven, str], Awaitable[None]]
EFFECTS: dict[tuple[str, tuple[str, ...]], Check] = {}
"""Tests by the class that binds and the keys that they press, one after the other in one app."""


def effect(owner: str, *keys: str) -> Callable[[Check], Check]:
    """Say that a test asserts what these keys of ``owner`` do."""

    def keep(check: Check) -> Check:
        EFFECTS[owner, keys] = check
        return check

    return keep


def bound_keys() -> Iterator[tuple[str, str]]:
    """Yield the class and the key of every binding declared in the package."""
    for module in pkgutil.walk_packages(imgstore_tui.tui.__path__, "imgstore_tui.tui."):
        for name, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__ == module.name:
                for binding in vars(kind).get("BINDINGS", ()):
                    assert isinstance(binding, Binding)
                    assert binding.description, f"{name}: {binding.key} has no words for the command palette"
                    assert binding.tooltip, f"{name}: {binding.key} has no words for the help"
                    for key in binding.key.split(","):
                        yield name, key


async def _ran(app: Driven) -> bool:
    """Run, unless that was done for an earlier key of the same test; return whether it was done now."""
    first = app.workbench.results is None
    if first:
        await app.run()
    return first


async def _closes(app: Driven, key: str) -> None:
    """A key closes what is in front, and not the app as well."""
    await app.press(key)
    assert app.shows(Workbench)
    assert not app.app.leaving.is_set()


@effect("Workbench", "r")
async def _run(app: Driven, key: str) -> None:
    await app.press(key)
    await app.finish()
    assert app.workbench.pane is PaneName.CHART


@effect("Workbench", "s")
async def _stop(app: Driven, key: str) -> None:
    await app.hold(5)
    await app.press(key)
    run = await app.finish()
    assert (run.status, len(run.measurements)) == ("stopped", 5)


@effect("Workbench", "m")
async def _next_chart(app: Driven, key: str) -> None:
    await app.run()
    before = app.workbench.panes.chart.kind
    await app.press(key)
    assert app.workbench.panes.chart.kind not in (before, None)
    assert "Read many" in app.picture


@effect("Workbench", "v")
async def _next_table(app: Driven, key: str) -> None:
    await app.run()
    await app.press("3")
    assert "3 Table: Median time" in app.picture
    await app.press(key)
    assert "3 Table: Ranking at 1,000 images" in app.picture


@effect("Workbench", "e")
async def _export(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.app.screen is app.workbench, "there is nothing to export yet"
    await app.run()
    await app.press(key)
    assert isinstance(app.app.screen, ExportScreen)


@effect("Workbench", "question_mark", "f1")
async def _help(app: Driven, key: str) -> None:
    await app.press(key)
    assert isinstance(app.app.screen, HelpScreen)
    assert "Run the plan as chosen" in app.picture
    await app.press("escape")


async def _leave_by(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.app.leaving.is_set()


effect("Workbench", "q")(_leave_by)
effect("ImgstoreApp", "ctrl+q")(_leave_by)


@effect("Workbench", "x", "y", "l")
async def _axes(app: Driven, key: str) -> None:
    if await _ran(app):
        assert "↑ time for N images, log" in app.picture
        assert "images, log →" in app.picture
    await app.press(key)
    # x alone, then y too, then l for both again
    assert f"images, {'log' if key == 'l' else 'linear'} →" in app.picture
    assert f"↑ time for N images, {'linear' if key == 'y' else 'log'}" in app.picture


@effect("Workbench", "h")
async def _next_level(app: Driven, key: str) -> None:
    quick = named_plan("quick")
    app.workbench.choice = Choice.of(replace(quick, cache=(CacheState.HOT, CacheState.COLD)))
    await app.run()
    await app.press("m")
    assert "Read many, cache hot" in app.picture
    assert "h: 1 of 3 levels" in app.picture
    await app.press(key)
    assert "Read many, cache cold" in app.picture
    await app.press(key)
    assert "Read many, hot and cold" in app.picture
    assert "─ hot · cold" in app.picture


@effect("ChartPane", "n")
async def _next_data(app: Driven, key: str) -> None:
    await app.run()
    await app.press("2")
    run = app.workbench.results.run if app.workbench.results else None
    assert run is not None
    both = replace(run, plan=replace(run.plan, datasets=("synthetic", "folder:/photos")))
    more = [replace(trial, dataset="folder:/photos") for trial in run.measurements]
    app.workbench.results = build_results(replace(both, measurements=(*run.measurements, *more)))
    await app.pilot.pause()
    assert "(synthetic)" in app.picture
    await app.press(key)
    assert "(folder:/photos)" in app.picture


@effect("Workbench", "i")
async def _per_image(app: Driven, key: str) -> None:
    await app.run()
    assert "time for N images" in app.picture
    await app.press(key)
    assert "time for an image" in app.picture


@effect("Workbench", "p")
async def _next_plan(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.workbench.choice.plan == named_plan("article")
    assert "plan article" in app.picture
    await app.press(key)
    assert app.workbench.choice.plan == named_plan("full")
    assert "budget none" in app.picture
    await app.press(key)
    assert app.workbench.choice.plan == named_plan("quick")


@effect("Workbench", "t")
async def _next_theme(app: Driven, key: str) -> None:
    assert app.app.theme == "darkroom"
    await app.press(key)
    assert app.app.theme == "lightbox"


@effect("Workbench", "escape")
async def _leave_field(app: Driven, key: str) -> None:
    await app.press("tab", "r", "q")
    assert app.app.screen is app.workbench, "letters are written, not obeyed"
    await app.press(key)
    assert app.workbench.focused is app.workbench.panes.choose.storage


@effect("Workbench", *(pane.key for pane in PaneName))
async def _pane(app: Driven, key: str) -> None:
    await _ran(app)
    await app.press("2" if key != "2" else "3")
    await app.press(key)
    pane = app.workbench.pane
    assert pane.key == key
    assert f"[{key} {pane.title()}]" in app.picture
    assert app.workbench.focused is not None
    assert app.workbench.focused.region, "the keys go to something that is seen"


@effect("Workbench", "g")
async def _next_layer(app: Driven, key: str) -> None:
    await app.run()
    await app.press("6", key)
    assert app.workbench.panes.matrix.cursor.layer == 1
    assert "2 of 5, g: next" in app.picture
    assert "disk, write-many, 1 image, sync buffered" in app.picture


@effect("Workbench", "slash")
async def _filter(app: Driven, key: str) -> None:
    await app.run()
    await app.press(key)
    await app.write("lmdb 1k")
    assert app.workbench.pane is PaneName.TABLE
    await app.until(lambda: "/lmdb 1k: 4 of 15 rows" in app.picture)
    await app.press("enter")
    assert app.workbench.focused is app.workbench.panes.table.grid


@effect("Workbench", "right_square_bracket", "left_square_bracket")
async def _cutoff(app: Driven, key: str) -> None:
    if await _ran(app):
        await app.press("3", "v", "right_square_bracket")
        assert "Ranking at 1 image" in app.picture
    await app.press(key)
    assert f"Ranking at {'10 images' if key.startswith('right') else '1 image'}" in app.picture


@effect("TablePane", "n")
async def _next_column(app: Driven, key: str) -> None:
    await app.run()
    await app.press("3", key)
    assert "method ▲" in app.picture
    await app.press(key)
    assert "N=1 ▲" in app.picture
    for _ in range(4):
        await app.press(key)
    assert "▲" not in app.picture, "after the last column comes the order of the plan"


@effect("TablePane", "b")
async def _turn(app: Driven, key: str) -> None:
    await app.run()
    await app.press("3", "n", key)
    assert "method ▼" in app.picture
    assert app.picture.index("lmdb") < app.picture.index("disk")


@effect("TablePane", "escape")
async def _clear_filter(app: Driven, key: str) -> None:
    await app.run()
    await app.press("slash")
    await app.write("hdf5")
    await app.until(lambda: "disk  " not in app.picture)
    await app.press(key)
    await app.until(lambda: "disk  " in app.picture)
    assert app.workbench.focused is app.workbench.panes.table.grid
    assert "filter" not in app.picture


@effect("GridTable", "enter")
async def _open_row(app: Driven, key: str) -> None:
    await app.run()
    await app.press("3", "v", key)
    assert app.shows(DetailScreen)
    assert "hdf5, write-many, 1,000 images, sync buffered" in app.picture


@effect("VerdictPane", "n")
async def _notes(app: Driven, key: str) -> None:
    await app.run()
    await app.press("5", key)
    assert "5 Verdict: notes on methods" in app.picture
    assert "Files on disk" in app.picture
    await app.press(key)
    assert "disk is fastest" in app.picture


@effect("VerdictPane", "enter")
async def _report(app: Driven, key: str) -> None:
    await app.press("5", key)
    assert not app.shows(ReportScreen), "there is nothing to read yet"
    await app.run()
    await app.press("5", key)
    assert app.shows(ReportScreen)
    await app.until(lambda: "Ranking at 1,000 images" in app.picture)


@effect("ReportScreen", "escape", "enter", "q")
async def _close_report(app: Driven, key: str) -> None:
    await _ran(app)
    await app.press("5", "enter")
    assert app.shows(ReportScreen)
    await _closes(app, key)


@effect("MatrixPane", "down", "right", "left", "up")
async def _move_in_matrix(app: Driven, key: str) -> None:
    if await _ran(app):
        await app.press("6", "g")
    await app.press(key)
    here = {"down": "lmdb, write-many, 1 image", "right": "lmdb, write-many, 10 images"}
    here |= {"left": here["down"], "up": "disk, write-many, 1 image"}
    assert here[key] in app.picture


@effect("MatrixPane", "enter")
async def _open_cell(app: Driven, key: str) -> None:
    await app.run()
    await app.press("6", "g", "right", key)
    assert app.shows(DetailScreen)
    assert "disk, write-many, 10 images, sync buffered" in app.picture
    assert "round 1" in app.picture


@effect("DetailScreen", "escape", "enter", "q")
async def _close_detail(app: Driven, key: str) -> None:
    await _ran(app)
    await app.press("6", "enter")
    assert app.shows(DetailScreen)
    await _closes(app, key)


@effect("DetailScreen", "right", "left")
async def _step_in_detail(app: Driven, key: str) -> None:
    if not app.shows(DetailScreen):
        await app.run()
        await app.press("6", "g", "enter")
    await app.press(key)
    assert f"disk, write-many, {'10 images' if key == 'right' else '1 image,'}" in app.picture


@effect("CheckList", "space")
async def _tick(app: Driven, key: str) -> None:
    assert "[x] o disk" in app.picture
    await app.press(key)
    assert "[ ]   disk" in app.picture
    assert "disk" not in app.workbench.choice.ticked


@effect("CheckList", "a")
async def _all(app: Driven, key: str) -> None:
    await app.press("tab", "tab", key)
    assert app.workbench.choice.cutoffs == frozenset(app.workbench.choice.cutoffs_offered)


@effect("CheckList", "n")
async def _none(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.workbench.choice.ticked == frozenset()
    assert "Tick something" in app.picture


@effect("MethodList", "o")
async def _options(app: Driven, key: str) -> None:
    await app.press("down", key)
    assert app.shows(OptionsScreen)
    assert "Options of lmdb" in app.picture


@effect("MethodList", "delete")
@effect("MethodList", "backspace")
async def _remove(app: Driven, key: str) -> None:
    await app.press("tab")
    await app.write("lmdb+png")
    await app.press("enter", "escape", "down", "down")
    assert "[x] % lmdb+png" in app.picture
    await app.press(key)
    assert "lmdb+png" not in app.picture
    assert "lmdb+png" not in app.workbench.choice.ticked


@effect("Workbench", "c")
async def _conditions(app: Driven, key: str) -> None:
    assert "c Conditions" in app.picture
    await app.press("4", key)
    assert app.shows(ConditionsScreen)
    assert "[hot] cold" in app.picture


@effect("ConditionsScreen", "enter")
async def _use_conditions(app: Driven, key: str) -> None:
    await app.press("c", "right", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan.cache == (CacheState.COLD,)


@effect("ConditionsScreen", "escape")
async def _leave_conditions(app: Driven, key: str) -> None:
    await app.press("c", "right", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan == named_plan("quick")


@effect("Workbench", "w")
async def _save_plan(app: Driven, key: str) -> None:
    await app.press("n", "space", "2", key)
    assert app.shows(SavePlanScreen)
    await app.write("mine")
    await app.press("enter")
    assert app.workbench.choice.plan.name == "mine"
    assert plan_by_name("mine") == app.workbench.choice.plan


@effect("SavePlanScreen", "escape")
async def _save_no_plan(app: Driven, key: str) -> None:
    await app.press("w", "x", key)
    assert app.shows(Workbench)
    assert saved_plans() == {}


@effect("Workbench", "d")
async def _data(app: Driven, key: str) -> None:
    assert "d Data" in app.picture
    await app.press("3", key)
    assert app.shows(DataScreen)
    assert "= synthetic" in app.picture


@effect("DataScreen", "enter")
async def _use_data(app: Driven, key: str) -> None:
    await app.press("d", "left", "right", "tab", "ctrl+u")
    await app.write("64")
    await app.press("tab", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan.datasets == ("synthetic,size=64",)


@effect("DataScreen", "f2", "f8")
async def _more_data(app: Driven, key: str) -> None:
    if key == "f2":
        await app.press("d", key)
        assert "= synthetic, synthetic" in app.picture
    else:
        assert "= synthetic, synthetic" in app.picture
        await app.press(key)
        assert "= synthetic, synthetic" not in app.picture
        await app.press(key)
        assert "= synthetic" in app.picture, "one must stay"


@effect("DataScreen", "escape")
async def _leave_data(app: Driven, key: str) -> None:
    await app.press("d", "f2", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan == named_plan("quick")


@effect("Line", "enter")
async def _take_line(app: Driven, key: str) -> None:
    await app.press("tab")
    await app.write("lmdb+png")
    await app.press(key)
    assert "lmdb+png" in app.workbench.choice.ticked


@effect("OneOf", "right", "space", "left")
async def _one_of(app: Driven, key: str) -> None:
    if not app.shows(OptionsScreen):
        await app.press("down", "o")
    before = "[tuned]" in app.picture
    await app.press(key)
    assert ("[tuned]" in app.picture) is not before, "there are two presets"


@effect("OptionsScreen", "enter")
async def _change_options(app: Driven, key: str) -> None:
    await app.press("down", "o", "right", key)
    assert app.shows(Workbench)
    assert [spec.label for spec in app.workbench.choice.plan.specs] == ["disk", "lmdb:preset=article", "hdf5"]


@effect("OptionsScreen", "f2")
async def _another(app: Driven, key: str) -> None:
    await app.press("down", "o", "right", key)
    assert app.shows(Workbench)
    labels = [spec.label for spec in app.workbench.choice.plan.specs]
    assert labels == ["disk", "lmdb", "lmdb:preset=article", "hdf5"]


@effect("OptionsScreen", "escape")
async def _leave_options(app: Driven, key: str) -> None:
    await app.press("o", "right", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan == named_plan("quick")


@effect("HelpScreen", "escape", "q", "question_mark", "f1")
async def _close_help(app: Driven, key: str) -> None:
    await app.press("question_mark")
    assert app.shows(HelpScreen)
    await _closes(app, key)


async def _help_on(app: Driven, topic: str) -> HelpScreen:
    """Open the help, if it is closed, with the keys at the list and this topic shown."""
    if not app.shows(HelpScreen):
        await app.press("question_mark")
    screen = app.app.screen
    assert isinstance(screen, HelpScreen)
    screen.topics.focus()
    screen.topics.highlighted = 0
    while screen.topics.highlighted_option is None or screen.topics.highlighted_option.id != topic:
        await app.press("down")
    await app.until(lambda: load_topic(topic).title in app.picture)
    return screen


@effect("TopicList", "right")
async def _read_topic(app: Driven, key: str) -> None:
    screen = await _help_on(app, "verdict")
    await app.press(key)
    assert screen.focused is screen.page
    await app.until(lambda: not screen.topics.display)  # all 80 columns for the page


@effect("TopicList", "space")
async def _more_of_topic(app: Driven, key: str) -> None:
    screen = await _help_on(app, "measuring")
    assert screen.page.scroll_y == 0
    await app.press(key)
    assert screen.page.scroll_y > 0
    assert screen.topics.highlighted_option is not None
    assert screen.topics.highlighted_option.id == "measuring"
    await app.press("down")
    assert screen.page.scroll_y == 0, "another topic begins at its first line"


@effect("TopicPage", "space")
async def _more_of_page(app: Driven, key: str) -> None:
    screen = await _help_on(app, "measuring")
    await app.press("enter", key)
    assert screen.page.scroll_y > 0


@effect("TopicPage", "left", "backspace")
async def _back_to_topics(app: Driven, key: str) -> None:
    screen = await _help_on(app, "verdict")
    await app.press("enter")
    assert isinstance(screen.focused, TopicPage)
    await app.press(key)
    assert isinstance(screen.focused, TopicList)
    await app.until(lambda: "measuring" in app.picture)


async def _asked(app: Driven) -> None:
    if not app.app.run_thread.busy:
        await app.hold(3)
    await app.press("q")
    assert isinstance(app.app.screen, LeaveScreen)


@effect("LeaveScreen", "q")
@effect("LeaveScreen", "y")
@effect("LeaveScreen", "enter")
async def _stop_and_quit(app: Driven, key: str) -> None:
    await _asked(app)
    await app.press(key)
    await app.until(app.app.leaving.is_set)
    run = app.workbench.run_state.run
    assert run is not None
    assert (run.status, len(run.measurements)) == ("stopped", 3)


@effect("LeaveScreen", "escape", "n")
async def _stay(app: Driven, key: str) -> None:
    await _asked(app)
    await app.press(key)
    assert isinstance(app.app.screen, Workbench)
    assert app.app.run_thread.busy
    assert not app.app.run_thread.stopping


@effect("ExportScreen", "escape")
async def _cancel_export(app: Driven, key: str) -> None:
    await app.run()
    await app.press("e", key)
    assert app.app.screen is app.workbench
    assert app.app.saved == []


@effect("Workbench", "z")
async def _pause(app: Driven, key: str) -> None:
    await app.press(key)
    assert not app.app.run_thread.controls.paused, "there is no run yet"
    await app.hold(3)
    await app.press(key)
    await app.until(lambda: "paused" in app.picture and app.workbench.run_state.paused)
    await app.press(key)
    await app.finish()


@effect("Workbench", "k")
async def _skip(app: Driven, key: str) -> None:
    await app.hold(3)
    await app.until(lambda: app.workbench.check_action("skip", ()) is True)
    current = app.workbench.run_state.current
    assert current is not None
    await app.press(key)
    await app.finish()
    assert app.workbench.run_state.skipped == {current.cell}
    assert any(line.endswith("no more of it") for line in app.workbench.panes.log_lines.lines)


@effect("Workbench", "u")
async def _clean_up(app: Driven, key: str) -> None:
    leftover = leave_behind()
    line = app.workbench.query_one(LeftoversLine)
    line.on_mount()
    await app.until(lambda: "A run that died left" in app.picture)
    assert leftover.exists()
    assert any(str(leftover) in line for line in app.workbench.panes.log_lines.lines)
    await app.press(key)
    await app.until(lambda: not line.sweeping and "A run that died" not in app.picture)
    assert not leftover.exists()


@effect("ExportScreen", "c")
async def _copy(app: Driven, key: str) -> None:
    await app.run()
    await app.press("e", key)
    assert app.app.clipboard.startswith("run,")
    assert "sent to the terminal's clipboard" in app.picture


@effect("Workbench", "f")
async def _saved_runs(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.shows(SavedRunsScreen)
    await app.until(lambda: "There is no saved run yet." in app.picture)


async def _list(app: Driven, *, end: bool = True) -> Path:
    """Save a run and bring the list to the front."""
    if not saved_runs():
        run = fake_run(rounds=2)
        save_journal(run if end else replace(run, measurements=run.measurements[:40]), end=end)
    if not app.shows(SavedRunsScreen):
        await app.press("f")
    await app.until(lambda: "2026-01-02 03:04" in app.picture)
    return saved_runs()[0]


@effect("RunsTable", "enter")
async def _open_run(app: Driven, key: str) -> None:
    await _list(app)
    await app.press(key)
    assert len((await app.finish()).measurements) == 102
    assert app.workbench.pane is PaneName.CHART


@effect("SavedRunsScreen", "space")
async def _mark_run(app: Driven, key: str) -> None:
    await _list(app)
    await app.press(key)
    assert " 1 2026-01-02" in app.picture
    await app.press(key)
    assert " 1 2026-01-02" not in app.picture


@effect("SavedRunsScreen", "r")
async def _resume_run(app: Driven, key: str) -> None:
    await _list(app, end=False)
    await app.press(key)
    # It was measured on a machine that does not exist: resuming it goes as far as to say so.
    await app.until(lambda: "was begun in /scratch" in app.workbench.run_line.problem)


@effect("SavedRunsScreen", "n")
async def _name_run(app: Driven, key: str) -> None:
    path = await _list(app)
    await app.press(key)
    await app.write("mine")
    await app.press("enter")
    await app.until(lambda: "'mine': disk" in app.picture)
    assert read_journal(path).title == "mine"


@effect("SavedRunsScreen", "d")
async def _delete_run(app: Driven, key: str) -> None:
    await _list(app)
    await app.press(key)
    assert app.shows(AskScreen)


@effect("SavedRunsScreen", "question_mark", "f1")
async def _help_of_list(app: Driven, key: str) -> None:
    await _list(app)
    await app.press(key)
    assert app.shows(HelpScreen)
    assert "Measure what an incomplete run lacks" in app.picture
    await app.press("escape")


@effect("SavedRunsScreen", "escape", "q", "f")
async def _close_list(app: Driven, key: str) -> None:
    await _list(app)
    await _closes(app, key)


@effect("SavedRunsScreen", "c")
async def _compare_runs(app: Driven, key: str) -> None:
    run = fake_run(rounds=6)
    for name in ("old", "new"):
        save_journal(replace(run, id=f"20260101-000000-{name}"))
    await _list(app)
    await app.press("space", key)
    assert app.shows(SavedRunsScreen), "it takes two"
    await app.press("down", "space", key)
    assert app.shows(CompareScreen)
    # The list has the newest first, by its name.
    await app.until(lambda: "20260101-000000-new against 20260101-000000-old" in app.picture)


@effect("CompareScreen", "x")
async def _swap_runs(app: Driven, key: str) -> None:
    await _compare_runs(app, "c")
    await app.press(key)
    await app.until(lambda: "20260101-000000-old against 20260101-000000-new" in app.picture)


@effect("CompareScreen", "escape", "q", "c")
async def _close_comparison(app: Driven, key: str) -> None:
    if not saved_runs():
        await _compare_runs(app, "c")
    else:
        await app.press("c")
        assert app.shows(CompareScreen)
    await app.press(key)
    assert app.shows(SavedRunsScreen)


@effect("AskScreen", "y")
async def _yes(app: Driven, key: str) -> None:
    path = await _list(app)
    await app.press("d", key)
    assert app.shows(SavedRunsScreen)
    assert not path.exists()


@effect("AskScreen", "escape", "n", "enter")
async def _no(app: Driven, key: str) -> None:
    path = await _list(app)
    await app.press("d", key)
    assert app.shows(SavedRunsScreen)
    assert path.exists()


def test_every_key_has_a_test_and_every_test_a_key() -> None:
    assert set(bound_keys()) == {(owner, key) for owner, keys in EFFECTS for key in keys}


def _effects() -> Iterator[Any]:
    """Yield the class and the keys of each test; all but the first one of a class are for a full run."""
    seen: set[str] = set()
    for owner, keys in sorted(EFFECTS):
        yield pytest.param(owner, keys, marks=[pytest.mark.full] if owner in seen else [])
        seen.add(owner)


@pytest.mark.parametrize(("owner", "keys"), list(_effects()))
async def test_a_key_does_what_it_says(
    owner: str, keys: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as app:
        for key in keys:
            await EFFECTS[owner, keys](app, key)


async def test_every_action_stands_in_the_palette_and_in_the_help() -> None:
    async with driven() as app:
        await app.run()
        await app.press("1")
        offered = {command.help for command in app.app.get_system_commands(app.workbench)}
        for binding in [*Workbench.BINDINGS]:
            assert isinstance(binding, Binding)
            possible = app.workbench.check_action(binding.action.partition("(")[0], ()) is True
            assert (binding.tooltip in offered) is possible, binding.key
        panes = pane_bindings(app.workbench)
        assert len(panes) > 5
        assert ELSEWHERE not in panes
        own = [binding for bindings in panes.values() for binding in bindings]
        await app.press("question_mark")
        await app.until(lambda: "Run the plan" in app.picture)
        words = " ".join(str(app.app.screen.query("Static").first().visual).split())  # type: ignore[attr-defined]
        for binding in [*Workbench.BINDINGS, *own]:
            assert isinstance(binding, Binding)
            assert binding.tooltip in words


async def test_the_keys_of_a_pane_stand_in_the_palette_while_it_has_the_keys() -> None:
    async with driven() as app:
        await app.run()
        seen = set()
        for pane in PaneName:
            await app.press(pane.key)
            offered = {command.help for command in app.app.get_system_commands(app.workbench)}
            here = app.workbench.focused
            assert here is not None
            for kind in type(here).__mro__:
                for binding in vars(kind).get("BINDINGS", ()) if kind.__module__.startswith("imgstore_tui.") else ():
                    assert binding.tooltip in offered, binding.key
                    seen.add(kind.__name__)
        assert {"CheckList", "MatrixPane", "GridTable"} <= seen
