"""What ``run`` and ``show`` print ends with who is first, in words."""

from dataclasses import replace

import pytest

from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.cli import show
from imgstore_tui.cli.measure import show_brief
from imgstore_tui.core.operations import Operation
from imgstore_tui.testing.fake_runs import fake_run


def test_verdicts_and_an_answer_stand_after_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    show_brief(fake_run(cutoffs=[10, 100], operations=[Operation.READ_MANY]))
    printed = capsys.readouterr().out
    _, verdicts = printed.split("\nVerdicts\n")
    assert "lmdb is fastest; hdf5 takes" in verdicts
    assert "Fastest at 100 images:\n  - read-many: lmdb\n" in verdicts


def test_what_is_shown_of_a_saved_run_ends_with_which_to_take(capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal.begin(run := fake_run(cutoffs=[10, 100], operations=[Operation.READ_MANY]))
    for measurement in run.measurements:
        journal.add(measurement)
    journal.end("finished", "2026-01-02T03:05:00+00:00")
    journal.close()
    show.main([run.id])
    printed = capsys.readouterr().out
    assert printed.index("Median time") < printed.index("\nVerdicts\n") < printed.index("Which to take")
    show.main([run.id, "--chart", "read-many"])
    assert "Which to take" not in capsys.readouterr().out


def test_where_nothing_is_measured_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_brief(replace(fake_run(), measurements=()))
    assert "Verdicts" not in capsys.readouterr().out
