"""Tests the verdicts of the benchmark that compares the instrument with a bare script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.agreement import CASES, verdict_of
from tests.benchmarks.bare_script import READING, WRITING
from tests.benchmarks.scripts import ROOT


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.98, 1.02, "agrees"),
        (0.97, 1.03, "agrees"),
        (0.96, 1.02, "undecided"),
        (0.99, 1.04, "undecided"),
        (0.5, 2.0, "undecided"),
        (1.04, 1.2, "differs"),
        (0.8, 0.96, "differs"),
    ],
)
def test_an_interval_agrees_only_as_a_whole(low: float, high: float, verdict: str) -> None:
    assert verdict_of(low, high) == verdict


CODE = (
    "import sys, tests.benchmarks.bare_script as script; script.main(); "
    "print(sorted(name for name in sys.modules if name.partition('.')[0] == 'imgstore_tui'))"
)


@pytest.mark.sample_first(3)
@pytest.mark.parametrize("method", ["disk", "lmdb", "hdf5"])
@pytest.mark.parametrize("operation", ["write-many", "read-many", "read-random"])
def test_the_bare_script_shares_no_code_with_the_package(method: str, operation: str, tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", np.random.default_rng(1).integers(0, 256, (300, 4, 5, 3), np.uint8))
    np.save(tmp_path / "labels.npy", np.arange(300) - 5)
    case = {"method": method, "operation": operation, "count": 300, "seed": "s", "source": str(tmp_path),
            "store": str(tmp_path / "store")}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(case)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    seconds, loaded = done.stdout.splitlines()
    assert json.loads(seconds)[0] > 0
    assert loaded == "[]"


def test_the_bare_script_knows_every_method_of_the_benchmark() -> None:
    assert {method for method, *_ in CASES} == set(WRITING) == set(READING)
