"""Where stores lie on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from imgstore_tui.bench.system.ext4_placement import spread_folders, unique_name, warm_directory
from imgstore_tui.bench.system.inode_flags import TOP_OF_HIERARCHY, read_flags


def on_ext4(folder: Path) -> bool:
    filesystem = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True, check=False)
    return filesystem.stdout.strip() == "ext2/ext3" and shutil.which("lsattr") is not None


def test_a_folder_is_marked_as_the_top_of_a_hierarchy(tmp_path: Path) -> None:
    if not on_ext4(tmp_path):
        pytest.skip("needs ext4 and lsattr")
    spread_folders(tmp_path)
    shown = subprocess.run(["lsattr", "-d", tmp_path], capture_output=True, text=True, check=True).stdout
    assert "T" in shown.split()[0]


def test_a_file_system_without_the_mark_is_left_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Inappropriate ioctl"):
        read_flags(Path("/proc/self"))
    spread_folders(Path("/proc/self"))
    spread_folders(tmp_path / "absent")
    assert not (tmp_path / "absent").exists()


def test_a_mark_keeps_the_other_flags_of_a_folder(tmp_path: Path) -> None:
    if not on_ext4(tmp_path):
        pytest.skip("needs ext4 and lsattr")
    subprocess.run(["chattr", "+A", tmp_path], check=True)
    before = read_flags(tmp_path)
    assert not before & TOP_OF_HIERARCHY
    spread_folders(tmp_path)
    assert read_flags(tmp_path) == before | TOP_OF_HIERARCHY


def test_no_name_comes_twice() -> None:
    names = {unique_name("store-000001") for _ in range(100)}
    assert len(names) == 100
    assert all(name.startswith("store-000001-") for name in names)


def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    assert warm_directory(tmp_path / "store")
    assert list((tmp_path / "store").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    assert not warm_directory(tmp_path / "absent" / "store")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
