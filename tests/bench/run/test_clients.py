"""Several clients of one store: real processes of a Dask cluster on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run import clients
from imgstore_tui.bench.run.runner import resume_run, run_plan
from imgstore_tui.core.client_round import ClientWork
from imgstore_tui.core.events import Event, Progress, TrialStarted
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.plugins.registry import resolve_spec
from tests.support.clusters import changed_python
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
def _patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine clients may be late in any test; only one of them is about that."""
    if "late" not in request.node.name:
        monkeypatch.setattr(clients, "LATE_S", 60.0)


@pytest.fixture(autouse=True)
def _nothing_stays(tmp_path: Path) -> Iterator[None]:
    """Neither a process nor a file of the clients is left by any test."""
    before = set(descendants(os.getpid()))
    yield
    assert have_ended(set(descendants(os.getpid())) - before)
    assert [str(path) for path in tmp_path.rglob("imgstore-tui-*")] == []


def test_clients_read_one_store_after_a_common_start(tmp_path: Path) -> None:
    events: list[Event] = []
    run = run_plan(replace(PLAN, scratch=str(tmp_path)), listen=events.append)
    steps = [event.step for event in events if isinstance(event, TrialStarted)]
    assert steps.count("clients") == 4
    begun = next(
        number for number, event in enumerate(events) if isinstance(event, TrialStarted) and event.step == "clients"
    )
    done = [event.fraction for event in events[:begun] if isinstance(event, Progress)]
    assert max(done) < 0.9, "the clients are still to come"
    assert [trial.status for trial in run.measurements] == [Status.OK], "the ordinary trial is measured as well"
    rounds = {(entry.work, entry.clients): entry for entry in run.client_rounds}
    assert set(rounds) == {(work, count) for work in ClientWork for count in (1, 2)}
    assert len(rounds) == len(run.client_rounds)
    for (_, count), entry in rounds.items():
        assert (entry.status, entry.reason, len(entry.results)) == (Status.OK, None, count)
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


@pytest.mark.parametrize("spec", ["hdf5", "disk", "lmdb+png", "webdataset"])
def test_folders_of_other_formats_are_read_as_well(spec: str, tmp_path: Path) -> None:
    if spec == "webdataset":
        pytest.importorskip("webdataset", reason="webdataset is not installed (extra webdataset)")
    operations = (Operation.READ_MANY, Operation.GET_ONE)
    plan = replace(PLAN, specs=(resolve_spec(spec),), operations=operations, clients=(2,), scratch=str(tmp_path))
    run = run_plan(plan)
    claimed = [trial.operation for trial in run.measurements if trial.status is Status.OK]
    expected = {Operation.READ_MANY: 2, Operation.GET_ONE: 1}
    for operation, count in expected.items():
        rounds = [entry for entry in run.client_rounds if entry.operation is operation]
        assert len(rounds) == (count if operation in claimed else 0)
        assert [entry.reason for entry in rounds] == [None] * len(rounds)


def test_one_pass_is_a_fixed_amount_of_work(tmp_path: Path) -> None:
    run = run_plan(replace(PLAN, client_window_s=0.0, clients=(2,), scratch=str(tmp_path)))
    images = {entry.work: [result.images for result in entry.results] for entry in run.client_rounds}
    assert images == {ClientWork.SHARE: [150, 150], ClientWork.ALL: [300, 300]}


def test_one_call_is_compared_once(tmp_path: Path) -> None:
    plan = replace(PLAN, cutoffs=(64,), client_window_s=0.0, clients=(1,), scratch=str(tmp_path))
    assert [entry.reason for entry in run_plan(plan).client_rounds] == [None, None]


def act_on_a_client(act: Callable[[int], None], *, after_s: float) -> threading.Thread:
    """Do something to the process of a client, some seconds after two began to read; return the thread that does."""

    def watch() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            pids = clients_below(os.getpid())
            if len([pid for pid in pids if name_of(pid) == "client-reads"]) >= 2:
                time.sleep(after_s)
                act(pids[0])
                return
            time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def clients_below(pid: int) -> list[int]:
    return [child for child in descendants(pid) if "client_child" in command_of(child)]


def command_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
    return ""


def name_of(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.mark.full
@pytest.mark.parametrize("victim", ["client", "worker"])
def test_a_client_that_dies_fails_its_round_by_name_and_the_rest_is_kept(victim: str, tmp_path: Path) -> None:
    def kill(pid: int) -> None:
        os.kill(pid if victim == "client" else parent_of(pid), signal.SIGKILL)

    thread = act_on_a_client(kill, after_s=1.0)
    plan = replace(PLAN, operations=(Operation.GET_ONE,), clients=(2,), client_window_s=6.0, rounds=2)
    run = run_plan(replace(plan, scratch=str(tmp_path)))
    thread.join()
    first, second = run.client_rounds
    assert first.status is Status.FAILED
    assert first.images_per_s is None
    assert sorted(result.status for result in first.results) == [Status.FAILED, Status.OK]
    kept = next(result for result in first.results if result.status is Status.OK)
    assert kept.images > 0
    assert first.reason is not None
    said = "was killed by SIGKILL" if victim == "client" else "died"
    assert re.fullmatch(rf"Client [12] of 2 on {socket.gethostname()} has no figures: .*{said}\.", first.reason)
    assert (second.status, second.reason) == (Status.OK, None), "the next round takes the workers that are there then"


OVERSLEEP = """
import sys, time
if any("client_child" in word for word in sys.orig_argv):
    sleep = time.sleep
    time.sleep = lambda seconds: sleep(seconds + (0.05 if seconds > 0.1 else 0))
"""


@pytest.mark.full
def test_rounds_with_late_clients_are_thrown_away_and_then_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in changed_python(tmp_path / "late", OVERSLEEP).items():
        monkeypatch.setenv(name, value)
    plan = replace(PLAN, operations=(Operation.GET_ONE,), clients=(1,), rounds=5, client_window_s=0.1)
    run = run_plan(replace(plan, scratch=str(tmp_path)))
    assert [entry.status for entry in run.client_rounds] == [Status.SKIPPED] * 3, "and none after them"
    reasons = [entry.reason or "" for entry in run.client_rounds]
    assert all(reason.startswith("Thrown away: Client 1 of 1 on ") for reason in reasons[:2])
    assert reasons[2].startswith("Unsure: clients were late in 3 rounds in a row")
    assert all(entry.results[0].late_s > 0.02 for entry in run.client_rounds if entry.results[0].late_s is not None)
    assert all(entry.images_per_s is None for entry in run.client_rounds)
    assert run.status == "finished"


@pytest.mark.full
def test_a_run_that_is_stopped_ends_all_processes_and_resume_measures_only_what_is_missing(tmp_path: Path) -> None:
    cancel = threading.Event()
    ended = []

    def stop(_: int) -> None:
        ended.append(time.monotonic())
        cancel.set()

    plan = replace(PLAN, operations=(Operation.READ_RANDOM,), client_window_s=3.0, clients=(1, 2))
    thread = act_on_a_client(stop, after_s=1.0)
    stopped = run_plan(replace(plan, scratch=str(tmp_path)), cancel=cancel)
    thread.join()
    assert clients_below(os.getpid()) == []
    assert stopped.status == "stopped"
    assert len(stopped.client_rounds) < 4
    resumed = resume_run(saved_runs()[-1])
    assert resumed.status == "finished"
    assert resumed.client_rounds[: len(stopped.client_rounds)] == stopped.client_rounds
    assert len(resumed.client_rounds) == 4
    assert all(entry.status is Status.OK for entry in resumed.client_rounds)


def test_every_port_is_on_loopback(tmp_path: Path) -> None:
    listening = list[str]()

    def look(_: int) -> None:
        pids = set(descendants(os.getpid()))
        for line in subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout.splitlines():
            if any(f"pid={pid}," in line for pid in pids):
                listening.append(line.split()[3])

    thread = act_on_a_client(look, after_s=0.5)
    run_plan(replace(PLAN, operations=(Operation.GET_ONE,), clients=(2,), client_window_s=2.0, scratch=str(tmp_path)))
    thread.join()
    assert len(listening) > 3
    assert [address for address in listening if not address.startswith("127.0.0.1:")] == []
