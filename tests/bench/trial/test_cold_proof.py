"""Cold is not called what fetched less than half of what is stored for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgstore_tui.bench.system.counters import process_io
from imgstore_tui.bench.system.page_cache import evict
from imgstore_tui.bench.trial.cold_proof import check_fetched
from imgstore_tui.core.errors import UnsupportedError

SIZE = 4 << 20


def is_counted(path: Path) -> bool:
    """Return whether the kernel counts what is fetched from a file here."""
    evict([path])
    before = process_io()
    path.read_bytes()
    after = process_io()
    return before is not None and after is not None and after[0] - before[0] >= SIZE // 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(os.urandom(SIZE))
    if not is_counted(path):
        pytest.skip("the temporary folder is in memory: set TMPDIR to a disk")
    return path


def test_half_of_what_is_stored_is_enough(file: Path) -> None:
    check_fetched([file], [SIZE], [SIZE], 1)
    check_fetched([file], [SIZE // 2], [SIZE], 1)
    with pytest.raises(UnsupportedError, match=r"fetched .* of the .* that are stored for it: it was not cold"):
        check_fetched([file], [SIZE // 2 - 1], [SIZE], 1)


def test_one_sample_that_was_cold_does_not_stand_for_the_others(file: Path) -> None:
    share = SIZE // 8
    with pytest.raises(UnsupportedError):
        check_fetched([file], [share, 0, 0], [share] * 3, 8)
    check_fetched([file], [share, share, 0], [share] * 3, 8)


def test_an_image_may_be_stored_in_fewer_bytes_than_it_has(file: Path) -> None:
    # Eight images that come back four times as large: an eighth of the file is stored for each.
    check_fetched([file], [SIZE // 8], [SIZE // 2], 8)
    with pytest.raises(UnsupportedError):
        check_fetched([file], [SIZE // 8 // 4], [SIZE // 2], 8)


@pytest.fixture
def in_memory() -> Iterator[Path]:
    folder = Path("/dev/shm")
    if not folder.is_dir():
        pytest.skip("/dev/shm is no tmpfs here")
    path = folder / f"imgstore-test-{os.getpid()}"
    path.write_bytes(bytes(SIZE))
    yield path
    path.unlink()


def test_where_the_kernel_does_not_count_nothing_is_refused(in_memory: Path) -> None:
    if is_counted(in_memory):
        pytest.skip("/dev/shm is no tmpfs here")
    check_fetched([in_memory], [0], [SIZE], 1)
