"""What is said of saved runs: going on, resumed, compared with the wrong one, exported over a file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.bench.results.lock import RunLock
from imgstore_tui.cli import compare
from imgstore_tui.cli.load_run import read_run
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.events import RunStarted
from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.present.text.log_line import log_line
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.program import program, sentence


def saved(run: Run) -> Path:
    journal = Journal.begin(run)
    for measurement in run.measurements:
        journal.add(measurement)
    journal.close()
    return journal.path


def test_a_run_that_is_measured_now_is_not_said_to_have_broken_off() -> None:
    run = fake_run(["disk"], [1])
    saved(run)
    assert read_run(run.id).status == "interrupted"
    with RunLock() as lock:
        lock.set_holder(f"run {run.id}")
        assert read_run(run.id).status == "running"
        assert "still running" in program("show", run.id, "--no-charts").stdout
        assert sentence(program("delete", run.id)) == f"Run {run.id} is going on. Wait for it or stop it."
    assert "interrupted" in program("runs").stdout


@pytest.mark.full
def test_an_export_takes_its_format_from_the_ending_and_names_force(tmp_path: Path) -> None:
    run, csv = fake_run(["disk"], [1]), tmp_path / "run.csv"
    saved(run)
    assert program("export", run.id, "-o", str(csv)).returncode == 0
    assert csv.read_text().startswith("run")
    assert "replace it with --force" in sentence(program("export", run.id, "-o", str(csv)))
    assert program("export", run.id, "-o", str(csv), "--force").returncode == 0
    assert "Name a format with -f" in sentence(program("export", run.id, "-o", str(tmp_path / "run")))


def test_runs_that_cannot_be_compared_say_why() -> None:
    one, other = fake_run(["disk"], [1]), replace(fake_run(["disk"], [1], dataset="synthetic,size=8"), id="other")
    for run in (one, other):
        saved(run)
    assert "compared with itself" in sentence(program("compare", one.id, one.id))
    assert "The data differ: synthetic, then synthetic,size=8." in sentence(program("compare", one.id, "other"))


def test_several_base_runs_judge_one_run_and_the_status_says_whether_it_got_slower(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bases = [replace(fake_run(cutoffs=[100], seed=seed), id=f"base-{seed}") for seed in range(3)]
    same = replace(fake_run(cutoffs=[100], seed=7), id="same")
    slow = replace(
        same, id="slow", measurements=tuple(replace(t, seconds=2 * (t.seconds or 0.0)) for t in same.measurements)
    )
    monkeypatch.chdir(tmp_path)
    for run in (*bases, same, slow):
        Path(f"{run.id}.json").write_bytes(exports.get("json").export(run))
    names = [f"{run.id}.json" for run in bases]
    assert compare.main(["same.json", "--base", *names]) == 0
    assert "Spread between the 3 base runs" in " ".join(capsys.readouterr().out.split())
    assert compare.main(["slow.json", "--base", *names, "--json"]) == 4
    (record,) = json.loads(capsys.readouterr().out)
    assert (record["bases"], record["whole_result"], record["worse"]) == ([run.id for run in bases], "slower", True)
    assert compare.main(["slow.json", "--base", *names, "--margin", "150%"]) == 0
    for words, message in (
        (["same.json", "--base", *names, names[0]], "is named twice"),
        (["same.json", "--base", names[0], "same.json"], "compared with itself"),
        (["same.json", names[0], "--margin", "five"], "is not a margin"),
        (["same.json", names[0], "--margin", "5000%"], "is not a margin"),
        (["same.json"], "--base"),
    ):
        with pytest.raises(UsageError, match=message):
            compare.main(words)


@pytest.mark.parametrize(
    ("measured_of_six", "words"), [(0, "start run x: 6 trials"), (4, "resume run x: 2 trials left of")]
)
def test_who_resumes_is_told_what_is_left(measured_of_six: int, words: str) -> None:
    run = fake_run(["disk"], [1])
    cell = run.measurements[0].cell
    own = tuple(trial for trial in run.measurements if trial.cell == cell)[:measured_of_six]
    line = log_line(RunStarted(replace(run, id="x", measurements=own), (cell,), 1.0, "x.jsonl"))
    assert line is not None
    assert line.plain.startswith(words)


def test_runs_a_run_and_the_machine_are_listed_as_json() -> None:
    run = fake_run(["disk"], [1])
    saved(run)
    (listed,) = json.loads(program("runs", "--json").stdout)
    assert (listed["id"], listed["specs"], listed["measured"]) == (run.id, ["disk"], len(run.measurements))
    assert json.loads(program("show", run.id, "--json").stdout)["id"] == run.id
    checks = json.loads(program("doctor", "--json").stdout)
    assert {"part", "name", "good", "meaning", "fix"} == set(checks[0])
    assert any(check["name"] == "backend disk" for check in checks)
