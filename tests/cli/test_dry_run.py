"""What ``run --dry-run`` says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.bench.plan.plans import load_plan, named_plan
from imgstore_tui.jobs.plans import save_plan
from tests.support.program import program


def test_trials_disk_and_time_are_said_the_source_row_included(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "photos" / "a.png")
    output = program("run", "-d", "folder:photos", "-n", "10", "--dry-run").stdout
    # Three methods with three operations, and two reads of the files as they are.
    assert "11 cells x up to 12 rounds = up to 132 trials, about" in output
    assert "of disk, very roughly" in output
    assert "rough guess" in output
    assert list(tmp_path.iterdir()) == [tmp_path / "photos"]


def test_what_it_would_take_is_told_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = json.loads(program("run", "-n", "10,20", "-d", "synthetic,size=8", "--dry-run", "--json").stdout)
    assert output["plan"]["cutoffs"] == [10, 20]
    assert output["datasets"][0]["text"] == "synthetic,size=8"
    assert len(output["cells"]) == 18
    assert output["trials"] == 18 * output["plan"]["rounds"]
    assert output["scratch"] == str(tmp_path)
    assert output["seconds"] > 0


def test_a_saved_plan_is_known_by_its_name() -> None:
    save_plan(named_plan("quick"), "holidays")
    assert 'name = "holidays"' in program("run", "--plan", "holidays", "--dry-run").stdout
    refused = program("run", "--plan", "holidayz", "--dry-run")
    assert refused.returncode == 2
    assert "Did you mean 'holidays'" in refused.stderr


def test_what_the_run_would_refuse_is_refused_and_repeated_images_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (900, 900)).save(tmp_path / "photos" / "a.png")
    words = ("run", "-d", "folder:photos", "-b", "lmdb", "-n", "5k", "--budget", "10s")
    done = program(*words, "--dry-run")
    assert done.returncode == 2
    assert "1 image: larger cutoffs repeat them, up to 5,000" in done.stdout
    assert "and the time budget is 0:10" in done.stderr
    assert program(*words).stderr.splitlines()[-1] == done.stderr.splitlines()[-1]


def test_the_plan_that_is_printed_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["run", "-b", *(f"hdf5:chunks={number}" for number in range(1, 30)), "-n", "1..100000", "--budget", "9h"]
    output = program(*words, "--dry-run").stdout
    (tmp_path / "plan.toml").write_text(output.partition("As a plan file:\n")[2])
    plan = load_plan(tmp_path / "plan.toml")
    assert len(plan.specs) == 29
    assert plan.budget_s == 9 * 3600


def test_a_path_that_no_plan_file_can_spell_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "\udcff"
    folder.mkdir()
    Image.new("RGB", (20, 20)).save(folder / "a.png")
    done = program("run", "-d", f"folder:{folder}", "-n", "1", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "No plan file can spell it" in done.stdout


def test_files_that_cannot_take_part_are_counted_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "photos" / "a.png")
    for number in range(7):
        (tmp_path / "photos" / f"bad{number}.png").write_text("no picture")
    words = ("run", "-d", "folder:photos", "-n", "10", "--dry-run")
    lines = [line.strip() for line in program(*words).stdout.splitlines()]
    assert "7 files left out:" in lines
    assert [line for line in lines if line.startswith("bad")] == [
        line for line in lines if "no picture of a kind" in line
    ]
    assert "bad0.png: It is no picture of a kind" in "\n".join(lines)
    assert "and 2 files more" in lines
    (data,) = json.loads(program(*words, "--json").stdout)["datasets"]
    assert data["excluded_count"] == len(data["excluded"]) == 7
