"""The command ``advise``: the answer first, the rows below each sentence, the same in JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.cli.main import guarded, run_command
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present import exports
from tests.support.costed_runs import Costs, costed_run

READ, ORDERED, WRITE = Operation.READ_RANDOM, Operation.READ_MANY, Operation.WRITE_MANY
COSTS: Costs = {
    "source": {READ: (1e-3, 1e-4), ORDERED: (1e-3, 9e-5)},
    "disk": {READ: (4e-4, 1.1e-4), ORDERED: (4e-4, 9e-5), WRITE: (6e-4, 2e-4)},
    "lmdb": {READ: (2.5e-4, 4e-6), ORDERED: (2.5e-4, 3e-6), WRITE: (6e-4, 5e-6)},
}


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")


def save(run: Run, name: str = "run.json") -> str:
    Path(name).write_bytes(exports.get("json").export(run))
    return name


def advised(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert guarded(lambda: run_command(["advise", *words])) == code
    printed = capsys.readouterr()
    assert (printed.err == "") is (code == 0)
    return printed.out if code == 0 else printed.err


def record(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    (entry,) = json.loads(advised(capsys, *words, "--json"))["advice"]
    assert isinstance(entry, dict)
    return entry


def test_the_answer_comes_first_and_its_rows_below(capsys: pytest.CaptureFixture[str]) -> None:
    run = save(costed_run(COSTS, dataset="folder:photos"))
    out = advised(capsys, run, "--for", "training", "--images", "50k", "--epochs", "90")
    first, second, *_ = out.splitlines()
    assert first == "Take lmdb for training."
    assert second == "    rows: write-many/1000 buffered of lmdb, disk; read-random/1000 hot of lmdb, disk"
    assert "An epoch of all 50,000 images takes" in out
    assert "90 epochs take" in out
    assert "pays back after" in out
    assert "Costs by weight, 1,000 images" in out
    assert "rows:" not in advised(capsys, run, "--no-rows")


def test_the_record_has_the_same_sentences_and_all_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    run = save(costed_run(COSTS, dataset="folder:photos"))
    words = (run, "--for", "training", "--images", "50k")
    text, entry = advised(capsys, *words, "--no-rows"), record(capsys, *words)
    joined = " ".join(text.split())
    for statement in entry["statements"]:
        assert " ".join(statement["text"].split()) in joined
    assert entry["pick"] == entry["ranking"]["best"][0] == "lmdb"
    assert sum(entry["weights"].values()) == pytest.approx(1.0)
    assert {pays["spec"]: pays["payback"] for pays in entry["break_even"]}["lmdb"] == "after"
    assert {grown["spec"] for grown in entry["growth"]} == {"source", "disk", "lmdb"}
    for predicted in (method["epoch"] for method in entry["training"]):
        assert predicted["seconds"]["low"] <= predicted["seconds"]["median"] <= predicted["seconds"]["high"]


def test_weights_change_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    run = save(costed_run(COSTS, disk={"disk": 1000, "lmdb": 9000, "source": 9000}))
    assert record(capsys, run)["pick"] == "lmdb"
    assert record(capsys, run, "--weight", "disk=9,random=1")["pick"] == "disk"
    (threshold,) = [
        entry
        for entry in record(capsys, run, "--weight", "disk=1,random=9")["thresholds"]
        if entry["criterion"] == "disk"
    ]
    share = threshold["share"]
    for part, pick in ((share - 0.02, "lmdb"), (share + 0.02, "disk")):
        words = f"disk={part:.4f},random={1 - part:.4f}"
        assert record(capsys, run, "--weight", words)["ranking"]["methods"][0]["spec"] == pick


def test_each_dataset_has_its_own_advice(capsys: pytest.CaptureFixture[str]) -> None:
    one = costed_run(COSTS, dataset="folder:photos")
    other = costed_run(
        {**COSTS, "lmdb": {READ: (1.0, 1e-3), ORDERED: (1.0, 1e-3), WRITE: (1.0, 1e-3)}}, dataset="synthetic"
    )
    both = replace(
        one,
        plan=replace(one.plan, datasets=("folder:photos", "synthetic")),
        datasets=one.datasets + other.datasets,
        measurements=one.measurements + other.measurements,
    )
    out = advised(capsys, save(both))
    assert (
        out.index("folder:photos") < out.index("Take lmdb") < out.index("synthetic") < out.index("Stay with your files")
    )


def test_it_can_be_written_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    assert advised(capsys, save(costed_run(COSTS)), "--ascii").isascii()


def test_a_run_without_a_measurement_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    empty = replace(costed_run(COSTS), measurements=())
    assert "has no measurement to advise by" in advised(capsys, save(empty), code=3)


def test_the_plan_of_a_run_says_what_it_is_for(capsys: pytest.CaptureFixture[str]) -> None:
    run = costed_run(COSTS)
    named = save(replace(run, plan=replace(run.plan, name="archive")))
    assert record(capsys, named)["use"] == "archive"
    assert record(capsys, named, "--for", "training")["use"] == "training"
    assert record(capsys, named, "--weight", "read=1")["use"] is None
