"""Stopping is safe at any moment: what was measured is kept, nothing runs on, and the run can be completed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.run_folder import leftovers
from imgstore_tui.core.errors import DataError
from tests.support.processes import descendants, have_ended
from tests.support.program import SHORT_RUN, SMALL_RUN, program, sentence


def begin(*words: str) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", *(words or SMALL_RUN)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # The first line of the journal may be on its way.
        with contextlib.suppress(DataError):
            if saved_runs() and len(read_journal(saved_runs()[0]).measurements) >= 3:
                return started
        time.sleep(0.02)
    raise AssertionError(started.communicate())


def family(started: subprocess.Popen[str]) -> list[int]:
    return [started.pid, *descendants(started.pid)]


@pytest.mark.sample_first
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_signal_stops_the_run_and_keeps_what_was_measured(number: signal.Signals, code: int) -> None:
    started = begin()
    pids = family(started)
    started.send_signal(number)
    output, errors = started.communicate(timeout=60)
    assert started.returncode == code, errors
    assert have_ended(pids)
    run = read_journal(saved_runs()[0])
    assert run.status == "stopped"
    assert run.measurements
    assert "Median time" in output
    # Scratch is removed while time allows; what a busy machine did not get done is known to be there.
    assert [path.name for path in Path.cwd().iterdir()] == [leftover.path.name for leftover in leftovers()]
    assert program("sweep").returncode == 0
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.full
def test_under_nohup_a_hang_up_does_not_stop_a_run() -> None:
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        started = begin(*SHORT_RUN)
    finally:
        signal.signal(signal.SIGHUP, ignored)
    started.send_signal(signal.SIGHUP)
    errors = started.communicate(timeout=120)[1]
    assert started.returncode == 0, errors
    assert read_journal(saved_runs()[0]).status == "finished"


def test_a_killed_run_leaves_no_process_is_swept_and_resumed() -> None:
    started = begin()
    pids = family(started)
    os.kill(started.pid, signal.SIGKILL)
    started.communicate(timeout=60)
    assert have_ended(pids)
    before = read_journal(saved_runs()[0])
    assert before.status == "interrupted"
    assert len(leftovers()) == 1
    assert str(leftovers()[0].path) in program("sweep", "--list").stdout
    # Not swept first: a run takes away what itself has left.
    done = program("resume", "last", "--quiet")
    assert done.returncode == 0, done.stderr
    after = read_journal(saved_runs()[0])
    assert after.status == "finished"
    earlier = after.measurements[: len(before.measurements)]
    # Which rule ended a cell's rounds is known when the run has ended.
    assert tuple(replace(m, stop=None) for m in earlier) == before.measurements
    assert {m.stop for m in after.measurements} == {"rounds"}
    cells = [(m.cell, m.round) for m in after.measurements]
    assert len(cells) == len(set(cells)) == 2 * 3 * 2 * 3
    assert "is complete" in sentence(program("resume", "last"))
    assert list(Path.cwd().iterdir()) == []
    assert leftovers() == []


def test_what_a_killed_run_has_left_is_swept() -> None:
    started = begin()
    os.kill(started.pid, signal.SIGKILL)
    started.communicate(timeout=60)
    assert program("sweep").stdout.startswith("removed ")
    assert list(Path.cwd().iterdir()) == []
    assert leftovers() == []


@pytest.mark.full
def test_killed_readers_die_with_their_trial() -> None:
    words = ["run", "-b", "disk", "-n", "400", "-d", "synthetic", "--rounds", "9", "--workers", "2", "-o", "read-many"]
    started = begin(*words, "--quiet")
    pids = family(started)
    os.kill(started.pid, signal.SIGKILL)
    started.communicate(timeout=60)
    assert have_ended(pids)


def test_a_signal_before_the_first_trial_is_told_to_the_shell() -> None:
    started = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", "run", "-b", "lmdb", "-n", "1", "-d", "synthetic,size=2048,count=500"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(Path.cwd().iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    started.send_signal(signal.SIGTERM)
    started.communicate(timeout=60)
    assert started.returncode == 143
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.full
def test_a_run_is_watched_from_another_terminal() -> None:
    started = begin(*SHORT_RUN)
    done = program("show", "last", "--follow", "--no-charts")
    started.communicate(timeout=60)
    assert done.returncode == 0
    run = read_journal(saved_runs()[0])
    assert run.status == "finished"
    assert sum(line.startswith("ok ") for line in done.stderr.splitlines()) == len(run.measurements)
    assert "Median time" in done.stdout


def test_a_second_run_is_refused_naming_the_first() -> None:
    started = begin()
    assert "Another run is going on (run 2" in sentence(program(*SMALL_RUN))
    assert started.communicate(timeout=60)
    assert started.returncode == 0


@pytest.mark.full
def test_a_run_is_deleted_when_asked_twice() -> None:
    assert program("run", "-b", "lmdb", "-n", "1", "--rounds", "1", "-d", "synthetic,size=8").returncode == 0
    assert "Kept." in program("delete", "last").stderr
    assert len(saved_runs()) == 1
    assert "Deleted" in program("delete", "last", "--yes").stderr
    assert saved_runs() == []


def test_a_closed_pipe_is_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m imgstore_tui backends --json | head -1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[\n"
    assert done.stderr == ""


def test_a_full_standard_output_is_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "imgstore_tui", "backends"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith("imgstore-tui: No space left on device")


@pytest.mark.full
def test_tables_and_the_file_of_a_run_do_not_depend_on_each_other() -> None:
    Path("out").mkdir()
    started = begin(*SHORT_RUN, "--save", "out/run.json")
    Path("out").rmdir()
    output, errors = started.communicate(timeout=60)
    assert started.returncode == 2
    assert "Median time" in output
    assert "Saved as" in output
    assert errors.splitlines() == [errors.strip()]
    assert "out does not exist" in errors
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, "-m", "imgstore_tui", *SHORT_RUN, "--save", "run.json"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "imgstore-tui: No space left on device.\n"
    assert json.loads(Path("run.json").read_bytes())["measurements"]


@pytest.mark.full
def test_two_runs_of_this_machine_are_set_side_by_side() -> None:
    words = ["run", "-b", "lmdb", "-n", "1", "-o", "read-one", "-d", "synthetic,size=8", "--rounds", "6", "--quiet"]
    for _ in range(2):
        assert program(*words).returncode == 0
    first, second = (path.stem for path in saved_runs())
    assert program("rename", first, "before").returncode == 0
    done = program("compare", "before", second)
    assert done.returncode in (0, 4), done.stderr
    assert (done.returncode == 4) == ("Slower by more than" in done.stdout)
    assert f"{second} against before" in done.stdout
    assert "read-one" in done.stdout
    assert "Name two or more runs" in sentence(program("compare", "last"))
    changed = saved_runs()[1].read_text().replace('"cpu":"', '"cpu":"another ', 1)
    saved_runs()[1].write_text(changed)
    refused = program("compare", "before", second)
    assert refused.returncode == 3
    assert "Another machine or place: cpu was" in sentence(refused)
    assert program("compare", "before", second, "--anyway").returncode in (0, 4)
