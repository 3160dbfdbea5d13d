"""Several clients of one store: real processes of a Dask cluster on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.client_round import ClientWork
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.plugins.registry import resolve_spec
from tests.support.processes import descendants, have_ended

pytest.importorskip("distributed", reason="distributed is not installed (extra cluster)")

PLAN = Plan(
    datasets=("synthetic,size=8",),
    specs=(resolve_spec("lmdb"),),
    cutoffs=(300,),
    operations=(Operation.READ_RANDOM,),
    rounds=1,
    budget_s=None,
    clients=(1, 2),
    client_window_s=0.2,
)


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path) -> Iterator[None]:
    """Neither a process nor a file of the clients is left by any test."""
    before = set(descendants(os.getpid()))
    yield
    assert have_ended(set(descendants(os.getpid())) - before)
    assert [str(path) for path in tmp_path.rglob("imgstore-tui-*")] == []


def test_clients_read_one_store_after_a_common_start(tmp_path: Path) -> None:
    run = run_plan(replace(PLAN, scratch=str(tmp_path)))
    assert [trial.status for trial in run.measurements] == [Status.OK], "the ordinary trial is measured as well"
    rounds = {(entry.work, entry.clients): entry for entry in run.client_rounds}
    assert set(rounds) == {(work, clients) for work in ClientWork for clients in (1, 2)}
    assert len(rounds) == len(run.client_rounds)
    for (_, clients), entry in rounds.items():
        assert (entry.status, entry.reason, len(entry.results)) == (Status.OK, None, clients)
        assert entry.verified
        assert entry.images_per_s
        assert entry.images_per_s > 0
        assert entry.fairness is not None
        assert entry.start_spread_s is not None
        for result in entry.results:
            assert result.seconds is not None
            assert result.seconds >= PLAN.client_window_s
            assert result.pixel_bytes == result.images * 8 * 8 * 3
            assert result.images >= 64
            assert set(result.latency_s) <= {"p50", "p95", "p99"}
            assert result.clock_offset_s is None, "one machine has one clock"
    assert read_journal(saved_runs()[-1]).client_rounds == run.client_rounds
