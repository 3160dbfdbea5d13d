"""What a user does with results: sort and filter by key and by mouse, open cells, watch them grow; at every size."""

from __future__ import annotations

import pytest
from textual.geometry import Offset

from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_article_run
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.report import ReportScreen
from imgstore_tui.tui.widgets.matrix_grid import GridPosition
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, WIDE, Driven, driven

MIDDLE = (120, 35)
SIZES = [NARROW, MIDDLE, WIDE]
EVIL = "[/foo] [red]x\x1b[2J\u202e"


def where(app: Driven, words: str, *, below: str = "") -> Offset:
    """Return where words stand on the screen, below the line that holds other words."""
    lines = app.picture.splitlines()
    start = next(y for y, line in enumerate(lines) if below in line)
    return next(Offset(line.index(words), y) for y, line in enumerate(lines) if y >= start and words in line)


async def click(app: Driven, place: Offset) -> None:
    await app.pilot.click(offset=(place.x, place.y))
    await app.pilot.pause()


@pytest.mark.sample_first
@pytest.mark.parametrize("size", SIZES)
async def test_the_matrix_shows_state_value_and_reason_at_every_size(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(failures={"hdf5/write-many": EVIL}), size) as app:
        await app.run()
        await app.press("6", "g", "down", "down")
        assert "hdf5, write-many, 1 image, sync buffered" in app.picture
        assert "✗ failed" in app.picture
        assert "[/foo] [red]x<U+001B>" in app.picture or size == WIDE
        assert "\x1b" not in app.picture
        assert "o disk * " in app.picture or "o disk ✓ " in app.picture


async def test_the_matrix_fills_while_the_run_goes_on() -> None:
    runner = FakeRunner(hold_after=40)
    async with driven(runner) as app:
        assert "filled by a run" in str(app.workbench.panes.matrix.picture())
        await app.press("r", "6")
        await app.until(runner.held.is_set)
        await app.until(lambda: "▶" in app.picture)
        assert "◐ " in app.picture
        assert "1/6" in app.picture
        assert "· waiting" in app.picture


@pytest.mark.full
async def test_the_matrix_is_clicked_once_to_point_and_twice_to_open() -> None:
    async with driven() as app:
        await app.run()
        await app.press("6")
        place = where(app, "✓", below="write-many, sync buffered")
        await click(app, place)
        assert app.workbench.panes.matrix.cursor != GridPosition()
        assert not app.shows(DetailScreen)
        await click(app, place)
        assert app.shows(DetailScreen)


async def test_values_of_one_image_are_shown_where_that_was_asked_for() -> None:
    async with driven() as app:
        await app.run()
        await app.press("6")
        assert "median time, all N images" in app.picture
        before = app.picture
        await app.press("i")
        assert "median time, per image" in app.picture
        assert app.picture != before


@pytest.mark.sample_first
@pytest.mark.parametrize("size", SIZES)
async def test_the_detail_of_a_cell_fits_and_scrolls_to_its_end(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(failures={"lmdb/read-one": EVIL}), size) as app:
        await app.run()
        await app.press("6", "g", "g", "enter")
        assert "disk, read-one, 1 image, cache hot" in app.picture
        assert "● the median sample" in app.picture or size == NARROW
        await app.press("end")
        await app.until(lambda: "Every sample, in the order taken" in app.picture)
        await app.press("escape", "down", "enter")
        assert "[/foo] [red]x<U+001B>[2J<U+202E> (6 of 6)" in app.picture
        assert "Open" not in app.picture


@pytest.mark.full
async def test_the_detail_of_a_cell_grows_with_the_run() -> None:
    runner = FakeRunner(hold_after=60, delay_s=0.01)
    async with driven(runner) as app:
        await app.press("r", "6")
        await app.until(lambda: app.workbench.results is not None)
        await app.press("enter")
        assert app.shows(DetailScreen)
        await app.until(runner.held.is_set)
        await app.until(lambda: "2 of 6 rounds count" in app.picture)


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_click_on_a_header_sorts_turns_and_lets_go(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.run()
        await app.press("3", "v", "v", "v")
        assert "3 Table: write-many" in app.picture
        header = where(app, "median", below="3 Table")
        await click(app, header)
        assert "median ▲" in app.picture
        await click(app, header)
        assert "median ▼" in app.picture
        grid = app.workbench.panes.table.grid
        assert "189 ms" in str(grid.get_row_at(0)[2])
        await click(app, header)
        assert "median ▲" not in app.picture
        assert "▼" not in app.picture


@pytest.mark.full
async def test_the_filter_holds_for_every_table_and_says_when_nothing_is_left() -> None:
    async with driven() as app:
        await app.run()
        await app.press("slash")
        await app.write("read-many")
        await app.press("enter")
        assert "3 Table: Median time" in app.picture
        await app.press("v", "v")
        assert "3 Table: read-many, cache hot" in app.picture
        await app.press("slash")
        await app.write("x")
        await app.until(lambda: "No row of any table has 'read-manyx'" in app.picture)
        await app.press("backspace")
        await app.until(lambda: "3 Table: read-many, cache hot" in app.picture)


@pytest.mark.full
async def test_what_is_written_into_the_filter_is_never_obeyed() -> None:
    async with driven() as app:
        await app.run()
        await app.press("slash")
        app.workbench.panes.table.filter_line.input.value = EVIL
        await app.pilot.pause()
        await app.until(lambda: "[/foo] [red]x<U+001B>[2J<U+202E>" in app.picture)
        await app.press("escape")
        await app.until(lambda: "Median time" in app.picture)


@pytest.mark.full
async def test_the_cursor_of_the_overview_picks_the_number_of_images() -> None:
    async with driven() as app:
        await app.run()
        await app.press("3", "down", "down", "down", "down", "right", "right", "right", "enter")
        assert app.shows(DetailScreen)
        assert "disk, write-many, 100 images, sync buffered" in app.picture


@pytest.mark.full
async def test_a_row_that_is_about_no_cell_opens_nothing() -> None:
    async with driven() as app:
        await app.run()
        await app.press("3", "up", "enter")
        assert not app.shows(DetailScreen)
        await app.press("down", "enter")
        assert app.shows(DetailScreen)


@pytest.mark.full
@pytest.mark.parametrize("presses", [[], ["v"]])
async def test_a_table_is_opened_at_its_first_row_that_can_be_opened(presses: list[str]) -> None:
    async with driven() as app:
        await app.run()
        await app.press("3", *presses, "enter")
        assert app.shows(DetailScreen)


async def test_keys_that_follow_a_pane_s_are_for_it() -> None:
    async with driven() as app:
        await app.run()
        panes = app.workbench.panes
        for name, taker in ((PaneName.TABLE, panes.table.grid), (PaneName.LOG, panes.log_lines)):
            app.workbench.action_show_pane(name)
            assert app.app.focused is taker, "at once, and not when its turn comes"
        app.workbench.action_filter()
        assert app.app.focused is panes.table.filter_line.input


@pytest.mark.sample_first
@pytest.mark.parametrize("size", SIZES)
async def test_which_to_take_is_said_at_the_end_wherever_one_looks(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.run()
        assert app.picture.splitlines()[-2].lstrip().startswith("Fastest at ")
        await app.press("5")
        assert str(app.workbench.panes.verdict.body.visual).startswith("Which to take")


@pytest.mark.full
async def test_sorting_holds_while_the_numbers_change() -> None:
    runner = FakeRunner(hold_after=200, delay_s=0.005)
    async with driven(runner, WIDE) as app:
        await app.press("r")
        await app.until(lambda: app.workbench.results is not None)
        await app.press("3", "v", "v", "v", "n", "n", "n")
        await app.until(runner.held.is_set)
        await app.until(lambda: "median ▲" in app.picture)
        grid = app.workbench.panes.table.grid
        assert [str(grid.get_row_at(index)[1]) for index in (0, grid.row_count - 1)] == ["disk", "disk"]


@pytest.mark.sample_first
@pytest.mark.parametrize("size", SIZES)
async def test_verdicts_can_be_read_at_one_number_of_images(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.run()
        await app.press("5")
        body = app.workbench.panes.verdict.body
        assert "N=1  " in str(body.visual)
        assert "N=1k  " in str(body.visual)
        await app.press("left_square_bracket")
        assert "N=1,000, [ ]: other" in app.picture
        assert "N=1  " not in str(body.visual)
        assert "N=1k  " in str(body.visual)
        await app.press("right_square_bracket")
        assert "N=1  " in str(body.visual)


@pytest.mark.full
async def test_the_article_s_report_is_read_whole() -> None:
    run = fake_article_run((1, 10, 100))
    async with driven() as app:
        app.workbench.results = build_results(run)
        await app.press("5", "enter")
        assert app.shows(ReportScreen)
        await app.until(lambda: "1. Store one image and its label" in app.picture)
        screen = app.app.screen
        assert isinstance(screen, ReportScreen)
        for words in ("What the article says", "Verdicts", "Storage methods"):
            for _ in range(60):
                if words in app.picture:
                    break
                await app.press("pagedown")
            assert words in app.picture


@pytest.mark.full
async def test_the_tables_of_the_article_are_views_of_the_table_pane() -> None:
    async with driven(size=WIDE) as app:
        app.workbench.results = build_results(fake_article_run((1, 10, 100)))
        await app.press("3", "slash")
        app.workbench.panes.table.filter_line.input.value = "MapFullError"
        await app.until(lambda: "3 Table: What the article says" in app.picture)
        assert "So storing again ends in MapFullError" in app.workbench.panes.table.copied_text()


@pytest.mark.full
async def test_help_stays_in_the_line_of_keys_however_many_there_are() -> None:
    async with driven(size=(60, 20)) as app:
        await app.run()
        for pane in PaneName:
            await app.press(pane.key)
            assert "? Help" in app.picture.splitlines()[-1]


@pytest.mark.full
async def test_numbers_stand_below_each_other_whatever_sign_follows() -> None:
    async with driven() as app:
        await app.run()
        await app.press("3")
        grid = app.workbench.panes.table.grid
        cells = [text for row in range(grid.row_count) if (text := str(grid.get_row_at(row)[-2])).strip()]
        assert any(cell.endswith(("*", "=")) for cell in cells)
        assert any(cell.endswith("s  ") for cell in cells), "where others have a sign"
        assert len({len(cell) for cell in cells}) == 1
