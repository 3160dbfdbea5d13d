"""Real children: what they answer, how they end, and that nothing of them is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.bench.processes import fork_server
from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialOutcome, TrialRequest
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from tests.outside.faulty import SLOW_START_S
from tests.support.entry_points import offer
from tests.support.processes import descendants


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    dataset = registry.make_dataset("synthetic,size=8")
    dataset.scan()
    build_pixel_cache(
        dataset, "synthetic", 16, folder, originals=False, progress=lambda done, total: None, cancel=threading.Event()
    )
    return folder


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path / "plugin", {"imgstore_tui.backends": {"faulty": "tests.outside.faulty:Faulty"}}, monkeypatch)


@pytest.fixture
def executor(faulty: None) -> Iterator[ProcessExecutor]:
    before = descendants(os.getpid())
    executor = ProcessExecutor([registry.resolve_spec("faulty")])
    executor.begin_round()
    yield executor
    executor.close()
    assert descendants(os.getpid()) == before


def request(
    spec: Spec,
    source: Path,
    step: Step = Step.TRIAL,
    cutoff: int = 16,
    operation: Operation = Operation.WRITE_MANY,
    workers: int = 1,
) -> TrialRequest:
    folder = source.parent
    return TrialRequest(
        step, spec, operation, cutoff, str(folder / "store"), str(source), str(folder), batch=4, workers=workers
    )


def run(executor: ProcessExecutor, fault: str, source: Path, limit_s: float = 20, **fields: object) -> TrialOutcome:
    spec = registry.resolve_spec(f"faulty:fault={fault}")
    return executor.run(request(spec, source, **fields), limit_s, lambda images: None, threading.Event())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("segv", "The process was killed by SIGSEGV."),
        ("kill", "The process was killed by SIGKILL, probably out of memory."),
        ("exit", "The process ended with exit status 7 and no result. Its last words: driver says goodbye"),
        ("raise", "RuntimeError: [/red] a driver's own words"),
        ("memory", "Out of memory."),
        ("store", "The store is full."),
        ("oserror", "No space left on device (/some/file)."),
    ],
)
def test_a_child_that_goes_wrong_is_one_failure_with_its_cause(
    executor: ProcessExecutor, source: Path, fault: str, reason: str
) -> None:
    outcome = run(executor, fault, source)
    assert not outcome.ok
    assert outcome.reason is not None
    assert outcome.reason.startswith(reason)


def test_after_a_crash_the_next_trial_runs(executor: ProcessExecutor, source: Path, tmp_path: Path) -> None:
    assert not run(executor, "segv", source).ok
    (tmp_path / "store").rename(tmp_path / "broken")
    outcome = run(executor, "none", source)
    assert outcome.ok, outcome.reason
    assert outcome.start == "fork"


def test_dying_in_the_warm_up_is_nobody_elses_trouble(executor: ProcessExecutor, source: Path) -> None:
    assert "SIGSEGV" in str(run(executor, "warm-up", source).reason)
    outcome = run(executor, "none", source)
    assert outcome.ok, outcome.reason


def test_a_child_that_hangs_is_killed_at_its_limit(executor: ProcessExecutor, source: Path) -> None:
    outcome = run(executor, "hang", source, limit_s=0.5)
    assert "Not done after 0 s, killed." in str(outcome.reason)
    assert outcome.hung


def test_a_child_that_shouts_and_starts_threads_does_no_harm(executor: ProcessExecutor, source: Path) -> None:
    assert run(executor, "shout", source).ok


def test_what_a_child_wrote_is_verified(executor: ProcessExecutor, source: Path, tmp_path: Path) -> None:
    for fault, message in (
        ("wrong", "Image 1 came back with other pixels"),
        ("label", "Image 0 came back with label 1"),
    ):
        assert run(executor, fault, source).ok
        verified = run(executor, fault, source, step=Step.VERIFY)
        assert not verified.ok
        assert message in str(verified.reason)
        (tmp_path / "store").rename(tmp_path / fault)


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_use_of_a_library_is_on_no_clock(executor: ProcessExecutor, source: Path, workers: int) -> None:
    fields: dict[str, Any] = {"operation": Operation.READ_MANY, "workers": workers}
    assert run(executor, "slow start", source, step=Step.PREPARE, **fields).ok
    outcome = run(executor, "slow start", source, **fields)
    assert outcome.ok, outcome.reason
    assert outcome.result.open_s is not None
    assert outcome.result.seconds is not None
    assert outcome.result.open_s < SLOW_START_S
    assert outcome.result.seconds < SLOW_START_S


def test_the_clock_and_the_figures_of_a_trial(executor: ProcessExecutor, source: Path) -> None:
    result = run(executor, "none", source).result
    phases = (result.open_s, result.storage_s, result.codec_s, result.close_s)
    assert result.seconds == pytest.approx(sum(phase for phase in phases if phase is not None))
    assert None not in phases
    assert result.sync_s is None
    assert result.elapsed_s is not None
    assert result.seconds is not None
    assert result.elapsed_s >= result.seconds
    assert (result.batch, result.files) == (4, 3)
    assert result.io_dirtied_bytes
    assert result.peak_private_bytes is not None


def test_cancelling_ends_the_child_at_once(executor: ProcessExecutor, source: Path, tmp_path: Path) -> None:
    cancel = threading.Event()

    def cancel_once_it_writes(images: int) -> None:
        if (tmp_path / "store").exists():
            cancel.set()

    spec = registry.resolve_spec("faulty:fault=hang")
    outcome = executor.run(request(spec, source), 60, cancel_once_it_writes, cancel)
    assert (outcome.cancelled, outcome.hung) == (True, False)


def test_a_killed_fork_server_is_one_failure_and_the_next_trial_runs(
    executor: ProcessExecutor, source: Path, tmp_path: Path
) -> None:
    server = executor._fork_server
    assert server is not None

    def kill_once_it_writes(images: int) -> None:
        if (tmp_path / "store").exists() and server.poll() is None:
            server.kill()

    spec = registry.resolve_spec("faulty:fault=hang")
    outcome = executor.run(request(spec, source), 60, kill_once_it_writes, threading.Event())
    assert not outcome.ok
    assert "The measuring process died" in str(outcome.reason)
    while descendants(os.getpid()):  # the test's time limit ends it
        time.sleep(0.05)
    (tmp_path / "store").rename(tmp_path / "broken")
    assert run(executor, "none", source).ok


def test_a_fork_server_that_is_killed_while_it_starts_is_started_again(executor: ProcessExecutor, source: Path) -> None:
    killed: list[int] = []

    def kill_the_first() -> None:
        deadline = time.monotonic() + 60
        while not killed and time.monotonic() < deadline:
            for process in set(descendants(os.getpid())) - before:
                os.kill(process, signal.SIGKILL)
                killed.append(process)

    assert executor._fork_server is not None
    before = {executor._fork_server.pid}
    thread = threading.Thread(target=kill_the_first)
    thread.start()
    executor.begin_round()
    thread.join()
    assert killed
    assert executor._fork_server.pid not in killed
    assert run(executor, "none", source).ok


def test_progress_is_told(executor: ProcessExecutor, source: Path) -> None:
    counts: list[int] = []
    spec = registry.resolve_spec("faulty:fault=slow")
    assert executor.run(request(spec, source), 20, counts.append, threading.Event()).ok
    assert counts == sorted(counts)
    # Four batches of four images, a quarter of a second each, polled ten times a second.
    assert {4, 8, 12} & set(counts)


def test_a_fresh_interpreter_serves_where_a_fork_does_not(
    faulty: None, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    backend = registry.backends.get("faulty")
    monkeypatch.setattr(backend, "capabilities", replace(backend.capabilities, fork_safe=False))
    executor = ProcessExecutor([registry.resolve_spec("faulty")])
    try:
        executor.begin_round()
        outcome = run(executor, "none", source)
        assert (outcome.ok, outcome.start) == (True, "fresh"), outcome.reason
    finally:
        executor.close()


def test_a_fork_server_whose_supervisor_is_gone_loads_no_drivers(tmp_path: Path) -> None:
    (tmp_path / "driver.py").write_text(f"open({str(tmp_path / 'loaded')!r}, 'w').close()")
    progress = SharedProgress.create()
    read, write = os.pipe()
    os.close(write)
    os.set_inheritable(progress.descriptor, True)
    done = subprocess.run(
        [sys.executable, "-m", fork_server.__name__, str(progress.descriptor), "driver"],
        stdin=read, check=False, timeout=60, close_fds=False, env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    os.close(read)
    assert done.returncode == 0
    assert not (tmp_path / "loaded").exists()
