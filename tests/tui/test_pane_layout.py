"""Which panes are visible at a size of the terminal, and that those that answer get the room."""

from __future__ import annotations

import pytest
from textual.geometry import Region

from imgstore_tui.tui.pane_layout import lay_out
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.widgets.panes import Panes
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, Driven, driven

SIZES = [(120, 30), (130, 36), (144, 36), (160, 45)]
LARGE = [(130, 36), (144, 36), (160, 45)]


def regions(panes: Panes) -> dict[PaneName, Region]:
    """Return the visible panes and where they are."""
    widgets = {
        PaneName.CHOOSE: panes.choose, PaneName.CHART: panes.chart, PaneName.TABLE: panes.table,
        PaneName.LOG: panes.log_lines, PaneName.VERDICT: panes.verdict, PaneName.MATRIX: panes.matrix,
    }  # fmt: skip
    return {name: widget.region for name, widget in widgets.items() if widget.region}


async def resized(app: Driven, size: tuple[int, int]) -> dict[PaneName, Region]:
    await app.pilot.resize_terminal(*size)
    await app.until(lambda: app.workbench.outer_size == size)
    await app.pilot.pause()
    return regions(app.workbench.panes)


async def test_the_chart_grows_with_the_terminal_and_the_verdict_is_no_corner() -> None:
    async with driven(FakeRunner(), NARROW) as app:
        await app.run()
        await app.press("2")
        narrow = regions(app.workbench.panes)
        assert set(narrow) == {PaneName.CHART}
        for size in SIZES:
            seen = await resized(app, size)
            assert seen[PaneName.CHART].area >= narrow[PaneName.CHART].area, size
            others = [region.area for name, region in seen.items() if name is not PaneName.VERDICT]
            assert seen[PaneName.VERDICT].area > min(others) or len(seen) == 2, size


@pytest.mark.full
@pytest.mark.parametrize("size", SIZES)
async def test_the_panes_fill_the_screen_without_a_gap_and_none_covers_another(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(), size) as app:
        await app.run()
        for pane in PaneName:
            await app.press(pane.key)
            await app.pilot.pause()
            seen = regions(app.workbench.panes)
            assert pane in seen
            whole = app.workbench.panes.region
            assert not any(
                one.intersection(other).area for a, one in seen.items() for b, other in seen.items() if a != b
            )
            columns = {region.x for region in seen.values()}
            covered = sum(region.area for region in seen.values()) + (len(columns) - 1) * whole.height
            assert covered == whole.area, f"{pane}: {seen}"


@pytest.mark.parametrize("size", LARGE)
def test_a_large_terminal_shows_every_result_whatever_is_in_front(size: tuple[int, int]) -> None:
    for front in PaneName:
        heights = lay_out(*size, front).heights
        assert {PaneName.CHART, PaneName.TABLE, PaneName.VERDICT} <= set(heights)
        assert front in heights or front is PaneName.CHOOSE


@pytest.mark.full
@pytest.mark.parametrize("size", [NARROW, (120, 30), (160, 45)])
async def test_every_pane_fills_the_screen_by_a_key_and_by_a_click(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(), size) as app:
        await app.run()
        panes = app.workbench.panes
        for pane in PaneName:
            await app.press(pane.key)
            await app.pilot.pause()
            before = regions(panes)
            await app.press("plus")
            await app.until(lambda pane=pane: regions(panes) == {pane: panes.region})  # type: ignore[misc]
            await app.press("plus")
            await app.until(lambda before=before: regions(panes) == before)  # type: ignore[misc]
            here = before[pane]
            await app.pilot.click(offset=(here.x + here.width // 2, here.y))
            await app.until(lambda pane=pane: regions(panes) == {pane: panes.region})  # type: ignore[misc]
            await app.press("escape")
            await app.until(lambda before=before: regions(panes) == before)  # type: ignore[misc]


@pytest.mark.full
async def test_before_a_run_the_choice_has_the_room_and_afterwards_the_results() -> None:
    async with driven(FakeRunner(), (160, 45)) as app:
        before = regions(app.workbench.panes)
        assert set(before) == {PaneName.CHOOSE, PaneName.CHART}
        assert before[PaneName.CHOOSE].width > 80
        await app.run()
        assert PaneName.CHOOSE not in regions(app.workbench.panes)
        await app.press("1")
        await app.pilot.pause()
        assert set(regions(app.workbench.panes)) == set(PaneName)
