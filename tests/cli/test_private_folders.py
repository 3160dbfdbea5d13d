"""What the program keeps is its user's alone: folders of runs, plans, scratch and conversions."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.system.app_folders import HOME_VARIABLE, plans_folder, runs_folder, scratch_notes_folder
from imgstore_tui.jobs.plans import save_plan
from imgstore_tui.tui.forms.choice import Choice
from imgstore_tui.tui.forms.last_choice import save_choice
from tests.support.program import program

RUN = ["run", "-b", "disk", "-n", "1,20", "--rounds", "1", "-d", "synthetic,size=8", "--quiet"]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


def test_folders_are_made_private_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "a" / "home"))
    save_plan(named_plan("quick"), "mine")
    save_choice(Choice.of(named_plan("quick")))
    started = subprocess.Popen([sys.executable, "-m", "imgstore_tui", *RUN, "--rounds", "9"], stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (scratch := list(Path.cwd().glob("imgstore-tui-*"))) or not runs_folder().exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert mode(scratch[0]) == 0o700
    started.terminate()
    started.wait()
    made = [tmp_path / "a" / "home", runs_folder(), plans_folder(), scratch_notes_folder()]
    assert [oct(mode(folder)) for folder in made] == ["0o700"] * 4
    assert {oct(mode(path)) for path in runs_folder().iterdir()} == {"0o600"}


@pytest.mark.full
def test_folders_of_an_earlier_version_are_closed_and_one_that_the_user_named_is_not(own_home: Path) -> None:
    own_home.chmod(0o755)
    for folder in (runs_folder(), scratch_notes_folder()):
        folder.mkdir()
        folder.chmod(0o755)
    assert program(*RUN).returncode == 0
    assert (mode(runs_folder()), mode(scratch_notes_folder())) == (0o700, 0o700)
    assert mode(own_home) == 0o755
    shutil.rmtree(runs_folder())
    shared = own_home / "shared"
    shared.mkdir(mode=0o755)
    runs_folder().symlink_to(shared)
    assert program(*RUN).returncode == 0
    assert mode(shared) == 0o755


def test_a_home_in_the_users_data_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(HOME_VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    (tmp_path / "share" / "imgstore-tui").mkdir(parents=True)
    save_plan(named_plan("quick"), "mine")
    assert mode(tmp_path / "share" / "imgstore-tui") == 0o700
    assert mode(tmp_path / "share") == 0o777


def test_a_conversion_shows_nobody_what_is_not_finished(tmp_path: Path) -> None:
    words = ["convert", "synthetic,count=20000", "disk", str(tmp_path / "store")]
    started = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", *words], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "store.converting").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert mode(tmp_path / "store.converting") == 0o700
    started.kill()
    started.wait()
