"""Kills among several clients: ``python -m tests.benchmarks.client_kills [--count 100] [--seed 0]``.

Real runs with clients, half of them on a local cluster and half on a scheduler and two workers that are there, over
TLS, are hit with KILL at a random moment: at a client, its worker, the nanny, the scheduler or the supervisor in turn
(on a local cluster one process is nanny and scheduler). Where the supervisor was hit, two seconds later no process of
the run is left, scratch is found by ``sweep``, and the run is resumed. Else the run comes to its end by itself. What
the journal held before a hit is still there after it, and in the end each client round was measured once.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from imgstore_tui.bench.plan.client_grid import client_blocks
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.run_folder import leftovers
from imgstore_tui.core.client_round import ClientRound
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.operations import Status
from tests.support.clusters import DaskNodes, dask_nodes
from tests.support.processes import descendants

TARGETS = ("client", "worker", "nanny", "scheduler", "supervisor")
WORDS = [
    "run", "-b", "lmdb", "-n", "200", "-o", "read-many", "get-one", "-d", "synthetic,size=8", "--clients", "1,2",
    "--client-window", "1s", "--rounds", "1", "--budget", "none", "--quiet",
]  # fmt: skip
GONE_S = 2.0
LONGEST_S = 180


def command_of(pid: int) -> str:
    """Return the command line of a process; empty if it has ended."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
    return ""


def parent_of(pid: int) -> int | None:
    """Return the parent of a process."""
    with contextlib.suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return None


@dataclass
class Hits:
    """A run after the other, and what was seen of each."""

    order: random.Random
    place: Path
    nodes: DaskNodes | None = None
    tally: collections.Counter[str] = field(default_factory=collections.Counter)

    def one(self, number: int) -> None:
        """Start a run, hit it once, and look at what is left.

        Raises:
            AssertionError: If something is lost or left.
        """
        name = TARGETS[number % len(TARGETS)]
        where = [] if self.nodes is None else ["--cluster", self.nodes.address]
        run = self._start(*WORDS, *where)
        family = self._hit(run, name, self.order.uniform(0.0, 6.0))
        before = journalled()
        if name == "supervisor":
            run.wait()
            deadline = time.monotonic() + GONE_S
            while (left := [pid for pid in family if is_running(pid)]) and time.monotonic() < deadline:
                time.sleep(0.02)
            assert not left, f"left {GONE_S:.0f} s later: {[command_of(pid)[:200] for pid in left]}"
            swept = len(leftovers())
            if swept:
                subprocess.run([sys.executable, "-m", "imgstore_tui", "sweep"], check=True, capture_output=True)
            self.tally["scratch left by it, found and swept"] += swept
        else:
            assert run.wait(LONGEST_S) in (0, 1), f"{run.returncode}: {self.errors}"
        assert not leftovers()
        assert not [path.name for path in self.place.iterdir() if path.name.startswith("imgstore-tui-")]
        assert journalled()[: len(before)] == before, "a finished round was lost"
        self._complete()
        self.tally[f"KILL to the {name}{' of a cluster that was there' if self.nodes else ''}"] += 1

    @property
    def errors(self) -> str:
        """What the last run has said on its standard error."""
        return (self.place / "errors.txt").read_text(errors="replace")[-500:]

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "imgstore_tui", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.place / "errors.txt").open("wb"),
        )  # fmt: skip

    def _hit(self, run: subprocess.Popen[bytes], name: str, after_s: float) -> list[int]:
        """Wait for the first client and a moment longer, then kill a process; return those of the run."""
        roots = [run.pid, *([process.pid for process in self.nodes.processes] if self.nodes else [])]
        self._clients(run, roots)
        deadline = time.monotonic() + after_s
        while time.monotonic() < deadline and run.poll() is None:
            time.sleep(0.02)
        target = None
        while target is None and run.poll() is None:
            target = self._target(run, roots, name)
        family = [run.pid, *descendants(run.pid), *clients_below(roots)]
        if target is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(target, signal.SIGKILL)
        else:
            self.tally["runs that ended before the hit"] += 1
        return family

    def _clients(self, run: subprocess.Popen[bytes], roots: list[int]) -> None:
        while run.poll() is None and not clients_below(roots):
            time.sleep(0.05)

    def _target(self, run: subprocess.Popen[bytes], roots: list[int], name: str) -> int | None:
        if name == "supervisor":
            return run.pid
        if self.nodes is not None and name == "scheduler":
            return self.nodes.processes[0].pid
        if self.nodes is not None and name == "nanny":
            return self.nodes.processes[-1].pid
        if name in ("scheduler", "nanny"):
            return next((pid for pid in descendants(run.pid) if "cluster_process" in command_of(pid)), None)
        client = next(iter(clients_below(roots)), None)
        return client if client is None or name == "client" else parent_of(client)

    def _complete(self) -> None:
        """Resume the run if it was broken off, and check that it is complete; forget it."""
        runs = saved_runs()
        assert len(runs) == 1, f"{len(runs)} saved runs: {self.errors}"
        path = runs[0]
        status = read_journal(path).status
        if status != "finished":
            # Its address is in its plan: a cluster that was hit is there again under another.
            self.tally["runs resumed"] += 1
            if self._start("resume", "last", "--quiet").wait(LONGEST_S) == 3 and self.nodes is not None:
                path.unlink()
                return
        done = read_journal(path)
        assert done.status == "finished", done.status
        found = collections.Counter((entry.key, entry.round) for entry in done.client_rounds)
        planned = {(entry.key, entry.round) for block in client_blocks(done.plan) for entry in block.rounds}
        assert set(found) == planned, f"{len(found)} of {len(planned)} rounds"
        assert set(found.values()) == {1}, "a round was measured twice"
        for entry in done.client_rounds:
            self.tally[f"rounds {entry.status}"] += 1
            assert entry.status is Status.OK or entry.reason
        path.unlink()


def clients_below(pids: list[int]) -> list[int]:
    """Return the processes of clients below some processes."""
    return [child for pid in pids for child in descendants(pid) if "client_child" in command_of(child)]


def is_running(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    with contextlib.suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def journalled() -> list[ClientRound]:
    """Return the client rounds of the run so far."""
    try:
        return [entry for path in saved_runs() for entry in read_journal(path).client_rounds]
    except DataError:
        return []


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[DaskNodes]:
    """Run a scheduler and two workers, over TLS, with their variables in the environment of this process."""
    with dask_nodes(folder, 2) as nodes:
        nodes.wait_for_workers()
        before = dict(os.environ)
        os.environ |= nodes.environment
        try:
            yield nodes
        finally:
            os.environ.clear()
            os.environ.update(before)


def main() -> int:
    """Hit runs, print what was seen; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    failures, began = list[str](), time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"IMGSTORE_TUI_HOME": f"{name}/home", "IMGSTORE_TUI_LOCK": f"{name}/lock", "TMPDIR": name}
        tempfile.tempdir = None
        os.chdir(name)
        hits = Hits(random.Random(words.seed), Path(name))
        for number in range(words.count):
            try:
                if number // len(TARGETS) % 2:
                    with cluster(Path(name, f"nodes-{number}")) as hits.nodes:
                        hits.one(number)
                else:
                    hits.nodes = None
                    hits.one(number)
            except (AssertionError, subprocess.SubprocessError, OSError) as error:
                failures.append(f"hit {number}, {TARGETS[number % len(TARGETS)]}: {str(error)[-1000:]}")
                print(failures[-1], flush=True)
                for path in saved_runs():
                    path.unlink()
            if not (number + 1) % 5:
                print(f"{number + 1} hits, {len(failures)} failures, {time.monotonic() - began:.0f} s", flush=True)
    for what, count in sorted(hits.tally.items()):
        print(f"{count:5}  {what}")
    print(f"{words.count} kills in {time.monotonic() - began:.0f} s: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
