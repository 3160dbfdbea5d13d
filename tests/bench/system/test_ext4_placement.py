"""Where stores lie on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imgstore_tui.bench.system.ext4_placement import spread_folders, unique_name, warm_directory


def on_ext4(folder: Path) -> bool:
    found = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False)
    return found.stdout.strip() == "ext2/ext3" and shutil.which("lsattr") is not None


def test_a_folder_is_marked_as_the_top_of_a_hierarchy(tmp_path: Path) -> None:
    if not on_ext4(tmp_path):
        pytest.skip("needs ext4 and lsattr")
    spread_folders(tmp_path)
    shown = subprocess.run(["lsattr", "-d", tmp_path], capture_output=True, text=True, check=True).stdout
    assert "T" in shown.split()[0]


def test_other_file_systems_are_left_as_they_are() -> None:
    spread_folders(Path("/proc/self"))
    spread_folders(Path("/nonexistent"))


def test_no_name_comes_twice() -> None:
    names = {unique_name("store-000001") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("store-000001-") for name in names)


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    assert warm_directory(tmp_path / "place")
    assert list((tmp_path / "place").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    assert not warm_directory(tmp_path / "absent" / "place")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
