"""Clients on a cluster that runs already, over TLS: a scheduler and workers that are started as a user does by hand."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import saved_runs
from imgstore_tui.bench.run import clients
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.plugins.registry import resolve_spec
from tests.support.clusters import BLIND, DaskNodes, changed_python, dask_nodes
from tests.support.processes import descendants, have_ended

pytest.importorskip("distributed", reason="distributed is not installed (extra cluster)")

AHEAD = "import time\n_time = time.time\ntime.time = lambda: _time() + {seconds}\n"
OTHER_VERSION = "import imgstore_tui\nimgstore_tui.__version__ = '0.0.9'\n"


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine clients may be late in any test; only one of them is about that."""
    if "late" not in request.node.name:
        monkeypatch.setattr(clients, "LATE_S", 60.0)


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaskNodes]:
    """A scheduler with one worker; this process has the certificates as well."""
    with dask_nodes(tmp_path / "nodes", 1) as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        yield started


def plan_on(nodes: DaskNodes, scratch: Path, **changes: object) -> Plan:
    plan = Plan(
        datasets=("synthetic,size=8",),
        specs=(resolve_spec("lmdb"),),
        cutoffs=(300,),
        operations=(Operation.GET_ONE,),
        rounds=1,
        budget_s=None,
        clients=(2,),
        client_window_s=0.5,
        cluster=nodes.address,
        scratch=str(scratch),
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.3, pytest.param(60.0, marks=pytest.mark.full)])
def test_a_clock_that_is_ahead_is_noticed_and_spoils_no_figure(
    nodes: DaskNodes, tmp_path: Path, seconds: float
) -> None:
    nodes.start_worker(changed_python(tmp_path / "ahead", AHEAD.format(seconds=seconds)))
    nodes.wait_for_workers()
    (entry,) = run_plan(plan_on(nodes, tmp_path)).client_rounds
    assert (entry.status, entry.reason) == (Status.OK, None)
    (ahead,) = [result for result in entry.results if result.clock_offset_s is not None]
    assert ahead.clock_offset_s is not None
    assert ahead.clock_uncertainty_s is not None
    assert abs(ahead.clock_offset_s - seconds) <= ahead.clock_uncertainty_s + 0.001
    assert len(entry.warnings) == 1
    assert " fast " in entry.warnings[0]
    assert entry.cluster == nodes.address
    # They began together, not one long after the other.
    assert entry.start_spread_s is not None
    assert entry.start_spread_s < 30
    assert entry.seconds is not None
    assert entry.seconds < 30


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DaskNodes]:
    """A scheduler, and two machines 10 ms away of which every hundredth piece gets lost; over TLS."""
    with dask_nodes(tmp_path / "far", 0) as started:
        for name, value in started.environment.items():
            monkeypatch.setenv(name, value)
        for machine in ("bench-a", "bench-b"):
            started.start_far_worker(machine, delay_s=0.01, loss=0.01)
        started.wait_for_workers()
        yield started


@pytest.mark.full
def test_far_machines_read_after_one_start(far: DaskNodes, tmp_path: Path) -> None:
    run = run_plan(plan_on(far, tmp_path, clients=(1, 2)))
    assert [entry.reason for entry in run.client_rounds] == [None, None]
    both = next(entry for entry in run.client_rounds if entry.clients == 2)
    assert {result.machine for result in both.results} == {"bench-a", "bench-b"}
    for result in both.results:
        assert result.clock_offset_s is not None
        assert result.clock_uncertainty_s is not None
        assert result.clock_uncertainty_s >= 0.01, "half of there and back over lines of 10 ms"
        assert abs(result.clock_offset_s) <= result.clock_uncertainty_s


@pytest.mark.full
def test_a_machine_that_dies_fails_its_round_by_name(far: DaskNodes, tmp_path: Path) -> None:
    nanny = far.processes[-1].pid

    def kill() -> None:
        clients = wait_for_client(nanny)
        time.sleep(1)
        for pid in [nanny, *descendants(nanny), *clients]:
            os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    run = run_plan(plan_on(far, tmp_path, client_window_s=8.0, rounds=2))
    thread.join()
    first, second = run.client_rounds
    assert first.status is Status.FAILED
    assert "on bench-b has no figures" in (first.reason or "")
    kept = next(result for result in first.results if result.machine == "bench-a")
    assert (kept.status, kept.reason) == (Status.OK, None)
    assert kept.images > 0
    assert "has 1 worker and 2 clients need one each" in (second.reason or "")
    assert run.status == "finished"


def wait_for_client(nanny: int) -> list[int]:
    """Return the process of the client below a nanny, once it reads."""
    deadline = time.monotonic() + 90
    clients: list[int] = []
    while not clients and time.monotonic() < deadline:
        clients = [pid for pid in descendants(nanny) if name_of(pid) == "client-reads"]
        time.sleep(0.05)
    return clients


def test_too_few_workers_are_refused_before_anything_is_measured(nodes: DaskNodes, tmp_path: Path) -> None:
    nodes.wait_for_workers()
    with pytest.raises(UnavailableError, match="has 1 worker and 2 clients need one each"):
        run_plan(plan_on(nodes, tmp_path))
    assert saved_runs() == []


def test_another_version_is_refused_by_name(nodes: DaskNodes, tmp_path: Path) -> None:
    nodes.start_worker(changed_python(tmp_path / "other", OTHER_VERSION))
    nodes.wait_for_workers()
    with pytest.raises(UnavailableError, match=r"^imgstore-tui is 0\.0\.9 on the worker tls://127\.0\.0\.1:.* here"):
        run_plan(plan_on(nodes, tmp_path))


def test_a_folder_that_a_worker_does_not_see_is_refused(nodes: DaskNodes, tmp_path: Path) -> None:
    nodes.start_worker(changed_python(tmp_path / "blind", BLIND))
    nodes.wait_for_workers()
    (entry,) = run_plan(plan_on(nodes, tmp_path)).client_rounds
    assert entry.status is Status.SKIPPED
    assert "does not see the files of" in (entry.reason or "")


@pytest.mark.full
def test_a_scheduler_that_dies_fails_the_round_and_ends_the_clients(nodes: DaskNodes, tmp_path: Path) -> None:
    worker = nodes.start_worker()
    nodes.wait_for_workers()
    ended: list[int] = []

    def kill() -> None:
        ended.extend(wait_for_client(worker.pid))
        time.sleep(1)
        nodes.processes[0].send_signal(signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    (entry,) = run_plan(plan_on(nodes, tmp_path, client_window_s=20.0)).client_rounds
    thread.join()
    assert entry.status is Status.FAILED
    assert len(ended) == 1
    assert have_ended(ended)
    assert entry.reason


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.mark.full
def test_clients_end_when_the_run_is_killed(nodes: DaskNodes, tmp_path: Path) -> None:
    worker = nodes.start_worker()
    nodes.wait_for_workers()
    child = os.fork()
    if child == 0:
        run_plan(plan_on(nodes, tmp_path, client_window_s=60.0))
        os._exit(0)
    ended = wait_for_client(worker.pid)
    time.sleep(2)
    ended += descendants(child)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert have_ended(ended)


def test_an_address_where_no_scheduler_is_says_so(nodes: DaskNodes, tmp_path: Path) -> None:
    nodes.processes[0].kill()
    nodes.processes[0].wait()
    with pytest.raises(UnavailableError, match=rf"^{nodes.address} does not answer: .*\.$"):
        run_plan(plan_on(nodes, tmp_path))
