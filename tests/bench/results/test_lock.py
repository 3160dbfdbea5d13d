"""The lock of a machine where something else lies, or another user's lock: a sentence, and nothing is harmed."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from imgstore_tui.bench.results.lock import RunLock, running
from imgstore_tui.bench.system.app_folders import LOCK_VARIABLE, lock_path
from imgstore_tui.core.errors import UnavailableError
from tests.support.program import program, sentence

RUN = ["run", "-b", "lmdb", "-n", "1", "--rounds", "1", "-d", "synthetic,size=8", "--quiet"]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def link(path: Path) -> None:
    Path("elsewhere").write_text("mine")
    path.symlink_to(Path("elsewhere").resolve())


def hard_link(path: Path) -> None:
    Path("elsewhere").write_text("mine")
    os.link("elsewhere", path)


def empty_hard_link(path: Path) -> None:
    Path("elsewhere").write_text("")
    os.link("elsewhere", path)


def file_of_another_program(path: Path) -> None:
    path.write_text("mine")


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.sample_first(3)
@pytest.mark.parametrize(
    "make", [fifo, folder, link, hard_link, empty_hard_link, file_of_another_program, device, listening]
)
def test_what_is_no_lock_of_ours_is_refused_by_name_and_left_alone(make: Callable[[Path], None]) -> None:
    make(lock_path())
    before = (lock_path().lstat().st_mode, lock_path().lstat().st_nlink)
    with pytest.raises(UnavailableError) as caught, RunLock():
        pass
    assert str(lock_path()) in str(caught.value)
    assert LOCK_VARIABLE in str(caught.value)
    assert before == (lock_path().lstat().st_mode, lock_path().lstat().st_nlink)
    for victim in (Path("elsewhere"), lock_path()):
        assert not victim.is_file() or victim.read_text() in ("mine", "")
    refusal = sentence(program(*RUN))
    assert LOCK_VARIABLE in refusal
    # Commands that only look at what was measured need no lock.
    assert program("runs").returncode == 0
    assert program("backends").returncode == 0


def test_a_fifo_that_another_process_holds_ends_no_command() -> None:
    os.mkfifo(lock_path())
    descriptor = os.open(lock_path(), os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert running() is None
        assert LOCK_VARIABLE in sentence(program(*RUN))
    finally:
        os.close(descriptor)


@pytest.mark.sample_first(2)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666])
@pytest.mark.parametrize("held", [False, True])
def test_the_lock_of_another_user_is_heeded_or_refused_in_a_sentence(tmp_path: Path, mode: int, held: bool) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    for parent in list(folder.parents)[:-1]:
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    lock = folder / "lock"
    lock.write_text("run 20260102-030405-quick")
    lock.chmod(mode)
    code = (
        "import os, sys\n"
        "from imgstore_tui.bench.results.lock import RunLock, running\n"
        "from imgstore_tui.core.errors import UnavailableError\n"
        "os.setgroups([]), os.setgid(65534), os.setuid(65534)\n"
        "try:\n"
        "    print('holder', running())\n"
        "    with RunLock() as lock: print('locked')\n"
        "except UnavailableError as error: print(error)\n"
    )
    descriptor = os.open(lock, os.O_RDWR)
    try:
        if held:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=False, env={**os.environ, LOCK_VARIABLE: str(lock)},
        )  # fmt: skip
    finally:
        os.close(descriptor)
    assert done.stderr == ""
    if mode == 0o600:
        assert LOCK_VARIABLE in done.stdout
        assert str(lock) in done.stdout
    elif held:
        assert "holder run 20260102-030405-quick" in done.stdout
        assert "Another run is going on (run 20260102-030405-quick, since 2" in done.stdout
    else:
        assert done.stdout == "holder None\nlocked\n"


def test_a_second_run_is_refused_and_the_first_is_named() -> None:
    code = "from imgstore_tui.bench.results.lock import RunLock\nwith RunLock(): pass"
    with RunLock() as lock:
        lock.set_holder("run 42")
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert f"Another run is going on (run 42, process {os.getpid()} of the user " in refused.stderr
        assert f"(kill {os.getpid()})" in refused.stderr
        assert running() == "run 42"
        lock_path().write_text("run 42\nprocess 1")
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "kill" not in refused.stderr.splitlines()[-1], "a process that does not hold the lock is not to be ended"
    subprocess.run([sys.executable, "-c", code], check=True)
