"""Tests CSV and TSV: other programs read back what was measured."""

import csv
import io
from dataclasses import replace

import pytest

from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.present.exports.delimited import TRIAL_FIELDS, cell_text
from imgstore_tui.testing.conformance_exporter import hostile_run
from imgstore_tui.testing.fake_runs import fake_run


def read(name: str, run: Run) -> list[dict[str, str]]:
    text = io.StringIO(exports.get(name).export(run).decode(), newline="")
    if name == "tsv":
        return list(csv.DictReader(text, delimiter="\t", quoting=csv.QUOTE_NONE))
    return list(csv.DictReader(text))


@pytest.mark.parametrize("name", ["csv", "tsv"])
def test_one_row_a_trial_with_every_field(name: str) -> None:
    run = fake_run(failures={"hdf5/write-many/100": "the disk is full"})
    rows = read(name, run)
    assert len(rows) == len(run.measurements)
    assert list(rows[0]) == ["run", *TRIAL_FIELDS]
    for row, trial in zip(rows, run.measurements, strict=True):
        assert (row["spec"], row["operation"], row["round"]) == (trial.spec, trial.operation, str(trial.round))
        assert row["seconds"] == ("" if trial.seconds is None else repr(trial.seconds))
        assert row["verified"] == {True: "true", False: "false", None: ""}[trial.verified]
        assert row["reason"] == (trial.reason or "")


def test_csv_and_tsv_say_the_same() -> None:
    assert read("csv", fake_run()) == read("tsv", fake_run())


def test_hostile_text_stays_in_its_cell() -> None:
    run = hostile_run()
    for name in ("csv", "tsv"):
        rows = read(name, run)
        assert len(rows) == len(run.measurements)
        assert all(None not in row and None not in row.values() for row in rows)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (-1.5, "-1.5"),
        (12, "12"),
        ("plain", "plain"),
        ("=1+1", "'=1+1"),
        ("-1.5", "'-1.5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "<U+0009>=1"),
        ("＝1", "'＝1"),
        ("a\nb", "a<U+000A>b"),
    ],
)
def test_formulas_are_quoted_and_numbers_are_not(value: str | float | bool | None, text: str) -> None:
    assert cell_text(value) == text


def test_samples_and_options_are_json_text() -> None:
    run = fake_run(["lmdb"], [10], 1)
    run = replace(run, measurements=(replace(run.measurements[0], options={"a": 1}, samples=(0.5, 0.25)),))
    (row,) = read("csv", run)
    assert (row["options"], row["samples"]) == ('{"a":1}', "[0.5,0.25]")
