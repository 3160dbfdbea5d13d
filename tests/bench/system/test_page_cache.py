"""Residency is measured as other tools measure it; page frames are recycled before a clock starts."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from imgstore_tui.bench.system.page_cache import LEAST_RECYCLED_BYTES, evict, recycle_page_frames, resident_share


def written_bytes() -> int:
    """Bytes this process has handed to the kernel for writing."""
    facts = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(facts["wchar"])


def test_as_much_is_written_as_the_trial_will_write_and_nothing_is_left(tmp_path: Path) -> None:
    before = written_bytes()
    recycle_page_frames(tmp_path, 3 * LEAST_RECYCLED_BYTES)
    assert written_bytes() - before >= 3 * LEAST_RECYCLED_BYTES
    assert list(tmp_path.iterdir()) == []


def test_a_small_trial_is_spared(tmp_path: Path) -> None:
    before = written_bytes()
    recycle_page_frames(tmp_path, LEAST_RECYCLED_BYTES - 1)
    assert written_bytes() - before < LEAST_RECYCLED_BYTES


def test_a_folder_that_takes_no_file_is_left_to_the_trial(tmp_path: Path) -> None:
    recycle_page_frames(tmp_path / "absent", LEAST_RECYCLED_BYTES)
    assert list(tmp_path.iterdir()) == []


def test_residency_agrees_with_fincore(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(64 * 4096))
    assert resident_share([path]) == 1.0
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 32 * 4096, os.POSIX_FADV_DONTNEED)
    share = resident_share([path])
    try:
        listed = subprocess.run(
            ["fincore", "-nb", "-o", "PAGES", str(path)], capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        pytest.skip("fincore is not installed (apt-get install util-linux-extra)")
    assert share == int(listed.stdout) / 64


def test_a_hole_of_a_file_is_not_missing_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(os.urandom(16 * 4096))
        file.truncate(64 * 4096)
    assert path.stat().st_blocks * 512 < path.stat().st_size
    assert resident_share([path]) == 1
    evict([path])
    assert resident_share([path]) == 0
    path.write_bytes(b"")
    os.truncate(path, 4096)
    assert resident_share([path]) is None


def test_residency_of_nothing_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert resident_share([]) is None
    assert resident_share([tmp_path / "empty"]) is None
    assert resident_share([tmp_path / "missing"]) is None
