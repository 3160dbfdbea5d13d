"""What the whole set costs in an object store, from made-up sizes and requests."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.analysis.advice.set_costs import SetCost, set_costs
from imgstore_tui.analysis.prices import PriceSheet
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run

SHEET = PriceSheet("ours", "nowhere", "2020-01-02", "EUR", 5.0, 0.4, 0.02)
OPERATIONS = (Operation.WRITE_MANY, Operation.READ_RANDOM)


def costs_of(run: Run, images: int, epochs: int) -> dict[str, SetCost]:
    results = build_results(run)
    return {cost.spec: cost for cost in set_costs(run, results.summaries, "synthetic", images, epochs, SHEET)}


def stored(run: Run, size: int) -> int:
    """Return the apparent bytes of the largest store of disk in a run."""
    del size
    trials = [trial for trial in run.measurements if trial.spec == "disk" and trial.apparent_bytes]
    return max(trial.apparent_bytes or 0 for trial in trials)


def test_a_local_store_of_files_is_an_object_a_file() -> None:
    run = fake_run(("disk", "lmdb"), (10, 1000), 6, operations=OPERATIONS)
    cost = costs_of(run, 1_000_000, 10)["disk"]
    files = max(trial.files or 0 for trial in run.measurements if trial.spec == "disk")
    assert cost.month == pytest.approx(stored(run, 1000) * 1000 / 1e9 * 0.02)
    assert cost.write == pytest.approx(files * 1000 * 5.0 / 1000)
    assert cost.read == pytest.approx(10 * files * 1000 * 0.4 / 1000)
    assert not cost.is_measured


def test_a_store_of_one_file_stays_one_object() -> None:
    cost = costs_of(fake_run(("disk", "lmdb"), (10, 1000), 6, operations=OPERATIONS), 1_000_000, 10)["lmdb"]
    assert (cost.write_requests, cost.read_requests) == (1, 10)


def test_requests_that_were_counted_are_taken_in_proportion() -> None:
    run = fake_run(("disk", "lmdb"), (10, 1000), 6, operations=OPERATIONS)
    trials = [
        replace(trial, requests=trial.cutoff // (10 if trial.operation is Operation.WRITE_MANY else 5))
        if trial.spec == "lmdb"
        else trial
        for trial in run.measurements
    ]
    cost = costs_of(replace(run, measurements=tuple(trials)), 50_000, 3)["lmdb"]
    assert cost.is_measured
    assert cost.write_requests == pytest.approx(5000)
    assert cost.read_requests == pytest.approx(3 * 10_000)
