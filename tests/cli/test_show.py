"""``show --at`` and ``show --cell``: the same ranking and detail as on the screen."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState
from imgstore_tui.present.detail.cell_detail import cell_detail
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.program import program, sentence
from tests.support.saved_runs import save_journal


@pytest.fixture
def saved() -> Run:
    run = fake_run(cache=[CacheState.HOT, CacheState.COLD], failures={"hdf5/read-one": "it [broke]"})
    save_journal(run)
    # The instrument counts rounds from 0, and so does what is saved.
    return replace(run, measurements=tuple(replace(trial, round=trial.round - 1) for trial in run.measurements))


def test_the_ranking_at_one_number_of_images(saved: Run) -> None:
    done = program("show", "last", "--at", "1k", COLUMNS="80")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Ranking at 1,000 images")
    assert "read-many cold" in done.stdout
    assert "Median time" not in done.stdout


def test_a_cell_is_printed_at_every_level_as_the_screen_shows_it(saved: Run) -> None:
    done = program("show", "last", "--cell", "lmdb/read-many/1000", "--ascii", COLUMNS="90")
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    results = build_results(saved)
    cells = [
        summary.cell
        for summary in results.summaries
        if (summary.cell.spec, summary.cell.operation, summary.cell.cutoff) == ("lmdb", "read-many", 1000)
    ]
    assert len(cells) == 2
    shown = " ".join(done.stdout.split())
    for cell in cells:
        assert " ".join(cell_detail(results, cell, 90, ascii_only=True).plain.split()) in shown


@pytest.mark.sample_first(2)
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--at", "77"], "Nothing was measured at 77 images. Measured: 1, 10, 100, 1,000."),
        (["--at", "many"], "'many' is not a number of images."),
        (["--cell", "lmdb"], "'lmdb' is not a cell. Write METHOD/OPERATION/N"),
        (["--cell", "lmbd/read-many/1k"], "Unknown method 'lmbd'. Did you mean 'lmdb'?"),
        (["--cell", "lmdb/raed-many/1k"], "Did you mean 'read-many'?"),
        (["--cell", "lmdb/read-many/5"], "lmdb read-many was not measured at 5 images."),
    ],
)
def test_what_was_not_measured_is_a_sentence(saved: Run, words: list[str], message: str) -> None:
    done = program("show", "last", *words)
    assert done.returncode == 2
    assert message in sentence(done)


def test_a_cell_or_a_number_of_images_is_shown_as_json(saved: Run) -> None:
    cells = json.loads(program("show", "last", "--cell", "lmdb/read-many/1k", "--json").stdout)
    assert [(cell["spec"], cell["operation"], cell["cutoff"], cell["cache"]) for cell in cells] == [
        ("lmdb", "read-many", 1000, "hot"), ("lmdb", "read-many", 1000, "cold"),
    ]  # fmt: skip
    assert all(len(cell["measurements"]) == saved.plan.rounds for cell in cells)
    assert {trial["cache"] for trial in cells[1]["measurements"]} == {"cold"}
    ranked = json.loads(program("show", "last", "--at", "100", "--json").stdout)
    assert {cell["cutoff"] for cell in ranked} == {100}
    assert {cell["spec"] for cell in ranked} == {"disk", "lmdb", "hdf5"}


def test_without_a_run_the_newest_is_meant_and_a_part_alone_is_that_of_it(saved: Run) -> None:
    assert program("show").stdout == program("show", "last").stdout
    assert program("show", "verdicts").stdout == program("show", "last", "verdicts").stdout
    assert program("show", "--all").stdout == program("show", "last", "all").stdout
    assert program("show", "--no-charts", "last", "tables").stdout == program("show", "last", "tables").stdout
    assert program("export", "-f", "csv").stdout == program("export", "last", "-f", "csv").stdout
    assert program("export", "-f", "csv", saved.id).stdout == program("export", saved.id, "-f", "csv").stdout
    assert program("advise", "--for", "archive").stdout == program("advise", "last", "--for", "archive").stdout
    assert "There is no run 'verdict'" in sentence(program("show", "verdict"))
    assert program("rename", "last", "verdicts").returncode == 0
    assert program("show", "verdicts").stdout == program("show", "last").stdout, "a run of that name comes first"
