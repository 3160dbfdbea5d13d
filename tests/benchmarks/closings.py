"""Closes the program at random moments: ``python -m tests.benchmarks.closings [--count 200] [--seed 0] [--only WORD]``.

The screen on a pseudo terminal, and the program behind a browser's window, are ended in every way in turn: the terminal
is closed, HUP, TERM and INT come, with a terminal that is read, that nobody reads, or that Ctrl-S has stopped; the web
server is killed, told to end, or loses its browser. It happens from the first millisecond on (a random moment of the
start), in every screen and dialog, and while a real run measures.

Two seconds later no process of it may be left, a terminal that still exists is as it was before (neither raw nor in the
alternate screen), the exit code is that of the signal, and no traceback was printed. Prints a line for each way, with
the median and the longest time from the closing to the end of the last process.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.long_journal import write_journal
from tests.support.browser_window import CLOSE, BrowserWindow
from tests.support.pseudo_terminal import Terminal, program

LIMIT_S = 2.0
MARK = "IMGSTORE_TUI_CLOSING"
"""Environment variable by which the processes of an attempt are known, whoever their parent is."""

Step = tuple[str, bytes]
"""A key, and what must be seen after it."""
LISTED = b"20260102-"
"""What the list of saved runs shows of the run under the cursor, once its file has been read."""
PLACES: dict[str, tuple[Step, ...]] = {
    "workbench": (),
    "help": (("?", b"Help"),),
    "data": (("d", b"Data"),),
    "conditions": (("c", b"Conditions"),),
    "options": (("1", b""), ("o", b"Options of")),
    "save the plan": (("w", b"Save the plan"),),
    "palette": (("\x10", b"Search for commands"),),
    "saved runs": (("f", LISTED),),
    "delete?": (("f", LISTED), ("d", b"Delete")),
    "name of a run": (("f", LISTED), ("n", b"")),
    "side by side": (("f", LISTED), (" ", b""), ("\x1b[B", b""), (" ", b""), ("c", b"Side by side")),
    "opened run": (("f", LISTED), ("\r", b" Export ")),
    "export": (("f", LISTED), ("\r", b" Export "), ("e", b"In the list enter")),
    "filter": (("f", LISTED), ("\r", b" Export "), ("/", b"")),
    "cell": (
        ("f", LISTED),
        ("\r", b" Export "),
        ("6", b"6 Matrix"),
        ("\x1b[B", b""),
        ("\x1b[B", b""),
        ("\r", b"timed "),
    ),
    "report": (("f", LISTED), ("\r", b" Export "), ("5", b""), ("\r", b"Report: run")),
    "run that begins": (("r", b""),),
    "run that measures": (("r", b"round 1 of"),),
    "run that pauses": (("r", b"round 1 of"), ("z", b"")),
    "quit?": (("r", b"round 1 of"), ("q", b"Quit")),
}
WEB_PLACES = ("workbench", "help", "saved runs", "run that measures", "quit?")


@dataclass
class Way:
    """How an attempt was closed, and what became of it."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def marked(mark: str) -> list[int]:
    """Return the processes whose environment holds the mark; a zombie has ended."""
    variable, pids = f"{MARK}={mark}".encode(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if variable in (entry / "environ").read_bytes():
                    pids.append(int(entry.name))
    return pids


def time_to_end(mark: str, began: float, process: subprocess.Popen[bytes]) -> tuple[float | None, list[str]]:
    """Wait for the end of an attempt.

    Returns:
        The seconds until its last process had ended, None if one is left long after the limit; and what was left at the
        limit, with the state of each process (D: stuck in the kernel).
    """
    left: list[str] = []
    while (seconds := time.monotonic() - began) < LIMIT_S + 4:
        process.poll()
        pids = marked(mark)
        if not pids:
            return seconds, left
        if seconds > LIMIT_S and not left:
            left = [_state(pid) for pid in pids]
        time.sleep(0.01)
    return None, left


def _state(pid: int) -> str:
    """Return the words of a process, and the state of each of its threads."""
    with contextlib.suppress(OSError):
        folder = Path(f"/proc/{pid}")
        words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")[-60:].decode(errors="replace")
        threads = []
        for task in (folder / "task").iterdir():
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            threads.append(f"{(task / 'comm').read_text().strip()} {state} {(task / 'wchan').read_text()}")
        return f"{pid} {words}: {', '.join(threads)}"
    return f"{pid} has just ended"


def judge(
    way: Way, what: str, mark: str, began: float, process: subprocess.Popen[bytes], codes: tuple[int, ...]
) -> None:
    """Wait for the end of an attempt and note how it went."""
    seconds, left = time_to_end(mark, began, process)
    if seconds is None or seconds > LIMIT_S:
        how = "did not end" if seconds is None else f"ended after {seconds:.2f} s"
        way.failures.append(f"{what}: {how}; left at {LIMIT_S} s: {left}")
    if seconds is not None:
        way.seconds.append(seconds)
        process.wait()
        if process.returncode not in codes:
            way.failures.append(f"{what}: exit code {process.returncode}, not one of {codes}")
    for pid in marked(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def signalled(number: signal.Signals) -> tuple[int, ...]:
    """Return the exit codes that a signal may lead to: ours, and Python's own before our first line."""
    return (128 + number, -number)


@contextlib.contextmanager
def screen(folder: Path, mark: str) -> Iterator[Terminal]:
    with program(folder, **{MARK: mark}) as terminal:
        yield terminal


def go_to(terminal: Terminal | BrowserWindow, place: str, order: random.Random) -> None:
    """Press the keys that lead to a place, and wait there for a random time."""
    press = terminal.send if isinstance(terminal, Terminal) else terminal.press
    terminal.until(b"Press r to run", 60)
    for key, words in PLACES[place]:
        _forget(terminal)
        press(key)
        if words:
            terminal.until(words, 60)
        else:
            quiet = time.monotonic() + 5
            while terminal.read(0.5) and time.monotonic() < quiet:
                pass
    end = time.monotonic() + order.uniform(0.0, 0.7)
    while (left := end - time.monotonic()) > 0:
        terminal.read(left)


def _forget(terminal: Terminal | BrowserWindow) -> None:
    if isinstance(terminal, BrowserWindow):
        terminal.received = b""
    else:
        # What entered the alternate screen counts at the end.
        terminal.painted = b"\x1b[?1049h" if terminal.alternate else b""


def ended_by_python(terminal: Terminal, began: float) -> bool:
    """Whether an interrupt met Python before our first line, whose own traceback then waits for the terminal."""
    while terminal.process.poll() is None and time.monotonic() - began < LIMIT_S:
        time.sleep(0.01)
    if terminal.process.poll() is not None:
        return False
    terminal.start_output()
    while terminal.process.poll() is None and time.monotonic() - began < LIMIT_S + 4:
        terminal.read(0.05)
    while terminal.read(0.05):
        pass
    python_s = b"Traceback" in terminal.painted and b"imgstore_tui/" not in terminal.painted
    return python_s and not terminal.alternate and terminal.process.poll() in {1, -signal.SIGINT}


def close_screen(way: Way, name: str, place: str, folder: Path, order: random.Random) -> None:
    """Start the screen, go to a place, close it and judge.

    Args:
        way: Takes the outcome.
        name: ``HUP``, ``nobody reads, TERM`` and the like.
        place: One of ``PLACES``, or ``start``.
        folder: Where the program runs.
        order: Gives the moments.
    """
    mark = uuid.uuid4().hex
    stall, _, last = name.rpartition(", ")
    moment = 0.0
    with screen(folder, mark) as terminal:
        if stall == "Ctrl-S" and place == "start":
            terminal.send("\x13")
        if place == "start":
            moment = order.choice((0.01, 0.1, 0.5, 2.0)) * order.random()
            end = time.monotonic() + moment
            while (left := end - time.monotonic()) > 0:
                if stall == "nobody reads":
                    time.sleep(left)
                else:
                    terminal.read(left)
        else:
            go_to(terminal, place, order)
            if stall:
                if stall == "Ctrl-S":
                    terminal.stop_output()
                for _ in range(order.randrange(2, 15)):
                    with contextlib.suppress(OSError):
                        terminal.send("23456")
                    time.sleep(0.1)
        what = f"{name} in {place}" + (f" after {moment * 1000:.0f} ms" if place == "start" else "")
        began = time.monotonic()
        if last == "closed":
            terminal.hang_up()
            judge(way, what, mark, began, terminal.process, signalled(signal.SIGHUP))
            return
        number = signal.Signals[f"SIG{last}"]
        with contextlib.suppress(ProcessLookupError):
            terminal.process.send_signal(number)
        if not stall:
            # A terminal that is read is read on.
            while terminal.process.poll() is None and time.monotonic() - began < LIMIT_S + 4:
                terminal.read(0.02)
        if stall == "Ctrl-S" and last == "INT" and place == "start" and ended_by_python(terminal, began):
            return
        # An interrupt may meet Python before it has come to our first line; then its traceback is Python's.
        codes = (*signalled(number), 1) if last == "INT" and place == "start" else signalled(number)
        judge(way, what, mark, began, terminal.process, codes)
        if terminal.raw:
            way.failures.append(f"{what}: the terminal is raw")
        terminal.start_output()
        while terminal.read(0.05):
            pass
        if terminal.alternate:
            way.failures.append(f"{what}: the terminal is in the alternate screen")
        if b"Traceback" in terminal.painted and (last != "INT" or b"imgstore_tui/" in terminal.painted):
            way.failures.append(f"{what}: {terminal.painted[-1500:].decode(errors='replace')}")


def close_web(way: Way, name: str, place: str, folder: Path, order: random.Random) -> None:
    """Serve, open a window, go to a place, close the server or the window, and judge."""
    mark = uuid.uuid4().hex
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "imgstore_tui", "web", "--port", "0"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=folder,
            env={**os.environ, MARK: mark},
        )
        assert process.stdout is not None
        window, moment = None, 0.0
        try:
            if place == "server's start" and name != "browser gone":
                moment = order.choice((0.01, 0.1, 0.5, 2.0)) * order.random()
                time.sleep(moment)
            else:
                window = BrowserWindow(process.stdout.readline().decode().strip())
                if place in PLACES:
                    go_to(window, place, order)
                else:
                    moment = order.choice((0.1, 0.5, 2.0)) * order.random()
                    time.sleep(moment)
            what = f"{name} in {place} of the browser mode" + (f" after {moment * 1000:.0f} ms" if moment else "")
            began = time.monotonic()
            if name == "browser gone":
                assert window is not None
                if order.random() < 0.5:
                    window.frame(CLOSE, b"\x03\xe9")
                window.close()
                while len(marked(mark)) > 1 and time.monotonic() - began < LIMIT_S + 4:
                    time.sleep(0.01)
                seconds = time.monotonic() - began
                way.seconds.append(seconds)
                if seconds > LIMIT_S:
                    way.failures.append(f"{what}: {len(marked(mark)) - 1} left after {seconds:.2f} s")
                began = time.monotonic()
                process.terminate()
                judge(Way(failures=way.failures), f"TERM after {what}", mark, began, process, signalled(signal.SIGTERM))
            else:
                number = signal.Signals[name.replace("server ", "SIG")]
                process.send_signal(number)
                # As on the screen: in Python's own start its traceback and its exit code are not ours.
                codes = (
                    (*signalled(number), 1) if name == "server INT" and place == "server's start" else signalled(number)
                )
                judge(way, what, mark, began, process, codes)
            errors.seek(0)
            text = errors.read()
            if b"Traceback" in text and (not name.endswith("INT") or b"imgstore_tui/" in text):
                way.failures.append(f"{what}: {text[-1500:].decode(errors='replace')}")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
            if window is not None:
                window.close()


SCREEN_WAYS = [
    "closed", "HUP", "TERM", "INT",
    *(f"{stall}, {last}" for stall in ("nobody reads", "Ctrl-S") for last in ("closed", "HUP", "TERM", "INT")),
]  # fmt: skip
WEB_WAYS = ["server KILL", "server TERM", "server HUP", "server INT", "browser gone"]


def attempts(count: int, order: random.Random) -> list[tuple[Callable[..., None], str, str]]:
    """Return so many closings: a quarter each of the start and the browser mode, the rest in every place in turn."""
    chosen: list[tuple[Callable[..., None], str, str]] = []
    screen_ways, web_ways = list(SCREEN_WAYS), list(WEB_WAYS)
    places, web_places = list(PLACES), ["server's start", "window's start", *WEB_PLACES]
    for bag in (screen_ways, web_ways, places, web_places):
        order.shuffle(bag)
    for number in range(count):
        turn = number // 4
        if number % 4 == 0:
            chosen.append((close_screen, screen_ways[turn % len(screen_ways)], "start"))
        elif number % 4 == 1:
            chosen.append((close_web, web_ways[turn % len(web_ways)], web_places[turn % len(web_places)]))
        else:
            turn = turn * 2 + number % 4 - 2
            # 12 ways and 20 places share a factor: each time round, the ways are shifted by one.
            shift = turn // len(places)
            chosen.append((close_screen, screen_ways[(turn + shift) % len(screen_ways)], places[turn % len(places)]))
    return chosen


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.closings", description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long, whatever the count")
    parser.add_argument("--only", default="", metavar="WORD", help="only ways and places that hold the word")
    words = parser.parse_args()
    # Under nohup a hang-up would be ignored, and no closing; in the background of a shell an interrupt.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    order = random.Random(words.seed)
    ways: collections.defaultdict[str, Way] = collections.defaultdict(Way)
    places: collections.Counter[str] = collections.Counter()
    failures = 0
    with tempfile.TemporaryDirectory(prefix="imgstore-closings-", ignore_cleanup_errors=True) as name:
        home, folder = Path(name, "home"), Path(name, "here")
        folder.mkdir()
        os.environ |= {"IMGSTORE_TUI_HOME": str(home), "IMGSTORE_TUI_LOCK": str(Path(name, "lock")), "TMPDIR": name}
        for measurements in (300, 301):
            write_journal(home / "runs", measurements)
        began = time.monotonic()
        for number, (close, way_name, place) in enumerate(attempts(words.count, order), 1):
            if words.only not in f"{way_name} {place}" or time.monotonic() - began > words.minutes * 60:
                continue
            way = ways[way_name]
            known = len(way.failures)
            try:
                close(way, way_name, place, folder, order)
            except (AssertionError, OSError) as error:
                way.failures.append(f"{way_name} in {place}: never came there: {str(error)[-300:]}")
            places[place] += 1
            for text in way.failures[known:]:
                print(f"FAILURE {text}", flush=True)
            failures += len(way.failures) - known
            if number % 20 == 0:
                print(
                    f"{number} closings, {failures} failures, {time.monotonic() - began:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
            for journal in (home / "runs").glob("*"):
                if not journal.name.startswith("20260102-"):
                    journal.unlink()
    for way_name, way in ways.items():
        if way.seconds:
            median, most = statistics.median(way.seconds), max(way.seconds)
            print(f"{len(way.seconds):4}  {way_name:22} ended after {median:.2f} s, at most {most:.2f} s")
    print("places:", ", ".join(f"{place} {count}" for place, count in places.items()))
    print(
        f"{places.total()} closings in {time.monotonic() - began:.0f} s, load {os.getloadavg()[0]:.1f}: "
        + (f"{failures} FAILURES" if failures else "no process, no raw terminal and no traceback left after 2 s")
    )
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
