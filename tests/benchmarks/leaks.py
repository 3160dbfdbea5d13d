"""Memory, descriptors and threads at the beginning and the end: ``python -m tests.benchmarks.leaks [screen] [web]``.

``screen``: a real run of 2,000 trials with the screen open, on a pseudo terminal; the app's own process is looked at
before the run, at every quarter, and when it is over. The screen keeps every trial (its table and its charts are made
of them), which is memory that is meant to grow: what a trial takes is printed.

``web``: a server whose tab is closed (in one window after the other: closed, and frozen, so that the browser answers
nothing any more) and which is left alone for ten minutes; before, a first window has come and gone.

Fails if descriptors or threads are more at the end, if a process is left, or if memory has grown by more than 30 MB.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from imgstore_tui.bench.results.journal import saved_runs
from imgstore_tui.bench.results.saved_runs import read_saved_run
from tests.support.browser_window import BrowserWindow
from tests.support.processes import descendants
from tests.support.pseudo_terminal import Terminal, program

MOST_GROWTH_MB = 30.0
CELLS = 2
PLAN = ["-b", "lmdb", "-n", "1", "-o", "write-one,read-one", "-d", "synthetic,size=8", "--budget", "none"]
# One method: of two, the rounds would end as soon as one is known to be faster.


@dataclass(frozen=True)
class Sample:
    """What a process holds."""

    private_mb: float
    descriptors: int
    threads: int
    children: int

    def __str__(self) -> str:
        return (
            f"{self.private_mb:6.1f} MB private, {self.descriptors} descriptors, {self.threads} threads, "
            f"{self.children} child processes"
        )


def sample(pid: int) -> Sample:
    """Look at a process through /proc. Source: proc(5)."""
    facts = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Sample(
        int(facts["RssAnon"].split()[0]) / 1024,
        len(list(Path(f"/proc/{pid}/fd").iterdir())),
        int(facts["Threads"]),
        len(descendants(pid)),
    )


def show(when: str, what: Sample) -> Sample:
    print(f"  {when:34} {what}", flush=True)
    return what


def judge(name: str, before: Sample, after: Sample) -> bool:
    """Print whether a process is where it began; return it."""
    grown = after.private_mb - before.private_mb
    same = after.descriptors <= before.descriptors and after.threads <= before.threads
    fine = same and after.children <= before.children and grown <= MOST_GROWTH_MB
    print(f"  {name}: {'where it began' if fine else 'LEAKS'}, memory {grown:+.1f} MB", flush=True)
    return fine


def settle(terminal: Terminal, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        terminal.read(left)
        terminal.painted = terminal.painted[-4096:]


def measured() -> int:
    return read_saved_run(saved_runs()[-1]).measured if saved_runs() else 0


def finished() -> bool:
    runs = saved_runs()
    return bool(runs) and read_saved_run(runs[-1]).status == "finished"


def run_with_screen(folder: Path, trials: int) -> bool:
    print(f"a run of {trials:,} trials with the screen open")
    words = [*PLAN, "--rounds", str(trials // CELLS)]
    with program(folder, arguments=words) as terminal:
        terminal.until(b"Press r to run", 60)
        for pane in "654321":  # every pane is drawn once
            terminal.send(pane)
            settle(terminal, 1.0)
        pid = terminal.process.pid
        before = show("before the run", sample(pid))
        terminal.send("r")
        marks = [trials // 50, *(trials * quarter // 4 for quarter in (1, 2, 3))]
        seen: list[tuple[int, Sample]] = []
        while (count := measured()) < trials:
            settle(terminal, 2.0)
            assert terminal.process.poll() is None, terminal.painted[-2000:]
            if marks and count >= marks[0]:
                marks.pop(0)
                seen.append((count, show(f"after {count:,} trials", sample(pid))))
        began = time.monotonic()
        while not finished():
            settle(terminal, 0.5)
            assert time.monotonic() - began < 300, terminal.painted[-2000:]
        print(f"  the run was over {time.monotonic() - began:.0f} s after its last trial")
        settle(terminal, 15.0)
        seen.append((trials, show(f"{trials:,} trials, the run is over", sample(pid))))
        (first, begun), (last, ended) = seen[0], seen[-1]
        kb_a_trial = (ended.private_mb - begun.private_mb) / (last - first) * 1024
        print(f"  from trial {first:,} on, a trial takes {kb_a_trial:.1f} KB of the app")
        # Most of what a run needs at all is loaded with its first trials.
        fine = judge("the app", replace(before, private_mb=begun.private_mb), ended)
        terminal.send("q")
        terminal.end(30)
    return fine


def window_up(address: str) -> BrowserWindow:
    window = BrowserWindow(address)
    window.until(b"Press r to run", 120)
    return window


def until_alone(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while descendants(pid):
        assert time.monotonic() < deadline, "the program of a window is left"
        time.sleep(0.1)


def leave_web_alone(folder: Path, minutes: float) -> bool:
    print(f"a web session left alone for {minutes:g} minutes with its tab closed")
    server = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", "web", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        cwd=folder,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().decode().strip()
        window = window_up(address)
        window.close()
        until_alone(server.pid, 10)
        time.sleep(2)
        before = show("after a first window, the server", sample(server.pid))
        window = window_up(address)
        (app,) = descendants(server.pid)
        show("with a window: the server", sample(server.pid))
        show("with a window: its program", sample(app))
        window.close()
        until_alone(server.pid, 10)
        frozen = window_up(address)
        began = time.monotonic()
        until_alone(server.pid, 120)
        print(f"  the program of a browser that answers nothing ended after {time.monotonic() - began:.0f} s")
        time.sleep(minutes * 60)
        after = show(f"{minutes:g} minutes later, the server", sample(server.pid))
        frozen.close()
        again = window_up(address)
        again.close()
        until_alone(server.pid, 10)
        return judge("the server", before, after)
    finally:
        server.terminate()
        server.wait()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.leaks", description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="screen, web (default: both)")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=10.0)
    words = parser.parse_args()
    fine = True
    with tempfile.TemporaryDirectory(prefix="imgstore-leaks-", ignore_cleanup_errors=True) as name:
        folder = Path(name, "here")
        folder.mkdir()
        os.environ |= {"IMGSTORE_TUI_HOME": str(Path(name, "home")), "IMGSTORE_TUI_LOCK": str(Path(name, "lock"))}
        if "screen" in words.parts or not words.parts:
            fine &= run_with_screen(folder, words.trials)
        if "web" in words.parts or not words.parts:
            fine &= leave_web_alone(folder, words.minutes)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
