"""What the instrument asks of a backend in each operation, seen from the backend, and what it does not let pass."""

from __future__ import annotations

import itertools
import json
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.model import Measurement, Plan
from imgstore_tui.core.operations import Operation, Status, SyncLevel
from imgstore_tui.plugins.registry import resolve_spec
from tests.outside.recorded import NOTES
from tests.support.entry_points import offer

IMAGES, BATCH, SHUFFLED = 150, 100, 64
READS = (Operation.READ_ONE, Operation.GET_ONE, Operation.READ_MANY, Operation.READ_RANDOM)

Call = dict[str, Any]


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Offers the backend that notes its calls; returns the file of its notes."""
    offer(tmp_path / "outside", {"imgstore_tui.backends": {"recorded": "tests.outside.recorded:Recorded"}}, monkeypatch)
    path = tmp_path / "notes.jsonl"
    monkeypatch.setenv(NOTES, str(path))
    return path


def measured(*operations: Operation, fault: str = "none", **changes: Any) -> list[Measurement]:
    """Measure one round of operations with real children."""
    plan = Plan(
        specs=(resolve_spec(f"recorded:fault={fault}"),), datasets=("synthetic,size=8",), operations=operations,
        **{"cutoffs": (IMAGES,), "rounds": 1, "batch": BATCH, "budget_s": None, **changes},
    )  # fmt: skip
    return list(run_plan(plan).measurements)


def calls_by_process(notes: Path) -> list[list[Call]]:
    """Return the calls of each process that used the library on a dummy store first, as those do that time."""
    calls: dict[int, list[Call]] = {}
    for line in notes.read_text().splitlines():
        call = json.loads(line)
        calls.setdefault(call["pid"], []).append(call)
    return [some for some in calls.values() if some[0]["store"].startswith("dummy")]


def reads_of(calls: list[Call]) -> list[list[int]]:
    return [call["ids"] for call in calls if call["call"] == "read" and not call["store"].startswith("dummy")]


def test_each_operation_reads_what_it_says_after_its_library_was_used(notes: Path) -> None:
    trials = {trial.operation: trial for trial in measured(*READS)}
    assert {trial.status for trial in trials.values()} == {Status.OK}
    one, get, many, shuffled = (reads_of(calls) for calls in calls_by_process(notes))
    # One pass is compared in full, one is timed.
    assert many == 2 * [list(range(100)), list(range(100, 150))]
    assert shuffled[:3] == shuffled[3:]
    assert [len(ids) for ids in shuffled[:3]] == [SHUFFLED, SHUFFLED, IMAGES - 2 * SHUFFLED]
    order = [*itertools.chain(*shuffled[:3])]
    assert sorted(order) == list(range(IMAGES)) != order
    for reads in (one, get):
        assert all(len(ids) == 1 for ids in reads)
        assert len(set(map(tuple, reads))) > 10, "each time another image"
    assert len(trials[Operation.READ_ONE].samples) >= 3
    for trial in trials.values():
        assert trial.seconds == statistics.median_low(trial.samples)


def test_garbage_is_not_collected_while_the_clock_runs(notes: Path) -> None:
    measured(Operation.READ_MANY)
    (calls,) = calls_by_process(notes)
    assert not any(call["collects"] for call in calls if call["call"] == "read" and len(call["ids"]) > 1)
    assert any(call["collects"] for call in calls), "before it"


def test_two_processes_share_the_batches(notes: Path) -> None:
    (trial,) = measured(Operation.READ_MANY, workers=2)
    assert trial.status is Status.OK
    counts = [Counter(itertools.chain(*reads_of(calls))) for calls in calls_by_process(notes)]
    counts = [count for count in counts if count]
    # Two read for the check, two on the clock; of either two one reads the first batch, the other the second.
    assert sorted(map(len, counts)) == [50, 50, 100, 100]
    assert set(sum(counts, Counter()).values()) == {2}
    assert trial.cpu_user_s is not None
    assert trial.cpu_user_s + (trial.cpu_system_s or 0.0) > 0


def test_what_is_forced_is_on_the_clock(notes: Path) -> None:
    buffered, forced = measured(Operation.WRITE_MANY, sync=(SyncLevel.BUFFERED, SyncLevel.END))
    assert (buffered.sync_s, buffered.sync_count) == (None, None)
    assert forced.sync_count is not None
    assert forced.sync_count > IMAGES
    assert forced.sync_s is not None
    assert forced.seconds is not None
    # Each call opens a file, forces and closes it, which takes a microsecond at the very least.
    assert forced.sync_count * 1e-6 < forced.sync_s < forced.seconds


@pytest.mark.sample_first(2)
@pytest.mark.parametrize(
    ("fault", "operation", "words"),
    [
        ("wrong-third", Operation.WRITE_ONE, "came back with other pixels"),
        ("no-overwrite", Operation.OVERWRITE, "came back with"),
        ("no-delete", Operation.DELETE, "labels, not"),
        ("late", Operation.APPEND, "was still being written after it was closed"),
    ],
)
def test_what_is_not_done_or_not_done_in_time_has_no_time(
    notes: Path, fault: str, operation: Operation, words: str
) -> None:
    (trial,) = measured(operation, fault=fault)
    assert trial.status is Status.FAILED
    assert words in str(trial.reason)


def test_a_reading_process_that_dies_is_a_failed_row(notes: Path) -> None:
    trials = measured(Operation.READ_MANY, fault="worker-dies", workers=2)
    assert [(trial.status, trial.reason) for trial in trials] == [(Status.FAILED, "A reading process died.")]
