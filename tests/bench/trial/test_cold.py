"""Cold is proven or not claimed."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.protocol.messages import TrialOutcome, TrialRequest
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.page_cache import evict, resident_share
from imgstore_tui.core.events import Event, TrialStarted
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_executor import FakeExecutor, fake_outcome

PLAN = Plan(
    specs=tuple(resolve_spec(spec) for spec in ("disk", "lmdb", "hdf5")),
    datasets=("synthetic,size=16",),
    cutoffs=(50,),
    operations=(Operation.READ_ONE, Operation.READ_MANY, Operation.READ_LABELS),
    cache=(CacheState.HOT, CacheState.COLD),
    rounds=1,
)


def filesystem_of(path: Path) -> str:
    done = subprocess.run(["stat", "-f", "-c", "%T", str(path)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_eviction_agrees_with_fincore(tmp_path: Path) -> None:
    if filesystem_of(tmp_path) == "tmpfs":
        pytest.skip("the temporary folder is in memory: set TMPDIR to a disk")
    path = tmp_path / "file"
    path.write_bytes(os.urandom(1 << 20))
    evict([path])
    assert resident_share([path]) == 0.0
    if shutil.which("fincore") is None:
        pytest.skip("fincore is not installed (apt-get install util-linux-extra)")
    done = subprocess.run(["fincore", "-nb", "-o", "PAGES", str(path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0


def test_cold_reads_start_with_nothing_in_memory_and_fetch_it_all() -> None:
    if filesystem_of(Path.cwd()) == "tmpfs":
        pytest.skip("the temporary folder is in memory: set TMPDIR to a disk")
    run = run_plan(PLAN)
    assert {m.status for m in run.measurements} == {Status.OK}, [m.reason for m in run.measurements]
    for m in run.measurements:
        assert m.verified
        assert m.cache_proof is not None
        assert not any("hot" in warning for warning in m.warnings)
        assert m.io_read_bytes is not None
        if m.cache is CacheState.HOT:
            assert m.resident_before == 1.0
            assert m.io_read_bytes == 0
        else:
            assert m.resident_before == 0.0
            assert m.cache_proof.startswith("data cold, metadata warm: 0.0% of the store's pages")
            if m.operation is Operation.READ_MANY:
                assert m.io_read_bytes >= 50 * 16 * 16 * 3 * 0.5


def test_hot_reads_come_before_cold_ones() -> None:
    events: list[Event] = []
    run_plan(replace(PLAN, specs=PLAN.specs[1:2]), listen=events.append)
    states = [event.cell.cache for event in events if isinstance(event, TrialStarted) and event.step == "trial"]
    assert states == [CacheState.HOT] * 3 + [CacheState.COLD] * 3


def test_on_a_file_system_in_memory_nothing_is_called_cold(tmp_path: Path) -> None:
    shared_memory = Path("/dev/shm")
    if not shared_memory.is_dir() or filesystem_of(shared_memory) != "tmpfs":
        pytest.skip("/dev/shm is no tmpfs here")
    scratch = shared_memory / f"imgstore-test-{os.getpid()}"
    scratch.mkdir()
    try:
        run = run_plan(replace(PLAN, scratch=str(scratch)), cancel=threading.Event())
    finally:
        shutil.rmtree(scratch)
    for m in run.measurements:
        if m.cache is CacheState.COLD:
            assert (m.status, m.seconds) == (Status.SKIPPED, None)
            assert "stayed in memory on tmpfs" in str(m.reason)
        else:
            assert m.status is Status.OK


def test_get_one_is_never_cold() -> None:
    run = run_plan(replace(PLAN, operations=(Operation.GET_ONE,), cache=(CacheState.COLD,), specs=PLAN.specs[1:2]))
    assert [m.status for m in run.measurements] == [Status.SKIPPED]
    assert "cannot be proven cold" in str(run.measurements[0].reason)


@pytest.mark.parametrize("fetched", [0, 4096])
def test_a_cold_read_that_fetched_nothing_says_so(fetched: int) -> None:
    def answer(request: TrialRequest) -> TrialOutcome:
        outcome = fake_outcome(request)
        return replace(outcome, result=replace(outcome.result, io_read_bytes=fetched))

    run = run_plan(replace(PLAN, operations=(Operation.READ_MANY,)), executor=FakeExecutor(answer))
    for m in run.measurements:
        warned = any("the kernel fetched nothing" in warning for warning in m.warnings)
        assert warned == (m.cache is CacheState.COLD and not fetched)
