"""Kills at random moments: ``python -m tests.benchmarks.kills [--count 300] [--seed 0]``.

Real runs are hit with TERM, HUP and KILL, a third each, at the supervisor, the zygote or a child in turn. After a hit:
what the journal held before is still there, no process of the run is left once it has ended, scratch is gone or found
by ``sweep``, and ``resume`` completes the run to all its cells, each measured once a round.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from imgstore_tui.bench.journal import read_journal, saved_runs
from imgstore_tui.bench.rounds import plan_cells
from imgstore_tui.bench.scratch import leftovers
from imgstore_tui.core.errors import DataError
from tests.bench.test_executor import children_of
from tests.cli.test_stopping import gone

RUN = ["run", "-b", "disk,lmdb,hdf5", "-n", "1,40", "-d", "synthetic,size=16", "--rounds", "2", "--quiet"]
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
TARGETS = ("supervisor", "zygote", "child")
LONGEST_WAIT_S = 3.0


def start(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def target_of(supervisor: int, name: str) -> int | None:
    if name == "supervisor":
        return supervisor
    for zygote in children_of(supervisor)[:1]:
        if name == "zygote":
            return zygote
        for child in children_of(zygote)[:1]:
            return child
    return None


def hit(number: int, words: list[str], order: random.Random) -> str:
    """Start or resume a run, hit it once; return what happened."""
    sent, name = SIGNALS[number % 3], TARGETS[(number // 3) % 3]
    started = start(words)
    time.sleep(order.uniform(0.0, LONGEST_WAIT_S))
    deadline = time.monotonic() + 2
    target = None
    while target is None and started.poll() is None and time.monotonic() < deadline:
        target = target_of(started.pid, name)
    if target is None:
        started.wait()
        return "ended before it was hit"
    family = [started.pid, *children_of(started.pid)]
    before = journalled()
    try:
        os.kill(target, sent)
    except ProcessLookupError:
        started.wait()
        return "ended before it was hit"
    if name == "supervisor":
        hit_at = time.monotonic()
        errors = started.communicate(timeout=30)[1]
        assert time.monotonic() - hit_at < 10, "the run did not stop"
        assert b"Traceback" not in errors, errors.decode()
    else:
        errors = started.communicate(timeout=120)[1]
        assert b"Traceback" not in errors, errors.decode()
    assert gone(family), "a process is left"
    after = journalled()
    assert after[: len(before)] == before, "a finished measurement was lost"
    return f"{sent.name} to the {name}"


def journalled() -> list[object]:
    runs = saved_runs()
    if not runs:
        return []
    try:
        return list(read_journal(runs[-1]).measurements)
    except DataError:
        # Hit while the first line was being written: there is no run yet.
        return []


def complete() -> None:
    """Resume the last run to its end and check that it is whole; then forget it."""
    runs = saved_runs()
    if not runs:
        return
    try:
        run = read_journal(runs[-1])
    except DataError:
        runs[-1].unlink()
        return
    if run.status != "finished":
        done = start(["resume", "last", "--quiet"])
        errors = done.communicate(timeout=120)[1]
        assert b"Traceback" not in errors, errors.decode()
        run = read_journal(runs[-1])
    assert run.status == "finished", run.status
    found = collections.Counter((m.cell, m.round) for m in run.measurements)
    assert set(found) == {(cell, number) for cell in plan_cells(run.plan) for number in range(run.plan.rounds)}
    assert set(found.values()) == {1}, "a cell was measured twice"
    runs[-1].unlink()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    order = random.Random(words.seed)
    tally: collections.Counter[str] = collections.Counter()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ |= {"IMGSTORE_TUI_HOME": str(place / "home"), "TMPDIR": name}
        tempfile.tempdir = None
        os.chdir(place)
        number = 0
        while sum(count for what, count in tally.items() if "to the" in what) < words.count:
            tally[hit(number, RUN, order)] += 1
            number += 1
            swept = len(leftovers())
            tally["scratch left by it, found and swept"] += swept
            subprocess.run([sys.executable, "-m", "imgstore_tui", "sweep"], check=True, capture_output=True)
            assert not leftovers()
            complete()
            strays = [path.name for path in place.iterdir() if path.name.startswith("imgstore-tui-")]
            assert not strays, strays
    for what, count in sorted(tally.items()):
        print(f"{count:5}  {what}")
    print(f"0 measurements lost, 0 processes left, every run completed; {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
