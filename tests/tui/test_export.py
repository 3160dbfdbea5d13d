"""Exporting from the screen: the chart that is looked at, the clipboard, and what is in the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.widgets import Static

from imgstore_tui.present import exports
from imgstore_tui.tui.screens.export import ExportScreen
from imgstore_tui.tui.screens.workbench import Workbench
from imgstore_tui.tui.widgets.field import Line
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, WIDE, Driven, driven


async def pointed_at(app: Driven, name: str) -> None:
    """Open the dialog and bring the cursor to a format."""
    await app.run()
    await app.press("e")
    of_run = sorted(exports.names(), key=lambda entry: exports.catalogue.get(entry).archive)
    names = [*of_run, "chart-txt", "chart-svg", "chart-png"]
    await app.press(*["down"] * names.index(name))


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE, (120, 35)])
async def test_the_chart_that_is_looked_at_is_written(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.press("m")
        await pointed_at(app, "chart-txt")
        assert "The chart on the screen" in app.picture
        await app.press("enter", "enter")
        await app.until(lambda: bool(app.app.saved))
        (path,) = app.app.saved
        assert path.endswith("-fake-chart.txt")
        chart = app.workbench.panes.chart
        assert chart.kind is not None
        assert chart.kind.menu_text in Path(path).read_text()


@pytest.mark.full
async def test_every_text_format_can_be_copied_and_no_picture() -> None:
    async with driven() as app:
        await pointed_at(app, "chart-svg")
        await app.press("c")
        assert app.app.clipboard.startswith("<svg ")
        await app.press("down")
        assert "c Copy" not in app.picture
        before = app.app.clipboard
        await app.press("up", "up", "c")
        assert app.app.clipboard not in (before, "")
        assert "\x1b" not in app.app.clipboard


@pytest.mark.full
async def test_what_is_long_for_a_clipboard_is_said_to_be() -> None:
    async with driven(size=WIDE) as app:
        await pointed_at(app, "json")
        await app.press("c")
        assert len(app.app.clipboard) > 75_000
        assert "better write a file" in str(app.app.screen.query_one(".hint", Static).visual)


@pytest.mark.full
async def test_a_folder_gets_the_file_by_its_own_name_and_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    async with driven(FakeRunner(), WIDE) as app:
        await pointed_at(app, "csv")
        await app.press("enter", "ctrl+u")
        await app.write(str(tmp_path))
        await app.press("enter")
        await app.until(lambda: app.shows(Workbench))
        (made,) = tmp_path.iterdir()
        made.write_text("mine")
        await app.press("e")
        await app.until(lambda: app.shows(ExportScreen))
        await app.press("tab", "ctrl+u")
        await app.write(str(tmp_path))
        await app.press("enter")
        assert "Press enter again" in app.picture
        assert made.read_text() == "mine"
        await app.press("enter")
        await app.until(lambda: app.shows(Workbench))
        assert made.read_text().startswith("run,")


@pytest.mark.full
async def test_a_place_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    async with driven(FakeRunner(), WIDE) as app:
        await app.run()
        monkeypatch.chdir(gone)
        gone.rmdir()
        await app.press("e", "tab")
        dialog = app.app.screen
        assert isinstance(dialog, ExportScreen)
        assert dialog.path.text.startswith(str(Path.home()))
        for text, reason in (("~nobody-at-all/x", "nobody's home"), (f"/{'a' * 300}", "File name too long")):
            dialog.path.input.value = text
            await app.press("enter")
            assert reason in dialog.path.problem
        dialog.path.input.value = str(tmp_path / "run.csv")
        await app.press("enter")
        await app.until(lambda: app.shows(Workbench))
    assert (tmp_path / "run.csv").is_file()


async def test_before_there_is_a_chart_none_is_offered() -> None:
    runner = FakeRunner(hold_after=0)
    async with driven(runner) as app:
        await app.press("r")
        await app.until(runner.held.is_set)
        await app.until(lambda: app.workbench.run_state.run is not None)
        await app.press("e")
        assert "The chart on the screen" not in app.picture
        assert "json" in app.picture


@pytest.mark.full
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
    existing = tmp_path / "taken.csv"
    existing.write_text("mine")
    async with driven() as app:
        await app.run()
        await app.press("e")
        await app.tab_to(Line)
        await app.press("ctrl+u", "enter")
        assert "Name a file." in app.picture
        await app.write("taken.csv")
        await app.press("enter")
        assert "Press enter again to replace it" in app.picture
        assert existing.read_text() == "mine"
        await app.press("x", "backspace", "enter")
        assert existing.read_text() == "mine", "another edit asks anew"
        await app.press("enter")
        assert existing.read_text().startswith("run,")


@pytest.mark.full
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
