"""What a trial costs beside its own work: ``python -m tests.benchmarks.trial_cost``.

Prints the wall time from asking for a child to having its answer, for a child that does nothing: forked from the
fork server, and, for comparison, in a fresh interpreter. And what the program costs as a whole for its smallest run.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable

from imgstore_tui.bench.processes.executor import ProcessExecutor
from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.system.app_folders import HOME_VARIABLE
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry

REPEATS = 100


def times(action: Callable[[], object], repeats: int) -> list[float]:
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        action()
        seconds.append((time.perf_counter() - began) * 1000)
    return sorted(seconds)


def show(what: str, seconds: list[float]) -> None:
    low, median, high = seconds[0], statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
    print(f"{what:48} n={len(seconds):3}  min {low:7.1f}  median {median:7.1f}  p95 {high:7.1f} ms")


def hello_cost(spec: Spec) -> None:
    executor = ProcessExecutor([spec])
    executor.begin_round()
    request, cancel = TrialRequest(Step.HELLO, spec), threading.Event()

    def hello() -> None:
        outcome = executor.run(request, 30, lambda images: None, cancel)
        assert outcome.ok, outcome.reason

    hello()
    show(f"{spec.label}: fork, hello, exit", times(hello, REPEATS))
    executor.close()


def main() -> None:
    for name in ("disk", "lmdb", "hdf5"):
        hello_cost(registry.resolve_spec(name))
    imports = [sys.executable, "-c", "import numpy, lmdb, h5py, imgstore_tui.bench.trial.trial"]
    show("a fresh interpreter with the same imports", times(lambda: subprocess.run(imports, check=True), 10))
    with tempfile.TemporaryDirectory() as folder:
        # A home of its own: these runs are none that the user wants to keep.
        env = {**os.environ, HOME_VARIABLE: folder}
        words = [sys.executable, "-m", "imgstore_tui", "run", "-b", "lmdb", "-n", "1", "--rounds", "1", "--quiet"]
        show(
            "run -b lmdb -n 1 --rounds 1",
            times(lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=env), 10),
        )


if __name__ == "__main__":
    main()
