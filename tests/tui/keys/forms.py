"""Checks the keys of the forms: conditions, data, options, and the lines in them."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.core.operations import CacheState
from imgstore_tui.jobs.plans import saved_plans
from imgstore_tui.tui.screens.options import OptionsScreen
from imgstore_tui.tui.screens.workbench import Workbench
from imgstore_tui.tui.widgets.field import CompletingLine
from imgstore_tui.tui.widgets.option_field import OptionField
from tests.support.screen import Driven, five_operations
from tests.tui.keys.effects import effect


@effect("ConditionsScreen", "enter")
async def _use_conditions(app: Driven, key: str) -> None:
    await app.press("c", "right", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan.cache == (CacheState.COLD,)


@effect("ConditionsScreen", "escape")
async def _leave_conditions(app: Driven, key: str) -> None:
    await app.press("c", "right", key)
    assert app.shows(Workbench)
    assert app.workbench.choice.plan == five_operations()


@effect("SavePlanScreen", "escape")
async def _save_no_plan(app: Driven, key: str) -> None:
    await app.press("w", "x", key)
    assert app.shows(Workbench)
    assert saved_plans() == {}


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
    assert app.workbench.choice.plan == five_operations()


@effect("Line", "enter")
async def _take_line(app: Driven, key: str) -> None:
    await app.press("tab")
    await app.write("lmdb+png")
    await app.press(key)
    assert "lmdb+png" in app.workbench.choice.ticked


@effect("CompletingLine", "tab")
async def _complete(app: Driven, key: str) -> None:
    Path("photos").mkdir()
    await app.press("d", "right")
    await app.until(lambda: "path" in app.picture)
    kind = app.app.focused
    while "/path/to/it" not in app.picture:
        await app.press("right")
    await app.press("tab")
    line = app.app.focused
    assert isinstance(line, CompletingLine)
    assert line is not kind
    await app.press("ctrl+u")
    await app.write("pho")
    await app.until(lambda: "photos/" in app.picture)
    await app.press(key)
    assert line.value == "photos/"
    assert app.app.focused is line
    await app.press(key)
    assert app.app.focused is not line, "there is nothing more to complete"


@effect("OneOf", "right", "space", "left")
async def _one_of(app: Driven, key: str) -> None:
    if not app.shows(OptionsScreen):
        await app.press("down", "o")
    before = "[tuned]" in app.picture
    await app.press(key)
    assert ("[tuned]" in app.picture) is not before, "there are two presets"


@effect("OptionField", "down", "up")
async def _other_field(app: Driven, key: str) -> None:
    if not app.shows(OptionsScreen):
        await app.press("down", "o")
    fields = [field.editor for field in app.app.screen.query(OptionField)]
    focused = app.app.focused
    assert focused is not None
    before = fields.index(focused)
    await app.press(key)
    assert app.app.focused is fields[before + (1 if key == "down" else -1)]


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
    assert app.workbench.choice.plan == five_operations()
