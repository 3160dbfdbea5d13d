"""A screen that dies when it must: whatever its terminal does, from the first millisecond on, within two seconds."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import saved_runs
from imgstore_tui.bench.results.saved_runs import read_saved_run
from imgstore_tui.core.errors import DataError
from tests.support.processes import descendants, have_ended
from tests.support.pseudo_terminal import HOUSE, LEAVE, Terminal, program

SIGNALS = [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 130)]
PATIENCE_S = 60.0
"""What a test waits: a busy machine is no failure, a process that never ends is one."""


def stalled(terminal: Terminal) -> None:
    """Wait until the program has written more than the terminal holds, with nobody reading."""
    for _ in range(20):
        terminal.send("23456")  # every pane in turn: much to paint
        time.sleep(0.1)


@contextmanager
def measuring(tmp_path: Path) -> Iterator[tuple[Terminal, list[int]]]:
    """Run the program with a real run going on; yield its terminal and the processes of the run."""
    with program(tmp_path) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        deadline = time.monotonic() + 60
        while not saved_runs() or not _measured():
            assert time.monotonic() < deadline
            terminal.read(0.1)
        yield terminal, descendants(terminal.process.pid)


def _measured() -> int:
    try:
        return read_saved_run(saved_runs()[0]).measured
    except DataError:
        return 0


@pytest.mark.sample_first
@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3])
def test_a_terminal_closed_while_the_screen_starts_ends_the_program(tmp_path: Path, delay_s: float) -> None:
    with program(tmp_path) as terminal:
        assert terminal.read(PATIENCE_S)
        time.sleep(delay_s)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE_S) == 129


@pytest.mark.sample_first
@pytest.mark.parametrize(("number", "code"), SIGNALS)
@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_a_signal_while_the_screen_starts_restores_the_terminal(
    tmp_path: Path, number: signal.Signals, code: int, delay_s: float
) -> None:
    with program(tmp_path) as terminal:
        assert terminal.read(PATIENCE_S)
        time.sleep(delay_s)
        terminal.process.send_signal(number)
        assert terminal.end() == code
        assert not terminal.raw
        assert not terminal.alternate
        assert b"Traceback" not in terminal.painted


@pytest.mark.sample_first
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_signal_while_the_program_is_loaded_ends_it_without_a_word(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    for delay_s in (0.1, 0.2, 0.4):
        with program(tmp_path) as terminal:
            time.sleep(delay_s)
            terminal.process.send_signal(number)
            # Python itself may be the one that a signal meets, on a busy machine before it can load anything.
            ended = terminal.end()
            assert ended in (code, -number) or b"init_import_site" in terminal.painted
            assert not terminal.raw
            assert not terminal.alternate


@pytest.mark.full
@pytest.mark.parametrize("way", ["nobody reads", "Ctrl-S"])
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_terminal_that_takes_no_output_makes_the_screen_deaf_to_nothing(
    tmp_path: Path, number: signal.Signals, code: int, way: str
) -> None:
    with measuring(tmp_path) as (terminal, children):
        assert children
        if way == "Ctrl-S":
            terminal.stop_output()
        stalled(terminal)
        terminal.process.send_signal(number)
        assert terminal.process.wait(PATIENCE_S) == code
        assert have_ended(children)
        assert not terminal.raw
        while terminal.read(0.1):
            pass
        assert not terminal.alternate
        assert b"Traceback" not in terminal.painted
    assert read_saved_run(saved_runs()[0]).can_be_resumed


@pytest.mark.full
def test_the_line_of_a_terminal_that_takes_no_output_may_drop(tmp_path: Path) -> None:
    with measuring(tmp_path) as (terminal, children):
        stalled(terminal)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE_S) == 129
        assert have_ended(children)


@pytest.mark.full
def test_measuring_goes_on_while_the_terminal_takes_no_output_and_the_picture_comes_back(tmp_path: Path) -> None:
    with measuring(tmp_path) as (terminal, _):
        before = _measured()
        terminal.stop_output()
        stalled(terminal)
        deadline = time.monotonic() + 60
        while _measured() < before + 5:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        terminal.start_output()
        terminal.send("4")
        while terminal.read(1.0) and b"[4 Log]" not in terminal.painted:
            pass
        terminal.painted = b""
        terminal.send("s")
        terminal.until(b"trials kept")
        terminal.send("q")
        assert terminal.end() == 0
        assert LEAVE in terminal.painted


@pytest.mark.full
def test_quitting_a_terminal_that_takes_no_output_ends_the_program(tmp_path: Path) -> None:
    with program(tmp_path) as terminal:
        terminal.until(b"Press r to run")
        stalled(terminal)
        terminal.send("q")
        assert terminal.process.wait(PATIENCE_S) == 0
        assert not terminal.raw


@pytest.mark.full
def test_a_hang_up_that_was_to_be_ignored_is(tmp_path: Path) -> None:
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with program(tmp_path) as terminal:
            terminal.until(b"Press r to run")
            terminal.process.send_signal(signal.SIGHUP)
            terminal.send("?")
            terminal.until(b"Run the plan as chosen")
            terminal.send("q")
            terminal.send("q")
            assert terminal.end() == 0
    finally:
        signal.signal(signal.SIGHUP, ignored)


@pytest.mark.full
def test_a_stopped_program_comes_back_and_dies_as_any_other(tmp_path: Path) -> None:
    with program(tmp_path) as terminal:
        terminal.until(b"Press r to run")
        terminal.process.send_signal(signal.SIGTSTP)
        terminal.until(LEAVE)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        assert not terminal.raw
        terminal.painted = b""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until(b"Press r to run")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 143
        assert not terminal.raw
        assert not terminal.alternate


class Piped:
    """The program as a browser's server starts it: its keys come and its picture goes through pipes."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "imgstore_tui"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={
                **os.environ, "PYTHONPATH": HOUSE, "TEXTUAL_DRIVER": "imgstore_tui.tui.terminal.drivers:BrowserDriver",
                "COLUMNS": "160", "ROWS": "45",
            },
        )  # fmt: skip
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.keys, self.picture = self.process.stdin, self.process.stdout

    def press(self, keys: str) -> None:
        self.keys.write(b"D" + len(keys).to_bytes(4, "big") + keys.encode())
        self.keys.flush()

    def until(self, words: bytes) -> None:
        painted = b""
        while words not in painted:
            data = os.read(self.picture.fileno(), 65536)
            assert data, painted[-2000:]
            painted += data

    @property
    def resident_bytes(self) -> int:
        pages = int((Path("/proc") / str(self.process.pid) / "statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def piped(tmp_path: Path) -> Iterator[Piped]:
    started = Piped(tmp_path)
    started.until(b"Press r to run")
    yield started
    started.process.kill()
    started.process.wait()
    for stream in (started.keys, started.picture):
        with contextlib.suppress(BrokenPipeError):
            stream.close()


@pytest.mark.parametrize("end", ["keys", "picture"])
@pytest.mark.sample_first
def test_a_program_whose_server_is_gone_ends(piped: Piped, end: str) -> None:
    getattr(piped, end).close()
    assert piped.process.wait(PATIENCE_S) == 129


@pytest.mark.full
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_a_program_whose_picture_nobody_reads_dies_and_stays_small(
    piped: Piped, number: signal.Signals, code: int
) -> None:
    before = piped.resident_bytes
    for _ in range(60):
        piped.press("23456")
        time.sleep(0.05)
    assert piped.resident_bytes - before < 100 << 20
    piped.process.send_signal(number)
    assert piped.process.wait(PATIENCE_S) == code


@pytest.mark.full
def test_what_was_left_out_for_a_slow_browser_is_painted_when_it_reads_again(piped: Piped) -> None:
    for _ in range(40):
        piped.press("23456")
        time.sleep(0.05)
    time.sleep(1)
    piped.press("?")
    piped.until(b"Run the plan as chosen")
