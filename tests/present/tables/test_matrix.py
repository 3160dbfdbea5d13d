"""Tests the matrix: the state of every cell, and how much of it fits."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.run.measurement import SKIPPED_BY_USER
from imgstore_tui.core.events import TrialStarted
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation, Status, SyncLevel
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.matrix import CellState, MatrixLayer, matrix_layers, matrix_legend_text, with_running
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.testing.fake_runs import fake_run


def layers_of(run: Run, **how: object) -> tuple[MatrixLayer, ...]:
    return matrix_layers(build_results(run), run, plan_cells(run.plan), **how)  # type: ignore[arg-type]


def states(layer: MatrixLayer) -> list[list[CellState | None]]:
    return [[None if square is None else square.state for square in row] for row in layer.rows]


def test_layers_are_the_operations_and_levels_of_the_plan_in_the_order_of_tables() -> None:
    run = fake_run(
        operations=[Operation.READ_MANY, Operation.WRITE_MANY],
        sync=[SyncLevel.BUFFERED, SyncLevel.END],
        cache=[CacheState.HOT, CacheState.COLD],
    )
    assert [layer.title for layer in layers_of(run)] == [
        "write-many, sync buffered", "write-many, sync end", "read-many, cache hot", "read-many, cache cold",
    ]  # fmt: skip
    assert layers_of(run)[0].labels == ("disk", "lmdb", "hdf5")


def test_a_cell_waits_runs_fills_and_is_done() -> None:
    whole = fake_run(["disk", "lmdb"], [10, 100], operations=[Operation.WRITE_MANY])
    none = replace(whole, measurements=())
    (layer,) = matrix_layers(None, none, plan_cells(none.plan))
    assert states(layer) == [[CellState.WAITING] * 2] * 2
    some = replace(whole, measurements=whole.measurements[:5])
    cell = whole.measurements[1].cell
    (layer,) = with_running(layers_of(some), TrialStarted(cell, 1, "trial"), 25)
    assert states(layer) == [[CellState.PART, CellState.RUNNING], [CellState.PART, CellState.PART]]
    part, running = layer.rows[0]
    assert part is not None
    assert running is not None
    assert part.text(18).startswith("◐ 2")
    assert part.text(18).endswith("2/6")
    assert (running.share, running.text(8)) == (0.25, "▶ 1/6")
    (layer,) = layers_of(whole)
    assert states(layer) == [[CellState.DONE] * 2] * 2
    assert [square.sign for row in layer.rows for square in row if square] == ["", "", "*", "*"]


def test_what_failed_was_skipped_or_is_not_claimed_is_told_apart() -> None:
    run = fake_run(["disk", "lmdb", "hdf5"], [10], operations=[Operation.DELETE], failures={"disk": "broke"})
    reasons = {"lmdb": SKIPPED_BY_USER, "hdf5": "Backend hdf5 does not claim delete."}
    trials = [
        replace(trial, status=Status.SKIPPED, seconds=None, reason=reasons[trial.spec])
        if trial.spec in reasons
        else trial
        for trial in run.measurements
    ]
    (layer,) = layers_of(replace(run, measurements=tuple(trials)))
    assert states(layer) == [[CellState.FAILED], [CellState.SKIPPED], [CellState.UNSUPPORTED]]
    cells = [square.text(18) for row in layer.rows for square in row if square is not None]
    assert cells == ["✗ failed 6/6", "– skipped", "× unsupported"]
    assert matrix_legend_text([layer]) == "✗ failed  – skipped  × unsupported"


def test_times_that_were_not_verified_do_not_look_done() -> None:
    (layer,) = layers_of(fake_run(["lmdb"], [10], operations=[Operation.READ_MANY], verified=False))
    assert states(layer) == [[CellState.UNVERIFIED]]


@pytest.mark.parametrize("width", range(1, 24))
def test_words_never_take_more_room_than_there_is_and_the_glyph_stays(width: int) -> None:
    run = fake_run(failures={"hdf5/read-one": "x"})
    for layer in layers_of(run):
        for square in [square for row in layer.rows for square in row if square is not None]:
            assert cell_len(square.text(width)) <= width
            assert square.text(width)[0] in (square.state.glyph, square.sign)


def test_every_state_has_a_glyph_of_its_own_in_ascii_too() -> None:
    assert len({state.glyph for state in CellState}) == len(CellState)
    plain = {ascii_text(state.glyph) for state in CellState}
    assert len(plain - {"?"}) == len(CellState) - 1, "only what was not verified is a question mark"


def test_values_are_of_one_image_where_asked() -> None:
    run = fake_run(["lmdb"], [100], operations=[Operation.READ_MANY])
    ((square,),) = layers_of(run)[0].rows
    ((each,),) = layers_of(run, per_image=True)[0].rows
    assert square is not None
    assert each is not None
    assert each.seconds == pytest.approx((square.seconds or 0) / 100)


def test_the_plan_s_holes_are_no_cells() -> None:
    (layer, *_) = layers_of(fake_run(["disk"], [1, 10]))
    assert layer.operation is Operation.WRITE_ONE
    assert [square is None for square in layer.rows[0]] == [False, True]
