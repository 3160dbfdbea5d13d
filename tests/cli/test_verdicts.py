"""What ``run`` and ``show`` print ends with who is first, in words."""

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.cli import show
from imgstore_tui.cli.measure import show_answer
from imgstore_tui.cli.output import data_console
from imgstore_tui.cli.printing import print_answer
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run

DEFAULT = fake_run(
    operations=[Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM], cutoffs=[10, 100, 1000]
)
"""What the plan that is used without words measures."""


def test_verdicts_and_an_answer_stand_after_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    show_answer(fake_run(cutoffs=[10, 100], operations=[Operation.READ_MANY]))
    shown, answer = capsys.readouterr().out.split("\nWhich to take\n")
    assert "Median time" in shown
    assert "Take lmdb" in answer
    assert "Fastest at" not in answer
    show.main([_saved(), "verdicts"])
    _, verdicts = capsys.readouterr().out.split("Verdicts\n")
    assert "lmdb is fastest; hdf5 takes" in verdicts
    assert "Fastest at 100 images:\n  - read-many: lmdb\n" in verdicts


def test_what_is_shown_of_a_saved_run_ends_with_which_to_take(capsys: pytest.CaptureFixture[str]) -> None:
    run_id = _saved()
    show.main([run_id])
    printed = capsys.readouterr().out
    assert printed.index("Median time") < printed.index("\nWhich to take\n")
    show.main([run_id, "all"])
    whole = capsys.readouterr().out
    assert whole.index("Median time") < whole.index("\nVerdicts\n") < whole.index("\nWhich to take\n")
    show.main([run_id, "--chart", "read-many"])
    assert "Which to take" not in capsys.readouterr().out


def _saved() -> str:
    """Save a run; return its id."""
    journal = Journal.begin(run := fake_run(cutoffs=[10, 100], operations=[Operation.READ_MANY]))
    for measurement in run.measurements:
        journal.add(measurement)
    journal.end("finished", "2026-01-02T03:05:00+00:00")
    journal.close()
    return run.id


@pytest.mark.parametrize(("run", "most"), [(DEFAULT, 47), (fake_article_run(), 95)], ids=["quick", "article"])
def test_what_is_shown_of_a_run_is_a_page(
    run: Run, most: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    print_answer(data_console(), build_results(run), plain=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= most
    assert all(cell_len(line) <= 100 for line in lines)
    assert next(line for line in lines if "on disk" in line).strip() == "on disk"


def test_each_dataset_of_several_is_a_column_at_its_most_images(capsys: pytest.CaptureFixture[str]) -> None:
    print_answer(data_console(), build_results(fake_article_run()), plain=False)
    printed = capsys.readouterr().out
    assert re.search(r"cifar10 N=100k +256x256 N=1k +512x512 N=100", printed)
    assert printed.count("One image is stored and read at once") == 1
    assert "paired by round" not in printed


def test_options_that_all_methods_share_are_said_once_and_stand_in_commands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_answer(data_console(), build_results(fake_article_run()), plain=False)
    lines = [line for line in capsys.readouterr().out.splitlines() if "preset=article" in line]
    assert len([line for line in lines if "imgstore-tui convert" not in line]) == 1
    assert any("imgstore-tui convert" in line for line in lines)


def test_where_nothing_is_measured_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_answer(replace(fake_run(), measurements=()))
    assert "Median time" not in capsys.readouterr().out
