"""The process that reads files of other programs has a bound of memory; beyond it there is a sentence, no crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import is_sentence
from tests.support.program import sentence

SMALL_KIB = 200_000
"""Enough to start the program, and less than the labels of the file take."""


def many_labels(path: Path) -> None:
    """Write a file of little size whose labels take 240 MB."""
    with h5py.File(path, "w") as file:
        for name, shape, dtype in (("images", (30_000_000, 2, 2, 3), "u1"), ("labels", (30_000_000,), "i8")):
            dataset = file.create_dataset(name, shape, dtype, compression="gzip", chunks=(2**18, *shape[1:]))
            dataset[: 2**18] = 1
        file["note"] = np.random.default_rng(0).integers(0, 255, 2**20, np.uint8)  # or it were larger than it can be


def converted(path: Path, kib: int) -> subprocess.CompletedProcess[str]:
    """Convert the first image of a file while no process may have more memory than given."""
    words = ["convert", "-n", "1", f"store:{path}", "npy", str(path.parent / "out")]
    return subprocess.run(
        ["bash", "-c", f'ulimit -d {kib}; exec "$@"', "bash", sys.executable, "-m", "imgstore_tui", *words],
        capture_output=True, text=True, check=False, timeout=150, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_what_takes_more_memory_than_there_may_be_is_refused_in_a_sentence(tmp_path: Path) -> None:
    many_labels(tmp_path / "a.h5")
    assert (tmp_path / "a.h5").stat().st_size < 4_000_000
    refusal = sentence(converted(tmp_path / "a.h5", SMALL_KIB))
    assert refusal == f"{tmp_path / 'a.h5'} cannot be read: it takes more than 195 MiB of memory."
    assert not (tmp_path / "out").exists()


@pytest.mark.full
def test_a_chunk_that_the_library_cannot_unpack_is_no_damage(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        images = file.create_dataset("images", (90, 900, 900, 3), "u1", compression="gzip", chunks=(90, 900, 900, 3))
        images[0] = np.random.default_rng(0).integers(0, 255, (900, 900, 3), np.uint8)
    done = converted(tmp_path / "a.h5", SMALL_KIB)
    assert done.returncode != 0
    assert "damaged" not in done.stderr
    assert "memory" in done.stderr
    assert is_sentence(done.stderr.splitlines()[-1].removeprefix("imgstore-tui: "))


def test_the_bound_is_set_in_the_process_that_reads(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["images"] = np.zeros((2, 8, 8, 3), np.uint8)
    dataset = registry.make_dataset(f"store:{tmp_path / 'a.h5'}")
    before = {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    dataset.scan()
    children = [
        limits(pid) for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (pid := int(entry.name)) not in before and parent_of(pid) == os.getpid()
    ]  # fmt: skip
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert [2**31 <= bound <= max(2**31, min(2**34, memory // 2)) for bound in children] == [True]


def parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError):
        return 0


def limits(pid: int) -> int:
    """Return the bytes of data that a process may have."""
    line = next(x for x in Path(f"/proc/{pid}/limits").read_text().splitlines() if x.startswith("Max data size"))
    soft = line.split()[3]
    return 2**63 if soft == "unlimited" else int(soft)
