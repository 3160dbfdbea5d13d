"""Runs from Python: results as rows, in the words of the command line, saved as its runs are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import imgstore_tui
from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.journal import find_run
from imgstore_tui.core.errors import UsageError
from imgstore_tui.present.help import load_topic
from tests.support.printed_commands import code_blocks
from tests.support.program import program

SMALL = {"images": [2, 3], "operations": ["write-many", "read-many"], "rounds": 2, "data": "synthetic,size=8"}


@pytest.fixture(name="here", autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_gives_rows_and_is_saved_as_any_other(here: Path) -> None:
    results = imgstore_tui.run(["disk", "lmdb"], **SMALL)
    rows = results.rows()
    assert {(row["spec"], row["operation"], row["cutoff"]) for row in rows} == {
        (spec, operation, cutoff)
        for spec in ("disk", "lmdb")
        for operation in ("write-many", "read-many")
        for cutoff in (2, 3)
    }
    assert all(row["median_s"] > 0 and row["verified"] for row in rows)
    assert len(results.trials()) == 2 * len(rows)
    assert {trial["status"] for trial in results.trials()} == {"ok"}
    assert results.answer.startswith("No answer: it takes 6 rounds")
    assert any("leads" in sentence for sentence in results.standings)
    assert len(results.verdicts) > 0
    assert "## Standings" in results._repr_markdown_()
    assert repr(results).startswith(f"<Results of run {results.id}: finished, 16 trials>")
    assert find_run("last").stem == results.id
    again = imgstore_tui.load()
    assert again.rows() == rows
    path = results.export("run.json")
    assert imgstore_tui.load(path).rows() == rows
    assert json.loads(program("show", results.id, "--json").stdout)["summary"] == rows
    with pytest.raises(UsageError, match="Name a format"):
        results.export(here / "run.unknown")


def test_rows_are_a_table_of_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed (pip install pandas)")
    results = imgstore_tui.run("disk", **{**SMALL, "rounds": 1})
    table = pandas.DataFrame(results.rows())
    assert set(table["spec"]) == {"disk"}
    assert (table["median_s"] > 0).all()


def test_the_budget_is_that_of_the_plan_or_the_one_that_is_named() -> None:
    plan = replace(named_plan("quick"), budget_s=90.0)
    words = {**SMALL, "images": 1, "operations": "write-many", "rounds": 1, "plan": plan}
    for choice, budget_s in (({}, 90.0), ({"budget": "60s"}, 60.0), ({"budget": 30.5}, 30.5), ({"budget": None}, None)):
        assert imgstore_tui.run("disk", **words, **choice).run.plan.budget_s == budget_s


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"methods": "lmbd"}, "Did you mean 'lmdb'"),
        ({"operations": "read-few"}, "read-few"),
        ({"cache": "warm"}, "warm"),
        ({"payload": "rare"}, "rare"),
        ({"plan": "quikc"}, "quikc"),
        ({"images": "ten"}, "ten"),
        ({"data": "cifar10"}, "imgstore-tui datasets fetch cifar10"),
        ({"budget": "soon"}, "soon"),
    ],
)
def test_a_wrong_word_is_refused_in_a_sentence(words: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        imgstore_tui.run(**words)


def test_the_notebook_of_the_manual_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = code_blocks(load_topic("notebook").markdown, "python")
    exec(compile(block, "notebook.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("No answer: it takes 6 rounds")
    for words in ("disk write-many 10", "disk write-many 50", "lmdb read-random 50"):
        assert words in printed
