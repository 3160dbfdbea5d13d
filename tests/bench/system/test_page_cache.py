"""The file that is written before the clock starts."""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.bench.system.page_cache import LEAST_RECYCLED_BYTES, recycle_page_frames


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
