"""Kills at random moments: ``python -m tests.benchmarks.kills [--count 300] [--seed 0]``.

Real runs, some of them on the screen, are hit with TERM, HUP and KILL, a third each, at the supervisor, the fork server
or a child in turn. What the journal held before a hit is still there after it; no process of the run is left once it
has ended, and scratch is gone or found by ``sweep``. A run that was broken off is resumed, and hit again meanwhile,
until it is complete: then it has all its cells, each measured once a round."""

from __future__ import annotations

import argparse
import collections
import contextlib
import fcntl
import os
import pty
import random
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.plan.grid import plan_cells
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.run_folder import leftovers
from imgstore_tui.core.errors import DataError
from tests.support.processes import descendants, have_ended

WORDS = [
    "-b",
    "disk,lmdb,hdf5",
    "-n",
    "1,20",
    "-o",
    "write-many,read-one,read-many",
    "-d",
    "synthetic,size=16",
    "--rounds",
    "2",
]
SCREEN = """
import sys
from imgstore_tui.cli.plan_arguments import plan_from_arguments
from imgstore_tui.cli.run import _parser
from imgstore_tui.tui.app import run_app
from imgstore_tui.tui.terminal.capabilities import prepare_terminal
plan = plan_from_arguments(_parser().parse_args(sys.argv[1:]))
sys.exit(run_app(prepare_terminal(theme=None, ascii_only=False, fps=None), plan=plan))
"""
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
TARGETS = ("supervisor", "fork server", "child")
SCREEN_EVERY = 3
LONGEST_WAIT_S = 1.2


class Program:
    """The program while it measures, headless or on a terminal of its own."""

    def __init__(self, on_screen: bool, *words: str) -> None:
        self.errors = b""
        self._master = -1
        if not on_screen:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "imgstore_tui", *(words or ["run", *WORDS]), "--quiet"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            return
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCREEN, *WORDS],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - it only sets the terminal
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + 30
        while b"1049h" not in self.errors and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(0.5)
        self.press("r")

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65536):
                self.errors += data

    def press(self, keys: str) -> None:
        """Press keys on the terminal, if it has one."""
        if self._master >= 0:
            with contextlib.suppress(OSError):
                os.write(self._master, keys.encode())

    def end(self, timeout: float) -> bytes:
        """Wait for its end, on the screen asked for when the run is over; return what it said."""
        if self._master < 0:
            return self.process.communicate(timeout=timeout)[1]
        deadline, idle = time.monotonic() + timeout, 0
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it goes on"
            idle = 0 if descendants(self.process.pid) else idle + 1
            # Between two rounds there is no fork server for a moment; a run that broke off has none any more.
            if status() in ("finished", "stopped", "budget") or idle > 25:
                self.press("q")
            time.sleep(0.2)
        self._reader.join(2)
        os.close(self._master)
        return self.errors


def target_of(supervisor: int, name: str) -> int | None:
    if name == "supervisor":
        return supervisor
    for server in descendants(supervisor)[:1]:
        if name == "fork server":
            return server
        for child in descendants(server)[:1]:
            return child
    return None


def life(number: int, order: random.Random, most: int) -> list[str]:
    """Start a run, or go on with the one that was broken off, and hit it until it ends; return what was hit.

    Args:
        number: Of the first hit; it tells the signal and the target.
        order: Gives the moments.
        most: Hits that are still wanted.
    """
    broken_off = status() is not None
    on_screen = not broken_off and order.randrange(SCREEN_EVERY) == 0
    started = Program(False, "resume", "last") if broken_off else Program(on_screen)
    if order.random() < 0.7:
        # Most of a run is measuring; the rest are hit while they begin.
        wait_for_a_child(started)
    family: set[int] = {started.process.pid}
    hits: list[str] = []
    stopped_at = None
    while len(hits) < most and stopped_at is None and started.process.poll() is None:
        time.sleep(order.uniform(0.0, LONGEST_WAIT_S))
        sent, name = SIGNALS[number % 3], TARGETS[(number // 3) % 3]
        deadline = time.monotonic() + 2
        target = None
        while target is None and started.process.poll() is None and time.monotonic() < deadline:
            target = target_of(started.process.pid, name)
        if target is None:
            break
        family |= {target, *descendants(started.process.pid)}
        before = journalled()
        with contextlib.suppress(ProcessLookupError):
            os.kill(target, sent)
            stopped_at = time.monotonic() if name == "supervisor" else None
            where = " of the screen" if on_screen else ", resumed" if broken_off else ""
            hits.append(f"{sent.name} to the {name}{where}")
            number += 1
        assert journalled()[: len(before)] == before, "a finished measurement was lost"
    before = journalled()
    errors = started.end(120)
    assert stopped_at is None or time.monotonic() - stopped_at < 10, f"the run did not stop: {hits}"
    assert b"Traceback" not in errors, errors.decode()
    assert have_ended(sorted(family)), "a process is left"
    assert journalled()[: len(before)] == before, "a finished measurement was lost"
    return hits


def wait_for_a_child(started: Program) -> None:
    deadline = time.monotonic() + 10
    while target_of(started.process.pid, "child") is None and time.monotonic() < deadline:
        if started.process.poll() is not None:
            return
        time.sleep(0.02)


def status() -> str | None:
    with contextlib.suppress(DataError, IndexError):
        return read_journal(saved_runs()[-1]).status
    return None


def journalled() -> list[object]:
    runs = saved_runs()
    if not runs:
        return []
    try:
        # Which rule ended a cell's rounds is known when the run has ended.
        return [replace(measurement, stop=None) for measurement in read_journal(runs[-1]).measurements]
    except DataError:
        # Hit while the first line was being written: there is no run yet.
        return []


def forget_if_complete() -> bool:
    """Check the last run, if it is complete, and forget it; return whether it was."""
    runs = saved_runs()
    if not runs:
        return False
    try:
        run = read_journal(runs[-1])
    except DataError:
        runs[-1].unlink()
        return False
    if run.status != "finished":
        return False
    counts = collections.Counter((m.cell, m.round) for m in run.measurements)
    assert set(counts) == {(cell, number) for cell in plan_cells(run.plan) for number in range(run.plan.rounds)}
    assert set(counts.values()) == {1}, "a cell was measured twice"
    runs[-1].unlink()
    return True


def sweep(place: Path) -> int:
    """Sweep what a hit has left; return how much that was."""
    swept = len(leftovers())
    if swept:
        subprocess.run([sys.executable, "-m", "imgstore_tui", "sweep"], check=True, capture_output=True)
    assert not leftovers(), "sweep has left something"
    strays = [path.name for path in place.iterdir() if path.name.startswith("imgstore-tui-")]
    assert not strays, strays
    return swept


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    # Under nohup a hang-up would be ignored, and no hit.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    order = random.Random(words.seed)
    tally: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        os.environ |= {"IMGSTORE_TUI_HOME": str(place / "home"), "TMPDIR": name}
        tempfile.tempdir = None
        os.chdir(place)
        hits = printed = 0
        while hits < words.count:
            try:
                happened = life(hits, order, words.count - hits)
                hits += len(happened)
                tally.update(happened)
                tally["scratch left by it, found and swept"] += sweep(place)
                tally["runs completed, each with all its cells once a round"] += forget_if_complete()
            except (AssertionError, subprocess.SubprocessError) as error:
                failures.append(f"after {hits} hits: {str(error)[-2000:]}")
                print(failures[-1], flush=True)
                hits += 1
                for path in saved_runs():
                    path.unlink()
            if hits >= printed + 30:
                printed = hits
                print(f"{hits} hits, {len(failures)} failures, {time.monotonic() - began:.0f} s", flush=True)
        # The last one, too, is to be completed.
        while status() is not None and not failures:
            Program(False, "resume", "last").end(120)
            tally["runs completed, each with all its cells once a round"] += forget_if_complete()
    for what, count in sorted(tally.items()):
        print(f"{count:5}  {what}")
    print(
        f"{hits} kills in {time.monotonic() - began:.0f} s: "
        + (f"{len(failures)} FAILURES" if failures else "0 measurements lost, 0 processes left, every run completed")
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
