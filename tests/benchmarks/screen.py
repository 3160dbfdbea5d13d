"""What the screen costs while a run goes on: ``python -m tests.benchmarks.screen``.

Runs the real program on a pseudo terminal of 80x24, with a real run in it, and prints:

- how long a key takes to be seen (key 4 to the word ``[4 Log]``, key 5 to ``[5 Verdict]``), p50 and p95;
- how much CPU of the app a key takes: what others do to the machine does not enter into it;
- bytes a second that it sends while nobody presses a key, as it is and with the settings of an SSH session;
- the share of a core that the app itself uses meanwhile, without the children that measure;
- how the same trials compare with the app and without it: pairs of one small run each, in the app and on the command
  line, in turns, the order of each pair reversed every time. A repeat's figure is the geometric mean of its trials; the
  ratio is paired and has its distribution-free interval.

Everything happens in a folder of its own, with a lock of its own. On a machine with other work to do the figures are
upper bounds: the load is printed beside them.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Status
from imgstore_tui.stats.ratios import paired_ratio
from tests.support.pseudo_terminal import Terminal, program

ANSWERS = {"4": b"[4 Log]", "5": b"[5 Verdict]"}
TICKS = os.sysconf("SC_CLK_TCK")

_LONG = """
plan = replace(
    named_plan("quick"), specs=tuple(map(resolve_spec, ("disk", "lmdb"))), cutoffs=(100, 1000), rounds=500,
    budget_s=600,
)
"""
_SHORT = """
plan = replace(
    named_plan("quick"), specs=tuple(map(resolve_spec, ("disk", "lmdb"))), cutoffs=(1000,), rounds=2, budget_s=None,
    operations=(Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM),
)
"""
_HEAD = """
import sys
from dataclasses import replace
from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.registry import resolve_spec
"""
_IN_APP = """
from imgstore_tui.tui.app import run_app
from imgstore_tui.tui.terminal.capabilities import prepare_terminal
sys.exit(run_app(prepare_terminal(theme=None, ascii_only=False, fps=None), plan=plan))
"""
_HEADLESS = """
from imgstore_tui.bench.run.runner import run_plan
run_plan(plan)
"""


@dataclass(frozen=True)
class Window:
    """What the app sent and used in a stretch of time."""

    bytes_per_s: float
    core_share: float


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its threads so far, its children not counted. Source: proc(5), fields 14 and 15."""
    fields = (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def settle(terminal: Terminal, seconds: float) -> None:
    """Read on for so long."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.read(left)


def watch(terminal: Terminal, seconds: float) -> Window:
    """Say what the app sends and uses while nobody presses a key."""
    sent, used, began = len(terminal.painted), cpu_s(terminal.process.pid), time.monotonic()
    settle(terminal, seconds)
    took = time.monotonic() - began
    return Window((len(terminal.painted) - sent) / took, (cpu_s(terminal.process.pid) - used) / took)


def latencies(terminal: Terminal, keys: int) -> list[float]:
    """Press keys at odd moments; return how long each took to be seen, ms."""
    source, seconds = random.Random(0), []
    for number in range(keys):
        key = "45"[number % 2]
        settle(terminal, source.uniform(0.15, 0.6))
        start, began = len(terminal.painted), time.perf_counter()
        terminal.send(key)
        while ANSWERS[key] not in terminal.painted[start:]:
            assert time.perf_counter() - began < 20, "a key was lost"
            terminal.read(0.5)
        seconds.append((time.perf_counter() - began) * 1000)
    return sorted(seconds)


@contextmanager
def running(folder: Path, plan: str, **environment: str) -> Iterator[Terminal]:
    """Open the app with a plan, and start the run."""
    with program(folder, _HEAD + plan + _IN_APP, **environment) as terminal:
        terminal.until(b"Press r to run", 60)
        settle(terminal, 1.0)
        terminal.send("r")
        terminal.until(b"round 1 of", 60)
        yield terminal


def quit_for_good(terminal: Terminal) -> None:
    """Leave, also while a run goes on."""
    terminal.send("q")
    settle(terminal, 0.5)
    if terminal.process.poll() is None:
        terminal.send("q")
    terminal.end(60)


def trials(run: Run) -> float:
    """Return the geometric mean of a run's trials, seconds."""
    seconds = [trial.seconds for trial in run.measurements if trial.status is Status.OK and trial.seconds]
    assert len(seconds) == len(run.measurements), [trial.reason for trial in run.measurements]
    return statistics.geometric_mean(seconds)


def newest(home: Path) -> Run:
    return read_journal(max((home / "runs").glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns))


def with_app(folder: Path, home: Path) -> float:
    with running(folder, _SHORT) as terminal:
        terminal.until(b"trials kept", 300)
        quit_for_good(terminal)
    return trials(newest(home))


def without_app(folder: Path, home: Path) -> float:
    code = _HEAD + _SHORT + _HEADLESS
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, stdin=subprocess.DEVNULL, timeout=300)
    return trials(newest(home))


def pairs(folder: Path, home: Path, repeats: int) -> None:
    with_it: dict[int, float] = {}
    without: dict[int, float] = {}
    for number in range(repeats):
        for app in (True, False) if number % 2 else (False, True):
            if app:
                with_it[number] = with_app(folder, home)
            else:
                without[number] = without_app(folder, home)
        print(f"  pair {number + 1}: {with_it[number] / without[number]:.3f}", file=sys.stderr, flush=True)
    ratio = paired_ratio(with_it, without)
    assert ratio is not None
    sure = "" if ratio.is_range else f", {100 * (ratio.coverage or 0):.0f} % interval"
    print(
        f"trials with the app / without   {ratio.median:.3f} [{ratio.low:.3f}, {ratio.high:.3f}]  n={ratio.n}{sure}"
        "   wanted: overlaps 0.97 to 1.03"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.screen", description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=30, help="pairs of runs with and without the app (0: none)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to count bytes and CPU")
    parser.add_argument("--keys", type=int, default=100)
    words = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="imgstore-screen-") as name:
        folder, home = Path(name, "scratch"), Path(name, "home")
        folder.mkdir()
        os.environ |= {"IMGSTORE_TUI_HOME": str(home), "IMGSTORE_TUI_LOCK": str(Path(name, "lock"))}
        print(f"cores {os.cpu_count()}, load {os.getloadavg()[0]:.2f} before anything was started")
        with running(folder, _LONG) as terminal:
            terminal.send("2")
            settle(terminal, 3.0)
            plain = watch(terminal, words.seconds)
            used, began = cpu_s(terminal.process.pid), time.monotonic()
            seconds = latencies(terminal, words.keys)
            idle = plain.core_share * (time.monotonic() - began)
            key_ms = 1000 * (cpu_s(terminal.process.pid) - used - idle) / words.keys
            quit_for_good(terminal)
        with running(folder, _LONG, SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22") as terminal:
            terminal.send("2")
            settle(terminal, 3.0)
            remote = watch(terminal, words.seconds)
            quit_for_good(terminal)
        p50, p95 = statistics.median(seconds), seconds[int(len(seconds) * 0.95)]
        figures = f"p50 {p50:.0f} ms  p95 {p95:.0f} ms  n={len(seconds)}"
        print(f"key to screen during a run      {figures}   wanted: p95 at most 50")
        print(f"CPU of the app for a key        {key_ms:.0f} ms")
        print(f"sent at 80x24                   {plain.bytes_per_s / 1024:.1f} KiB/s")
        print(f"sent at 80x24, SSH settings     {remote.bytes_per_s / 1024:.1f} KiB/s   wanted: at most 10")
        print(f"the app's share of a core       {plain.core_share:.1%}   wanted: at most 8 %")
        print(f"the same, SSH settings          {remote.core_share:.1%}")
        if words.repeats:
            pairs(folder, home, words.repeats)
        print(f"load {os.getloadavg()[0]:.2f} at the end")


if __name__ == "__main__":
    main()
