"""Checks the keys of the panes."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.plugins import registry
from imgstore_tui.present.results import build_results
from imgstore_tui.tui.forms.method_list import server_to_start
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.options import OptionsScreen
from imgstore_tui.tui.screens.report import ReportScreen
from imgstore_tui.tui.screens.server import ServerScreen
from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.screen import Driven
from tests.tui.keys.effects import effect, run_once


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
    assert "(photos)" in app.picture


@effect("TablePane", "n")
async def _next_column(app: Driven, key: str) -> None:
    await app.run()
    await app.press("3", key)
    assert "method ▲" in app.picture
    await app.press(key)
    assert "N=1 ▲" in app.picture
    for _ in range(5):
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
    assert "- write-many: hdf5" in app.picture


@effect("VerdictPane", "enter")
async def _report(app: Driven, key: str) -> None:
    await app.press("5", key)
    assert not app.shows(ReportScreen), "there is nothing to read yet"
    await app.run()
    await app.press("5", key)
    assert app.shows(ReportScreen)
    await app.until(lambda: "Ranking at 1,000 images" in app.picture)


@effect("MatrixPane", "down", "right", "left", "up")
async def _move_in_matrix(app: Driven, key: str) -> None:
    if await run_once(app):
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
    assert "Select something" in app.picture


@effect("MethodList", "o")
async def _options(app: Driven, key: str) -> None:
    await app.press("down", key)
    assert app.shows(OptionsScreen)
    assert "Options of lmdb" in app.picture


@effect("MethodList", "u")
async def _start_server(app: Driven, key: str) -> None:
    await app.press(key)  # on a method that needs no server it is the workbench's key
    assert app.shows(Workbench)
    for name in registry.backends.all():
        if server_to_start(name) is not None:
            await app.point_at(name)
            await app.press(key)
            assert app.shows(ServerScreen)
            await app.press("escape")
            assert app.shows(Workbench)
            break


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
