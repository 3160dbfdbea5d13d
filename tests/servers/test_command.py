"""The command ``servers``, as a user and a shell call it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgstore_tui.jobs.servers import leftovers
from tests.support.processes import descendants, have_ended
from tests.support.program import program, sentence
from tests.support.servers import skip_without

PROGRAM = f"{sys.executable} -m imgstore_tui"


@pytest.fixture(autouse=True)
def postgres() -> None:
    skip_without("postgres")


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a terminal session of its own, so that what it starts ends with it."""
    return subprocess.run(
        ["bash", "-ec", script], capture_output=True, text=True, timeout=120, check=False, start_new_session=True
    )


def facts() -> dict[str, dict[str, object]]:
    listed = json.loads(program("servers", "list", "--json").stdout)
    return {entry["name"]: entry for entry in listed}


def test_up_points_a_shell_at_the_server_which_ends_with_the_session(own_home: Path) -> None:
    done = shell(
        f'eval "$({PROGRAM} servers up postgres --fast)"; {PROGRAM} servers list --json >&2; '
        f"{PROGRAM} servers up postgres --fast; {PROGRAM} run -b postgres -n 5 -d synthetic,size=8 --rounds 1 --quiet"
    )
    assert done.returncode == 0, done.stderr
    assert '"fast": true' in done.stderr
    assert "postgres" in done.stdout.partition("export ")[2].partition("\n")[2]
    (again,) = [line for line in done.stdout.splitlines() if line.startswith("export ")]
    password = again.rpartition("@")[0].rpartition(":")[2]
    assert password not in done.stderr
    deadline = time.monotonic() + 30
    while facts()["postgres"]["running"] is not None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert facts()["postgres"]["running"] is None
    assert list((own_home / "servers").glob("*.json")) == []
    for path in own_home.rglob("*"):
        assert not path.is_file() or password.encode() not in path.read_bytes(), path


def test_down_ends_what_runs_and_says_when_nothing_does(own_home: Path) -> None:
    done = shell(f"{PROGRAM} servers up postgres --fast; {PROGRAM} servers down; {PROGRAM} servers down")
    assert done.returncode == 0, done.stderr
    assert "postgres has ended." in done.stderr
    assert "No server runs" in done.stderr
    assert list((own_home / "servers").glob("*.json")) == []


def test_one_that_runs_otherwise_is_not_taken_for_what_was_asked_for() -> None:
    done = shell(f"{PROGRAM} servers up postgres --fast >&2; {PROGRAM} servers up postgres; {PROGRAM} servers down")
    assert done.returncode == 3
    assert done.stdout == ""
    assert "postgres runs already, with --fast. End it first: imgstore-tui servers down postgres." in done.stderr


def test_run_gives_the_command_its_variables_and_code_and_ends_the_server() -> None:
    words = "import os, sys; sys.stdout.write(os.environ['IMGSTORE_POSTGRES_URL']); sys.exit(7)"
    done = program("servers", "run", "postgres", "--fast", "--", sys.executable, "-c", words)
    assert done.returncode == 7, done.stderr
    assert done.stdout.startswith("postgresql://imgstore:")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_ends_when_run_is_stopped(number: signal.Signals) -> None:
    words = ["-m", "imgstore_tui", "servers", "run", "postgres", "--fast", "--", "sh", "-c", "echo up; exec sleep 600"]
    running = subprocess.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    family = descendants(running.pid)
    assert len(family) > 4
    if number is signal.SIGKILL:
        running.kill()
    else:
        os.killpg(running.pid, number)
    assert have_ended(family)
    running.wait()
    running.stdout.close()


@pytest.mark.parametrize("words", [("servers", "list"), ("servers", "down"), ("sweep",)])
def test_what_is_left_when_all_are_killed_at_once_goes_with_the_next_command(words: tuple[str, ...]) -> None:
    command = [*["servers", "run", "postgres", "--fast", "--", "sh", "-c"], "echo up; exec sleep 600"]
    running = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", *command], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "up\n"
    family = [running.pid, *descendants(running.pid)]
    guardian = next(pid for pid in family if b"servers.guardian" in Path(f"/proc/{pid}/cmdline").read_bytes())
    assert leftovers.find() == []
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in (running.pid, guardian):
            os.kill(pid, number)
    for pid in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    running.wait()
    running.stdout.close()
    assert have_ended(family)
    (left,) = leftovers.find()
    assert left.path.is_dir()
    assert left.state.is_file()
    done = program(*words)
    assert done.returncode == 0, done.stderr
    assert str(left.path) in done.stdout + done.stderr
    assert not left.path.exists()
    assert not left.state.parent.exists()
    assert program("sweep").stderr.startswith("Nothing is left of any run")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["up", "postgers"], 2, "Did you mean 'postgres'?"),
        (["up", "postgres", "--folder", "/no/such"], 2, "/no/such is no folder."),
        (["down", "nothing"], 2, "Unknown server 'nothing'"),
        (["fetch", "postgres"], 2, "PostgreSQL is not downloaded by this program."),
        (["run", "postgres"], 2, "Write the command after two dashes"),
        (["run", "postgres", "--"], 2, "Write the command after two dashes"),
        (["pu"], 2, "Did you mean 'up'?"),
        ([], 2, "Say what to do: up, run, down, list, fetch."),
    ],
)
def test_a_refusal_is_one_sentence(words: list[str], code: int, said: str) -> None:
    done = program("servers", *words)
    assert done.returncode == code
    assert said in sentence(done)


def test_a_command_that_is_not_there_leaves_no_server() -> None:
    done = program("servers", "run", "postgres", "--fast", "--", "no-such-command")
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1] == "imgstore-tui: no-such-command cannot be run: No such file or directory."
