"""What ``run`` and ``show`` print ends with who is first, in words."""

from dataclasses import replace

import pytest

from imgstore_tui.cli.measure import show_brief
from imgstore_tui.core.operations import Operation
from imgstore_tui.testing.runs import fake_run


def test_verdicts_and_an_answer_stand_after_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    show_brief(fake_run(cutoffs=[10, 100], operations=[Operation.READ_MANY]))
    printed = capsys.readouterr().out
    _, verdicts = printed.split("\nVerdicts\n")
    assert "lmdb is fastest; hdf5 takes" in verdicts
    assert "Fastest at 100 images - read-many: lmdb." in verdicts


def test_where_nothing_is_measured_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    show_brief(replace(fake_run(), measurements=()))
    assert "Verdicts" not in capsys.readouterr().out
