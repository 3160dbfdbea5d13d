from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imgstore_tui.bench.lock import RunLock
from imgstore_tui.bench.scratch import choose_scratch, make_run_folder, remove_run_folder
from imgstore_tui.core.errors import UnavailableError, UsageError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "photos" / "holiday"
    folder.mkdir(parents=True)
    return folder.parent


def test_here_is_where_stores_are_made(data: Path) -> None:
    assert choose_scratch(None, [data]) == Path.cwd()


def test_in_the_data_the_place_is_beside_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data / "holiday")
    assert choose_scratch(None, [data]) == data.parent


@pytest.mark.parametrize("place", ["photos", "photos/holiday", "photos/holiday/..", "link", "link/holiday"])
def test_a_wished_place_in_the_data_is_refused(data: Path, place: str) -> None:
    (data.parent / "link").symlink_to(data)
    with pytest.raises(UsageError, match="lies in the data"):
        choose_scratch(str(data.parent / place), [data])


def test_a_wished_place_around_the_data_is_refused(data: Path) -> None:
    with pytest.raises(UsageError, match="holds the data"):
        choose_scratch(str(data.parent), [data])


def test_a_wished_place_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        choose_scratch(str(tmp_path / "none"), [])


def test_a_neighbour_with_a_longer_name_is_no_overlap(data: Path) -> None:
    beside = data.parent / "photos2"
    beside.mkdir()
    assert choose_scratch(str(beside), [data]) == beside


def test_only_a_folder_of_ours_is_removed(tmp_path: Path) -> None:
    folder = make_run_folder(tmp_path, "x")
    (folder / "store").mkdir()
    with pytest.raises(UnavailableError, match="File exists"):
        make_run_folder(tmp_path, "x")
    remove_run_folder(folder)
    assert not folder.exists()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    remove_run_folder(foreign)
    assert foreign.exists()


def test_a_second_run_is_refused_and_the_first_is_named() -> None:
    code = "from imgstore_tui.bench.lock import RunLock\nwith RunLock(): pass"
    with RunLock() as lock:
        lock.name("run 42")
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "Another run is going on (run 42)" in refused.stderr
    subprocess.run([sys.executable, "-c", code], check=True)
