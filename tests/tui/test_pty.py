"""The real program on a real (pseudo) terminal: what only shows there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import saved_runs
from imgstore_tui.bench.results.saved_runs import read_saved_run
from imgstore_tui.bench.run.run_folder import leftovers
from tests.support.program import program as run_program
from tests.support.pseudo_terminal import ENTER, HOUSE, LEAVE, program


@pytest.mark.full
def test_the_last_choice_is_taken_up_and_the_command_line_wins(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    home = {"IMGSTORE_TUI_HOME": str(tmp_path / "home")}
    with program(tmp_path, arguments=["-d", "folder:photos", "-n", "3,5"], **home) as terminal:
        terminal.until(b"plan unnamed")
        terminal.send("q")
        assert terminal.end() == 0
    for arguments, there in (([], True), (["--plan", "quick"], False)):
        with program(tmp_path, arguments=arguments, **home) as terminal:
            terminal.until(b"plan unnamed" if there else b"plan quick")
            terminal.send("q")
            assert terminal.end() == 0
            assert (str(tmp_path / "photos")[:20].encode() in terminal.painted) is there


def test_words_that_mean_nothing_are_refused_before_the_screen(tmp_path: Path) -> None:
    with program(tmp_path, arguments=["--plan", "quik"]) as terminal:
        assert terminal.end() == 2
        assert b"Did you mean 'quick'" in terminal.painted
        assert b"\x1b" not in terminal.painted


def test_bytes_that_are_no_utf8_end_nothing(tmp_path: Path) -> None:
    with program(tmp_path) as terminal:
        terminal.until(b"Press r to run")
        terminal.send_bytes(b"\xe9\xff\xc3(")
        terminal.send("q")
        assert terminal.end() == 0
        assert b"Error" not in terminal.painted


def faked(body: str) -> str:
    """Return code that opens the app with a fake run; ``runner`` and ``settings`` can be used in ``body``."""
    return (
        "import sys, threading\n"
        "from tests.support.fake_runs import FakeRunner, SETTINGS\n"
        "from imgstore_tui.tui.app import run_app\n"
        f"{body}\n"
        "sys.exit(run_app(SETTINGS, run=runner))\n"
    )


def test_quitting_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    with program(tmp_path) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("q")
        assert terminal.end() == 0
        assert terminal.painted.count(ENTER) == terminal.painted.count(LEAVE) == 1


@pytest.mark.full
def test_what_was_measured_stays_on_the_terminal(tmp_path: Path) -> None:
    with program(tmp_path, faked("runner = FakeRunner()")) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        terminal.until(b"trials kept")
        terminal.send("q")
        assert terminal.end() == 0
        after = terminal.painted.partition(LEAVE)[2]
        for words in (b"write-many", b"lmdb", b"324 trials, all kept", b"Which to take", b"journal /nowhere/run.jsonl"):
            assert words in after


@pytest.mark.sample_first
@pytest.mark.parametrize(("number", "code"), [(signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_the_run_and_restores_the_terminal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with program(tmp_path, faked("runner = FakeRunner(hold_after=5)")) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        terminal.until(b"5/324")
        terminal.process.send_signal(number)
        assert terminal.end() == code
        assert LEAVE in terminal.painted
        assert b"5 trials" in terminal.painted.partition(LEAVE)[2]


@pytest.mark.full
def test_a_line_that_drops_ends_the_program(tmp_path: Path) -> None:
    with program(tmp_path, faked("runner = FakeRunner(hold_after=5)")) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        terminal.until(b"5/324")
        terminal.hang_up()
        assert terminal.process.wait(60) == 129


@pytest.mark.full
def test_a_thread_that_will_not_end_does_not_hold_the_program(tmp_path: Path) -> None:
    with program(tmp_path, faked("runner = FakeRunner(hold_after=5, stubborn=threading.Event())")) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        terminal.until(b"5/324")
        terminal.send("q")
        terminal.until(b"Stop it and quit")
        terminal.send("q")
        terminal.until(b"without waiting")
        terminal.send("q")
        assert terminal.end(8) == 0
        assert LEAVE in terminal.painted


def test_an_error_of_our_own_shows_no_local_variables(tmp_path: Path) -> None:
    body = (
        "from imgstore_tui.tui.widgets.chrome import TitleBar\n"
        "def broken(self):\n"
        "    password = 'S3CRET' + str(6 * 7)\n"
        "    raise RuntimeError('it broke \\x1b[2J here')\n"
        "TitleBar.render = broken\n"
        "runner = FakeRunner()"
    )
    with program(tmp_path, faked(body)) as terminal:
        assert terminal.end() == 1
        assert b"it broke <U+001B>[2J here" in terminal.painted
        assert b"S3CRET42" not in terminal.painted
        assert LEAVE in terminal.painted


@pytest.mark.full
def test_no_colour_code_where_none_is_wanted(tmp_path: Path) -> None:
    with program(tmp_path, NO_COLOR="1", COLORTERM="truecolor") as terminal:
        terminal.until(b"Press r to run")
        colours = re.findall(rb"\x1b\[[\d;]*m", terminal.painted)
        assert colours
        spoken = {number for code in colours for number in code[2:-1].split(b";")}
        assert not spoken & {b"38", b"48", *(b"%d" % number for number in [*range(30, 38), *range(40, 48)])}
        terminal.send("q")
        assert terminal.end() == 0


@pytest.mark.full
def test_sixteen_colours_are_the_terminals_own(tmp_path: Path) -> None:
    with program(tmp_path, TERM="xterm") as terminal:
        terminal.until(b"Press r to run")
        assert b"\x1b[38;2" not in terminal.painted
        assert b"38;5;" not in terminal.painted
        terminal.send("q")
        assert terminal.end() == 0


@pytest.mark.full
def test_another_encoding_gets_ascii(tmp_path: Path) -> None:
    with program(tmp_path, PYTHONIOENCODING="latin-1", PYTHONUTF8="0") as terminal:
        terminal.until(b"Press r to run")
        assert terminal.painted.isascii()
        assert b"\\u" not in terminal.painted
        terminal.send("q")
        assert terminal.end() == 0


def test_a_dumb_terminal_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with program(tmp_path, TERM="dumb") as terminal:
        assert terminal.end() == 3
        assert b"imgstore-tui run --help" in terminal.painted
        assert b"\x1b" not in terminal.painted
        assert terminal.painted.count(b"\n") == 1


def test_no_terminal_is_refused_in_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "imgstore_tui"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": HOUSE},
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert "imgstore-tui run --help" in done.stderr
    assert done.stderr.count("\n") == 1


# What starts a program may tell it a size in its environment, as readline does: the window's own size counts.
@pytest.mark.full
@pytest.mark.parametrize("environment", [{}, {"COLUMNS": "80", "LINES": "24"}])
def test_a_window_is_resized_while_a_run_goes_on(tmp_path: Path, environment: dict[str, str]) -> None:
    with program(tmp_path, faked("runner = FakeRunner(hold_after=5)"), **environment) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        terminal.until(b"5/324")
        verdict = b"5 Verdict"  # beside the chart only where it is wide
        settled = time.monotonic() + 1
        while time.monotonic() < settled:
            terminal.read(0.1)
        terminal.painted = b""
        for wide in ((130, 40), (145, 43), (160, 45)):  # as a corner is dragged
            terminal.resize(*wide)
            terminal.read(0.5)
        terminal.until(verdict)
        for narrow in ((60, 15), (80, 24)):
            settled = time.monotonic() + 1
            while time.monotonic() < settled:
                terminal.read(0.1)
            terminal.painted = b""
            terminal.resize(*narrow)
            terminal.until(b"[2 Chart]")
        terminal.send("s")
        terminal.until(b"trials kept")
        terminal.send("q")
        assert terminal.end() == 0


@pytest.mark.full
def test_over_ssh_nothing_moves_by_itself(tmp_path: Path) -> None:
    body = (
        "from imgstore_tui.tui.terminal.capabilities import prepare_terminal\n"
        "SETTINGS = prepare_terminal(theme=None, ascii_only=False, fps=30)\n"
        "assert (SETTINGS.animate, SETTINGS.fps) == (False, 2)\n"
        "runner = FakeRunner()"
    )
    with program(tmp_path, faked(body), SSH_CONNECTION="192.0.2.1 1 192.0.2.2 22") as terminal:
        terminal.until(b"Press r to run")
        while terminal.read(1.5):
            pass
        terminal.painted = b""
        terminal.send("4")
        terminal.until(b"[4 Log]")
        while terminal.read(1.0):
            pass
        assert terminal.painted.count(b"[4 Log]") == 1, "a tab is switched at once, not in steps"
        quiet = len(terminal.painted)
        terminal.read(1.5)
        assert len(terminal.painted) == quiet, "a screen on which nothing happens sends nothing"
        terminal.send("q")
        assert terminal.end() == 0


@pytest.mark.full
@pytest.mark.parametrize("term", ["screen", "tmux-256color", "linux", "vt100", "rxvt"])
def test_other_terminals_show_it_too(tmp_path: Path, term: str) -> None:
    with program(tmp_path, TERM=term) as terminal:
        terminal.until(b"Press r to run")
        if term == "linux":
            assert terminal.painted.isascii(), "its font has no braille"
        terminal.send("q")
        assert terminal.end() == 0
        assert LEAVE in terminal.painted


@pytest.mark.full
def test_a_run_that_a_dropped_line_ended_is_kept_and_what_is_left_is_swept(tmp_path: Path) -> None:
    endless = ["-n", "10", "--rounds", "1000", "--budget", "none"]
    with program(tmp_path, arguments=endless) as terminal:
        terminal.until(b"Press r to run")
        terminal.send("r")
        deadline = time.monotonic() + 60
        while not saved_runs() or read_saved_run(saved_runs()[0]).measured < 2:
            assert time.monotonic() < deadline
            terminal.read(0.1)
        terminal.hang_up()
        assert terminal.process.wait(60) == 129
    # Scratch is removed while time allows; what a busy machine did not get done is known to be there.
    assert sorted(tmp_path.glob("imgstore-tui-*")) == sorted(leftover.path for leftover in leftovers())
    assert run_program("sweep").returncode == 0
    assert not list(tmp_path.glob("imgstore-tui-*"))
    saved = read_saved_run(saved_runs()[0])
    assert (saved.status, saved.can_be_resumed, saved.failed) == ("stopped", True, 0)
    assert 2 <= saved.measured < saved.trials
