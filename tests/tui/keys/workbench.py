"""Checks the keys of the workbench."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.plan.use_plans import USE_PLAN_NAMES
from imgstore_tui.core.operations import CacheState
from imgstore_tui.jobs.plans import plan_by_name
from imgstore_tui.tui.forms.choice import Choice
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.conditions import ConditionsScreen
from imgstore_tui.tui.screens.data import DataScreen
from imgstore_tui.tui.screens.export import ExportScreen
from imgstore_tui.tui.screens.help import HelpScreen
from imgstore_tui.tui.screens.jump import JumpScreen
from imgstore_tui.tui.screens.present import PresentScreen
from imgstore_tui.tui.screens.save_plan import SavePlanScreen
from imgstore_tui.tui.screens.saved_runs import SavedRunsScreen
from imgstore_tui.tui.screens.use import UseScreen
from imgstore_tui.tui.screens.workbench import Workbench
from imgstore_tui.tui.widgets.leftovers_line import LeftoversLine
from tests.support.fake_runs import leave_behind
from tests.support.screen import Driven
from tests.tui.keys.effects import effect, run_once


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


@effect("Workbench", "U")
async def _ask_for_the_use(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.shows(UseScreen)
    for words in ("What will you do with the pictures?", "Train a model", "Just compare"):
        assert words in app.picture
    await app.press("home", "down", "enter")
    assert app.shows(Workbench)
    assert app.workbench.choice.plan.name == "archive"
    assert "plan archive, U: by use" in app.picture


@effect("Workbench", "j")
async def _jump(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.app.screen is app.workbench, "there is nothing to go to yet"
    await app.run()
    await app.press(key)
    assert app.shows(JumpScreen)
    await app.write("rank")
    await app.press("enter")
    assert app.shows(Workbench)
    assert "3 Table: Ranking at 1,000 images" in app.picture
    assert app.workbench.focused is app.workbench.panes.table.grid
    await app.press(key)
    await app.write("random")
    assert "Disk use" not in app.picture
    await app.press("enter")
    assert "Read in random order" in app.picture
    assert app.workbench.pane is PaneName.CHART


@effect("Workbench", "C")
async def _copy(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.app.clipboard == ""
    await app.run()
    starts = {"2": "Write many", "3": "**Median time**", "4": "", "5": "Which to take", "6": "  "}
    for pane, start in starts.items():
        await app.press(pane, key)
        assert app.app.clipboard.startswith(start), pane
    await app.press("3", key)
    assert "| disk" in app.app.clipboard.replace("&nbsp;", "")


@effect("Workbench", "P")
async def _present(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.app.screen is app.workbench, "there is nothing to present yet"
    await app.run()
    await app.press(key)
    assert app.shows(PresentScreen)
    await app.until(lambda: "hdf5 is fastest" in app.picture)


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
    if await run_once(app):
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


@effect("Workbench", "i")
async def _per_image(app: Driven, key: str) -> None:
    await app.run()
    assert "time for N images" in app.picture
    await app.press(key)
    assert "time for one image of N" in app.picture


@effect("Workbench", "p")
async def _next_plan(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.workbench.choice.plan == named_plan("article")
    assert "plan article" in app.picture
    await app.press(key)
    assert app.workbench.choice.plan == named_plan("full")
    assert "budget none" in app.picture
    await app.press(key)
    assert app.workbench.choice.plan == named_plan("systems")
    for name in USE_PLAN_NAMES:
        await app.press(key)
        assert app.workbench.choice.plan == named_plan(name)
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
    await run_once(app)
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
    if await run_once(app):
        await app.press("3", "v", "right_square_bracket")
        assert "Ranking at 1 image" in app.picture
    await app.press(key)
    assert f"Ranking at {'10 images' if key.startswith('right') else '1 image'}" in app.picture


@effect("Workbench", "c")
async def _conditions(app: Driven, key: str) -> None:
    assert "c Conditions" in app.picture
    await app.press("4", key)
    assert app.shows(ConditionsScreen)
    assert "[hot] cold" in app.picture


@effect("Workbench", "w")
async def _save_plan(app: Driven, key: str) -> None:
    await app.press("n", "space", "2", key)
    assert app.shows(SavePlanScreen)
    await app.write("mine")
    await app.press("enter")
    assert app.workbench.choice.plan.name == "mine"
    assert plan_by_name("mine") == app.workbench.choice.plan


@effect("Workbench", "d")
async def _data(app: Driven, key: str) -> None:
    assert "d Data" in app.picture
    await app.press("3", key)
    assert app.shows(DataScreen)
    assert "= synthetic" in app.picture


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


@effect("Workbench", "f")
async def _saved_runs(app: Driven, key: str) -> None:
    await app.press(key)
    assert app.shows(SavedRunsScreen)
    await app.until(lambda: "There is no saved run yet." in app.picture)


@effect("Workbench", "plus")
async def _enlarge(app: Driven, key: str) -> None:
    panes = app.workbench.panes
    await app.press("4", key)
    await app.until(lambda: panes.log_lines.region == panes.region)
    await app.press(key)
    await app.until(lambda: not panes.enlarged)


@effect("Workbench", "less_than_sign", "greater_than_sign")
async def _reach(app: Driven, key: str) -> None:
    before = app.workbench.choice.plan
    await app.press(key)
    await app.until(lambda: app.workbench.choice.plan != before)
    after = app.workbench.choice.plan
    if key == "less_than_sign":
        assert after.cutoffs == before.cutoffs[:-1]
    else:
        assert after.budget_s is not None
        assert before.budget_s is not None
        assert after.budget_s > before.budget_s
