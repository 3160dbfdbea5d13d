"""An outcome becomes a row: what was measured, why it failed, and what affects its numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from imgstore_tui.bench.protocol.messages import TrialOutcome, TrialResult
from imgstore_tui.bench.run.measurement import measurement_of
from imgstore_tui.core.model import Cell, Measurement
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_runs import fake_run

SPEC = resolve_spec("disk+jpeg:codec.quality=90")
CELL = Cell("synthetic", SPEC.label, Operation.READ_MANY, 100, CacheState.HOT, None)
FACTS = replace(fake_run().datasets[0], used=1000)


def measured(outcome: TrialOutcome, cell: Cell = CELL) -> Measurement:
    return measurement_of(cell, SPEC, 3, outcome, facts=FACTS, batch=256)


def test_every_field_of_a_result_reaches_the_row() -> None:
    names = {field.name for field in dataclasses.fields(TrialResult)} - {
        "private_before", "private_after", "probe_images", "probe_values", "images",
    }  # fmt: skip
    values: dict[str, Any] = {name: float(number) for number, name in enumerate(sorted(names), 1)}
    values |= {"samples": (0.5, 1.5), "verified": True, "cache_proof": "proof", "server": "a server"}
    row = measured(TrialOutcome(True, result=TrialResult(**values)))
    assert {name: getattr(row, name) for name in names} == values


def test_the_row_names_what_was_measured() -> None:
    row = measured(TrialOutcome(True, start="fresh"))
    assert row.cell == CELL
    assert (row.backend, row.codec, row.round, row.start, row.batch) == ("disk", "jpeg", 3, "fresh", 256)
    assert row.options["codec.quality"] == 90


@pytest.mark.parametrize(("skipped", "status"), [(False, Status.FAILED), (True, Status.SKIPPED)])
def test_without_success_there_is_no_time(skipped: bool, status: Status) -> None:
    result = TrialResult(seconds=1.0, samples=(1.0,), verified=False, files=3)
    row = measured(TrialOutcome(False, "It is wrong.", result, skipped=skipped))
    assert (row.status, row.reason, row.seconds, row.samples) == (status, "It is wrong.", None, ())
    assert (row.verified, row.files) == (False, 3)


@pytest.mark.parametrize(
    ("cell", "result", "warning"),
    [
        (CELL, TrialResult(seconds=1.0, resident_before=0.5), "hot, yet only 50% of the store was in memory"),
        (CELL, TrialResult(seconds=1.0, foreign_cpu=0.6), "noisy: other programs used 0.6 cores"),
        (replace(CELL, cutoff=2000), TrialResult(seconds=1.0), "1,000 images repeated to 2,000"),
        (replace(CELL, workers=2), TrialResult(), "phases are the workers' seconds added up: they overlap"),
        (
            replace(CELL, cache=CacheState.COLD),
            TrialResult(seconds=1.0, io_read_bytes=0),
            "cold, yet the kernel fetched nothing: it lay with the metadata, or in a cache below",
        ),
    ],
)
def test_what_affects_a_number_is_warned_of(cell: Cell, result: TrialResult, warning: str) -> None:
    assert measured(TrialOutcome(True, result=result), cell).warnings == (warning,)


@pytest.mark.parametrize(
    ("cell", "result"),
    [
        (CELL, TrialResult(seconds=1.0, resident_before=1.0, foreign_cpu=0.1)),
        (replace(CELL, workers=2, operation=Operation.READ_ONE), TrialResult()),
        (replace(CELL, cache=CacheState.COLD), TrialResult(seconds=1.0, io_read_bytes=4096, resident_before=0.0)),
        (replace(CELL, cache=CacheState.COLD), TrialResult(seconds=1.0)),
    ],
)
def test_an_ordinary_row_has_no_warning(cell: Cell, result: TrialResult) -> None:
    assert measured(TrialOutcome(True, result=result), cell).warnings == ()
