"""A backend of one file that this package does not know: it appears everywhere and proves itself like ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.entry_points import ROOT, offer
from tests.support.program import program


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, {"imgstore_tui.backends": {"ledger": "tests.outside.ledger:Ledger"}}, monkeypatch)


@pytest.mark.full
def test_it_passes_the_conformance_suite_without_a_line_of_its_own(tmp_path: Path) -> None:
    suite = Path(__file__).with_name("ledger_suite.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", "--full", str(suite)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.full
def test_it_is_listed() -> None:
    assert "ledger" in program("backends").stdout
    assert json.loads(program("backends", "ledger", "--json").stdout)["family"] == "record"
    assert "backend ledger" in program("doctor").stdout


def test_it_is_part_of_the_full_plan() -> None:
    assert "ledger" in program("run", "--plan", "full", "--dry-run").stdout


def test_it_is_measured_shown_and_exported() -> None:
    done = program("run", "-b", "ledger", "lmdb", "-n", "1,20", "--rounds", "1", "-d", "synthetic,size=8", "--json")
    assert done.returncode == 0, done.stderr
    trials = [trial for trial in json.loads(done.stdout)["measurements"] if trial["backend"] == "ledger"]
    assert trials
    assert all(trial["status"] == "ok" and trial["verified"] for trial in trials)
    shown = program("show", "last").stdout
    assert shown.count("ledger") > 5
    for format_name in ("csv", "md", "json", "tsv"):
        assert "ledger" in program("export", "last", "-f", format_name).stdout
