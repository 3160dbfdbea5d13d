"""The drawn matrix: pages, steps, clicks, and what gives way where there is no room."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.matrix import MatrixLayer, matrix_layers
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.widgets.matrix_grid import (
    DrawnGrid,
    GridPosition,
    draw_grid,
    nearest_position,
    page_of,
    square_at,
    step_from,
)
from imgstore_tui.tui.widgets.method_marks import MethodMarks

RUN = fake_run()
ORIGIN = GridPosition()
LAYERS = matrix_layers(build_results(RUN), RUN, plan_cells(RUN.plan))


def drawn(width: int, height: int, cursor: GridPosition = ORIGIN, layers: Sequence[MatrixLayer] = LAYERS) -> DrawnGrid:
    shown = page_of(layers, cursor.layer, height)
    marks = MethodMarks.of(RUN, Plan(), ChartColours())
    return draw_grid(layers, shown, cursor, width, height, marks, lit="reverse")


def test_all_layers_are_shown_where_there_is_room_else_pages_with_the_wanted_one() -> None:
    assert page_of(LAYERS, 3, 21) == range(5)
    assert page_of(LAYERS, 0, 20) == range(4)
    assert page_of(LAYERS, 4, 20) == range(4, 5)
    assert page_of(LAYERS, 1, 2) == range(1, 2), "one at least"


def test_steps_pass_over_what_has_no_cell_and_go_on_in_the_next_layer() -> None:
    assert nearest_position(LAYERS, GridPosition(0, 9, 9)) == GridPosition(0, 2, 0), "write-one is of one image only"
    assert step_from(LAYERS, GridPosition(0, 2, 0), 1, 0) == GridPosition(1, 0, 0)
    assert step_from(LAYERS, GridPosition(1, 0, 3), -1, 0) == GridPosition(0, 2, 0)
    assert step_from(LAYERS, GridPosition(1, 0, 0), 0, 1) == GridPosition(1, 0, 1)
    assert step_from(LAYERS, GridPosition(1, 0, 3), 0, 1) == GridPosition(1, 0, 3), "the end is the end"
    assert step_from(LAYERS, GridPosition(4, 2, 0), 1, 0) == GridPosition(4, 2, 0)
    assert step_from((), GridPosition(), 1, 1) == GridPosition()


@pytest.mark.parametrize("size", [(10, 3), (24, 6), (40, 12), (74, 15), (200, 50)])
@pytest.mark.parametrize("cursor", [GridPosition(0, 0, 0), GridPosition(1, 2, 3), GridPosition(4, 2, 2)])
def test_the_cursor_always_has_a_place_and_nothing_is_wider_than_the_room(
    size: tuple[int, int], cursor: GridPosition
) -> None:
    picture = drawn(*size, cursor)
    assert len(picture.lines) <= max(2, size[1])
    assert max(line.cell_len for line in picture.lines) <= size[0]
    assert any(place == cursor for _, _, _, place in picture.spots)
    assert any("reverse" in str(span.style) for line in picture.lines for span in line.spans)


def test_what_has_no_place_is_counted() -> None:
    assert "<1 1>  N=10" in drawn(28, 30, GridPosition(1, 0, 2)).lines[0].plain
    many = fake_run([f"lmdb:preset={name}" for name in "abcdefghijklmnop"], [10], operations=[Operation.WRITE_MANY])
    layers = matrix_layers(build_results(many), many, plan_cells(many.plan))
    assert "11 above, 1 below" in drawn(60, 6, GridPosition(0, 12, 0), layers).lines[0].plain


def test_a_cell_is_found_where_it_is_drawn() -> None:
    picture = drawn(74, 30)
    for y, left, right, place in picture.spots:
        assert picture.at(left, y) == picture.at(right - 1, y) == place
        square = square_at(LAYERS, place)
        assert square is not None
        assert picture.lines[y].plain[left:].startswith(square.state.glyph)
    assert picture.at(0, 0) is None
