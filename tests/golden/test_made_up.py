"""Runs that nothing timed give the same journal, verdicts, tables, charts and exports on every machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import parse_plan
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import SYNC_LEVELS, CacheState, Operation
from imgstore_tui.present import exports
from imgstore_tui.testing.fake_executor import FakeExecutor
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run
from tests.golden.texts import check, printed, transcript

PLAN = """
specs = ["disk", "lmdb+png"]
datasets = ["synthetic,size=8", "synthetic,size=16,upto=1"]
cutoffs = [1, 10]
operations = ["write-one", "write-many", "read-one", "read-many", "append"]
cache = ["hot", "cold"]
sync = ["buffered", "end"]
rounds = 2
seed = 7
budget_s = "none"
"""
OF_THE_MACHINE = frozenset(
    {"id", "environment", "scratch", "started_at", "finished_at", "elapsed_s", "dirty_before", "at"}
)
"""Fields that depend on where and when a run is made."""

MADE_UP = {
    "six-rounds": lambda: fake_run(cutoffs=(1, 100), failures={"hdf5/read-many/100": "The disk is full."}),
    "conditions": lambda: fake_run(
        ("lmdb", "hdf5"), (10,), operations=tuple(Operation), cache=tuple(CacheState), sync=SYNC_LEVELS, rounds=6
    ),
    "three-rounds": lambda: fake_run(("lmdb", "disk"), (10,), 3, status="interrupted"),
    "article": lambda: fake_article_run((1, 100)),
}
EXPORTED = {"six-rounds": ("json", "md", "html", "tex"), "article": ("md",)}


def save(run: Run, name: str) -> str:
    Path(name).write_bytes(exports.get("json").export(run))
    return name


def portable(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: "..." if key in OF_THE_MACHINE and part is not None else portable(part) for key, part in value.items()
        }
    if isinstance(value, list):
        return [portable(part) for part in value]
    return value


def test_a_seeded_plan_gives_this_journal(own_home: Path) -> None:
    run_plan(parse_plan(PLAN), executor=FakeExecutor())
    (journal,) = (own_home / "runs").glob("*.jsonl")
    lines = [json.dumps(portable(json.loads(line))) for line in journal.read_text().splitlines()]
    check("journal.jsonl", "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", MADE_UP)
def test_show(name: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    save(MADE_UP[name](), f"{name}.json")
    check(f"made-up/{name}.txt", transcript(capsysbinary, monkeypatch, "show", f"{name}.json", "all"))


@pytest.mark.parametrize("columns", ["60", "160"])
def test_show_at_other_widths(
    columns: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(fake_run(cutoffs=(1, 100)), "run.json")
    monkeypatch.setenv("COLUMNS", columns)
    check(f"made-up/width-{columns}.txt", transcript(capsysbinary, monkeypatch, "show", "run.json", "--all"))


@pytest.mark.parametrize("kind", ["write-many", "read-many", "both", "disk"])
def test_a_chart(kind: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    save(fake_run(cutoffs=(1, 100)), "run.json")
    check(f"made-up/chart-{kind}.txt", transcript(capsysbinary, monkeypatch, "show", "run.json", "--chart", kind))


@pytest.mark.parametrize(("name", "format_name"), [(name, kind) for name, kinds in EXPORTED.items() for kind in kinds])
def test_export(
    name: str, format_name: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    save(MADE_UP[name](), "run.json")
    out, err, code = printed(capsysbinary, monkeypatch, "export", "run.json", "-f", format_name)
    assert (err, code) == ("", 0)
    check(f"made-up/{name}.{format_name}", out)


def slower(run: Run, backend: str, factor: float) -> Run:
    """Return a run in which one backend took longer."""
    trials = [
        replace(trial, seconds=trial.seconds * factor, samples=tuple(sample * factor for sample in trial.samples))
        if trial.backend == backend and trial.seconds is not None
        else trial
        for trial in run.measurements
    ]
    return replace(run, id="20260102-040404-fake", measurements=tuple(trials))


def test_compare(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    save(fake_run(cutoffs=(1, 100)), "before.json")
    save(slower(fake_run(cutoffs=(1, 100), seed=4), "lmdb", 1.5), "after.json")
    check("made-up/compare.txt", transcript(capsysbinary, monkeypatch, "compare", "before.json", "after.json"))
    check("made-up/compare-same.txt", transcript(capsysbinary, monkeypatch, "compare", "before.json", "before.json"))
