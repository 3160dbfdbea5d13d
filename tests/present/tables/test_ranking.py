"""Tests the ranking at one number of images: order, ties, methods left out."""

from dataclasses import replace

import pytest

from imgstore_tui.core.operations import Operation
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.ranking import cutoff_text, measured_cutoffs, next_cutoff, ranking_table
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.testing.fake_runs import fake_run


def texts(table: Table) -> list[list[str]]:
    return [[entry.text.strip() for entry in row] for row in table.rows]


def test_methods_stand_by_median_with_all_that_they_cost() -> None:
    results = build_results(fake_run(operations=[Operation.WRITE_MANY, Operation.READ_MANY]))
    table = ranking_table(results, 1000)
    assert table.title == "Ranking at 1,000 images"
    rows = texts(table)
    assert [rows[index][1] for index in sorted(table.heads)] == ["write-many buffered", "read-many hot"]
    assert [row[:2] for row in rows[1:4]] == [["1.", "hdf5"], ["2.", "lmdb"], ["3.", "disk"]]
    assert [row[4] for row in rows[1:4]] == ["best", "1.16x", "21.6x"]
    assert len(rows[3][5]) == 8 > len(rows[2][5]) >= 1
    assert rows[3][9] == "3.91 MiB"
    for row in table.rows[1:4]:
        assert row[1].cell is not None


def test_ties_share_their_sign_and_what_failed_has_no_place() -> None:
    run = fake_run(cutoffs=[10], operations=[Operation.READ_MANY], failures={"hdf5": "x"})
    same = tuple(replace(trial, seconds=0.1) if trial.seconds else trial for trial in run.measurements)
    rows = texts(ranking_table(build_results(replace(run, measurements=same))))
    assert [row[:3] for row in rows[1:]] == [
        ["=", "disk", "100 ms"], ["=", "lmdb", "100 ms"], ["-", "hdf5", "failed"],
    ]  # fmt: skip
    assert [row[4] for row in rows[1:]] == ["1.00x", "1.00x", "not ranked"]


def test_with_too_few_rounds_there_is_an_order_but_no_place() -> None:
    rows = texts(ranking_table(build_results(fake_run(cutoffs=[10], rounds=3, operations=[Operation.READ_MANY]))))
    assert [row[0] for row in rows[1:]] == ["?", "?", "?"]


def test_the_largest_stands_for_all_and_for_one_that_was_not_measured() -> None:
    results = build_results(fake_run())
    assert ranking_table(results).title == ranking_table(results, 77).title == "Ranking at 1,000 images"
    assert not ranking_table(build_results(replace(fake_run(), measurements=()))).rows


@pytest.mark.parametrize(("step", "way"), [(1, [1, 10, None, 1]), (-1, [10, 1, None, 10])])
def test_cutoffs_go_round(step: int, way: list[int | None]) -> None:
    here: int | None = None
    for expected in way:
        here = next_cutoff(here, (1, 10), step)
        assert here == expected
    assert next_cutoff(500, (1, 10), 1) == 1
    assert cutoff_text(None, (1, 10)) == "all N, [ ]: other"
    assert cutoff_text(1000, (1, 1000)) == "N=1,000, [ ]: other"
    assert cutoff_text(None, (1,)) == ""
    assert measured_cutoffs(build_results(fake_run(cutoffs=[10, 1]))) == (1, 10)
