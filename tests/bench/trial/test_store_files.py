"""The instrument's own walk of a store: files, weight, and what is forced; a second opinion beside the backend's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from imgstore_tui.bench.trial.store_files import data_bytes, files_of, force_files, state_of, usage_of


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Returns a store of three files, one of them below a folder, beside its log and two neighbours."""
    location = tmp_path / "scratch" / "7"
    (location / "deep").mkdir(parents=True)
    (location / "a").write_bytes(b"a" * 5000)
    (location / "deep" / "b").write_bytes(b"b" * 3)
    (location / "c").write_bytes(b"c" * 100)
    location.with_name("7-wal").write_bytes(b"w" * 10)
    location.with_name("70").write_bytes(b"n" * 1000)
    (location.with_name("8")).mkdir()
    return location


def names(location: Path) -> set[str]:
    return {path.name for path in files_of(location)}


def test_what_lies_beside_a_store_under_its_name_is_part_of_it_and_other_stores_are_not(store: Path) -> None:
    assert names(store) == {"a", "b", "c", "7-wal"}


def test_links_are_not_followed(store: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "large").write_bytes(b"x" * 100_000)
    (store / "link").symlink_to(outside / "large")
    (store / "folder").symlink_to(outside)
    assert names(store) == {"a", "b", "c", "7-wal"}
    assert usage_of(store).apparent_bytes == 5000 + 3 + 100 + 10


def test_it_weighs_what_du_says(store: Path) -> None:
    os.link(store / "a", store / "again")
    usage = usage_of(store)
    du = subprocess.run(
        ["du", "-s", "-c", "-B1", str(store), str(store.with_name("7-wal"))], capture_output=True, text=True, check=True
    )
    assert usage.allocated_bytes == int(du.stdout.splitlines()[-1].split()[0])
    assert (usage.files, usage.apparent_bytes) == (4, 5113), "a file with two names counts once"


def test_a_change_of_any_file_changes_the_state(store: Path) -> None:
    before = state_of(store)
    assert state_of(store) == before
    (store / "deep" / "b").write_bytes(b"B" * 3)
    rewritten = state_of(store)
    assert rewritten != before
    (store / "new").touch()
    assert state_of(store) != rewritten


def test_a_hole_holds_no_data(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"x" * 4096)
        file.truncate(10 << 20)
    assert 0 < data_bytes([path]) < 1 << 20


def test_every_file_and_every_folder_is_forced_and_counted(store: Path) -> None:
    # Four files, the folders 7 and deep, and the one that has their names.
    assert force_files(store) == 4 + 3
    assert force_files(store, [store / "a"]) == 1 + 1


def test_a_folder_without_files_is_forced_and_so_is_the_name_of_the_store(store: Path) -> None:
    store.with_name("7-wal").unlink()
    (store / "empty").mkdir()
    assert force_files(store) == 3 + 4
