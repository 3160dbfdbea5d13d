"""Ctrl-C while modules are loaded, and a terminal that takes no output: a sentence or silence, and an end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import saved_runs
from imgstore_tui.bench.results.saved_runs import read_saved_run
from tests.support.processes import descendants, have_ended
from tests.support.pseudo_terminal import program

INTERRUPTED_WHILE = """
import builtins, os, runpy, signal, sys
sys.argv = ["imgstore-tui", *{words!r}]
load = builtins.__import__
def interrupted(name, *rest, **more):
    if name == {module!r} or {module!r} in (rest[2] or () if len(rest) > 2 else ()):
        builtins.__import__ = load
        os.kill(os.getpid(), signal.SIGINT)
        for _ in range(1000): pass  # handlers run between two steps of the interpreter
    return load(name, *rest, **more)
builtins.__import__ = interrupted
runpy.run_module("imgstore_tui", run_name="__main__", alter_sys=True)
"""


def interrupted_while(module: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that is interrupted when it comes to load a module."""
    code = INTERRUPTED_WHILE.format(words=list(words), module=module)
    return subprocess.run(
        [sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


# Loaded before a command begins, by its module, and by what it calls.
@pytest.mark.sample_first(2)
@pytest.mark.parametrize(
    "module",
    ["argparse", "difflib", "imgstore_tui.cli.parser", "numpy", "rich.console", "imgstore_tui.bench.run.runner"],
)
def test_an_interrupt_while_modules_are_loaded_is_no_traceback(module: str) -> None:
    done = interrupted_while(module, "run", "-b", "lmdb", "-n", "1", "--rounds", "1", "-d", "synthetic,size=8")
    assert done.stderr.endswith("imgstore-tui: Interrupted.\n")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode == 130


@pytest.mark.sample_first
@pytest.mark.parametrize(("module", "words"), [("imgstore_tui.jobs.watchdog", []), ("imgstore_tui.cli", ["backends"])])
def test_an_interrupt_before_anything_of_ours_is_loaded_is_silent(module: str, words: list[str]) -> None:
    done = interrupted_while(module, *words)
    assert (done.returncode, done.stderr) == (-signal.SIGINT, ""), "130 to a shell"


def test_the_package_itself_loads_nothing() -> None:
    """What is loaded before the first line of ``__main__`` can be interrupted with a traceback of Python's own."""
    code = "import sys; before = set(sys.modules); import imgstore_tui; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert set(loaded) <= {"imgstore_tui", "__future__"}


@pytest.mark.sample_first(4)
@pytest.mark.parametrize("moment", range(12))
def test_an_interrupt_at_any_moment_is_no_traceback_of_ours(moment: int) -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", "backends"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.05 + moment * 0.04)
    started.send_signal(signal.SIGINT)
    errors = started.communicate(timeout=60)[1]
    assert "imgstore_tui" not in errors.replace("imgstore-tui: Interrupted.", ""), "Python alone may be the one hit"
    assert started.returncode in (0, 130, -2, 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.sample_first
def test_a_run_on_a_terminal_that_takes_no_output_can_be_stopped(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    words = ["run", "-b", "disk,lmdb", "-n", "1,50", "-d", "synthetic,size=16", "--budget", "none", "--rounds", "99"]
    with program(tmp_path, arguments=words) as terminal:
        deadline = time.monotonic() + 60
        while not saved_runs() or b"%" not in terminal.painted:
            assert time.monotonic() < deadline
            terminal.read(0.1)
        terminal.stop_output()
        time.sleep(2)
        children = descendants(terminal.process.pid)  # none, where the run waits between two rounds
        terminal.process.send_signal(number)
        assert terminal.process.wait(60) == code
        assert have_ended(children)
    assert read_saved_run(saved_runs()[0]).can_be_resumed


def test_a_command_that_is_over_is_not_interrupted_with_a_traceback() -> None:
    code = "import os, signal, atexit; atexit.register(os.kill, os.getpid(), signal.SIGINT)\n" + (
        "import runpy, sys; sys.argv = ['imgstore-tui', 'codecs']\n"
        "runpy.run_module('imgstore_tui', run_name='__main__', alter_sys=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert "Traceback" not in done.stderr
    assert done.returncode == 130
