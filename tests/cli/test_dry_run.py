"""What ``run --dry-run`` says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.bench.plan import named_plan
from imgstore_tui.jobs.plans import save_plan
from tests.cli.program import program


def test_trials_disk_and_time_are_said_the_source_row_included(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 20)).save(tmp_path / "photos" / "a.png")
    told = program("run", "-d", "folder:photos", "-n", "10", "--dry-run").stdout
    # Three methods with five operations, and three reads of the files as they are.
    assert "18 cells x 6 rounds = 108 trials, about" in told
    assert "of disk, very roughly" in told
    assert "rough guess" in told
    assert list(tmp_path.iterdir()) == [tmp_path / "photos"]


def test_a_saved_plan_is_known_by_its_name() -> None:
    save_plan(named_plan("quick"), "holidays")
    assert 'name = "holidays"' in program("run", "--plan", "holidays", "--dry-run").stdout
    refused = program("run", "--plan", "holidayz", "--dry-run")
    assert refused.returncode == 2
    assert "Did you mean 'holidays'" in refused.stderr
