"""Checks the keys of the list of saved runs and of the dialogs that it opens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.ask import AskScreen
from imgstore_tui.tui.screens.compare import CompareScreen
from imgstore_tui.tui.screens.help import HelpScreen
from imgstore_tui.tui.screens.saved_runs import SavedRunsScreen
from tests.support.saved_runs import save_journal
from tests.support.screen import Driven
from tests.tui.keys.effects import closes, effect


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
    await closes(app, key)


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


@effect("SavedRunsScreen", "p")
async def _play_run(app: Driven, key: str) -> None:
    await _list(app)
    await app.press(key)
    await app.until(lambda: "REPLAY" in app.picture)  # of so short a run also its end
