"""Counts first runs that end in an answer on a busy machine: ``python -m tests.benchmarks.first_answer [--count 10]``.

Runs ``imgstore-tui run`` with nothing configured, each time in new folders of its own, beside two processes that take
all the CPU time they get. Prints a line for each run: how it ended, after how many seconds and rounds, and what it
answers. Two facts are counted over all runs:

- *answered*: it says in a line which method to take (there are gaps of twofold and more between those that it runs);
- *wrong leader*: none of the methods that a verdict named fastest has the lowest median over the trials of all runs.

The exit code is 1 if fewer than eight of ten runs answered, or if a wrong leader was named.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.present.results import RunResults, build_results
from imgstore_tui.present.text.recommendation import recommendation_lines
from imgstore_tui.stats.ranking import Placement

SHARE = 0.8
"""Share of the runs that answer."""
BUSY = "while True: sum(range(10_000))"
PATIENCE_S = 300.0


@contextlib.contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep as many processes busy."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def first_run(data: list[str]) -> tuple[Run, float]:
    """Run the program as on a new machine; return the run and its seconds from start to end."""
    with tempfile.TemporaryDirectory(prefix="first-answer-") as name:
        home = Path(name)
        folders = {f"XDG_{kind}_HOME": str(home / kind.lower()) for kind in ("DATA", "CONFIG", "STATE", "CACHE")}
        command = [sys.executable, "-m", "imgstore_tui", "run", *(["-d", *data] if data else [])]
        # A lock of its own: a run of somebody else on this machine is one more that is busy.
        environment = {**os.environ, **folders, "IMGSTORE_TUI_LOCK": str(home / "lock")}
        began = time.monotonic()
        ended = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, cwd=home
        )
        took = time.monotonic() - began
        if ended.returncode:
            raise SystemExit(f"{shlex.join(command)} ended with {ended.returncode}: {ended.stderr[-500:]}")
        return read_journal(next(home.rglob("*.jsonl"))), took


def pooled_medians(runs: list[Run]) -> dict[Cell, float]:
    """Return the median seconds of each cell over the trials of all runs."""
    seconds: dict[Cell, list[float]] = {}
    for run in runs:
        for trial in run.measurements:
            if trial.seconds is not None:
                seconds.setdefault(trial.cell, []).append(trial.seconds)
    return {cell: statistics.median(values) for cell, values in seconds.items()}


def leaders(verdict: Verdict) -> list[str]:
    """Return the methods that a verdict names fastest; empty where there is no verdict."""
    if verdict.reason is not None or not verdict.standings:
        return []
    best = [entry.name for entry in verdict.standings if entry.placement is not Placement.SLOWER]
    return best or [verdict.standings[0].name]


def is_wrong(verdict: Verdict, medians: dict[Cell, float]) -> bool:
    """Return whether every method named fastest takes longer than another by the medians of all runs."""
    named = leaders(verdict)
    by_method = {cell.spec: value for cell, value in medians.items() if cell.contest == verdict.contest}
    best = min(by_method, key=by_method.__getitem__)
    return bool(named) and best not in named


def answer_of(results: RunResults) -> str:
    """Return the line that says which method to take; empty where there is none."""
    return next((line.text for line in recommendation_lines(results) if line.headline), "")


def main() -> int:
    """Run, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10, help="runs")
    parser.add_argument("--busy", type=int, default=2, help="processes that are busy beside them")
    parser.add_argument("-d", "--data", nargs="*", default=[], help="data instead of none")
    arguments = parser.parse_args()
    runs: list[Run] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the busy processes end with it
    with busy_processes(arguments.busy):
        for number in range(arguments.count):
            run, took = first_run(arguments.data)
            runs.append(run)
            rounds = len({trial.round for trial in run.measurements})
            answer = answer_of(build_results(run)) or "no answer"
            print(f"{number + 1:2}  {run.status:9} {took:5.1f} s  {rounds:2} rounds  {answer}", flush=True)
    medians = pooled_medians(runs)
    answered = wrong = 0
    for run in runs:
        results = build_results(run)
        answered += bool(answer_of(results))
        wrong += any(is_wrong(verdict, medians) for verdict in results.verdicts)
    print(f"{answered} of {len(runs)} runs answered, {wrong} named a wrong leader")
    return 0 if answered >= SHARE * len(runs) and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
