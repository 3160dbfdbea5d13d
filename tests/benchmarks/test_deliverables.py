"""Tests that both sides of the table of the tutorial's own code deliver the same."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.support.program import program

COUNT = 7


@pytest.fixture
def scripts() -> tuple[ModuleType, ModuleType, ModuleType]:
    """The reference, its loop, and the reads of ours, which need both libraries of the article."""
    pytest.importorskip("h5py", reason="h5py is not installed (extra hdf5)")
    pytest.importorskip("lmdb", reason="lmdb is not installed (extra lmdb)")
    from tests.benchmarks import first_loop, open_reads, reference

    return reference, first_loop, open_reads


def converted(method: str, folder: Path) -> tuple[Path, Any, Any]:
    """Store synthetic images with the program; return the store, its images and labels."""
    import imgstore_tui

    store = folder / f"ours{'.h5' if method == 'hdf5' else ''}"
    done = program("convert", "synthetic", method, str(store), "-n", str(COUNT), "--quiet")
    assert done.returncode == 0, done.stderr
    with imgstore_tui.open(store) as images:
        assert images.labels is not None
        return store, np.array(images[:]), np.array(images.labels)


@pytest.mark.sample_first
@pytest.mark.parametrize("method", ["disk", "lmdb", "hdf5"])
def test_all_images_and_labels_are_returned_in_the_types_of_the_article(
    method: str, tmp_path: Path, scripts: tuple[ModuleType, ModuleType, ModuleType]
) -> None:
    reference, _, open_reads = scripts
    store, images, labels = converted(method, tmp_path)
    reference.WRITE[method](tmp_path / "theirs", images, labels, False)
    theirs = reference.READ[method](tmp_path / "theirs", range(COUNT))
    ours = open_reads.read_all(store, None, lists=method != "hdf5")
    for own, other in zip(ours, theirs, strict=True):
        assert type(own) is type(other)
        assert len(own) == len(other) == COUNT
        assert np.array_equal(np.asarray(own), np.asarray(other))
    assert ours[0][0].dtype == theirs[0][0].dtype


@pytest.mark.sample_first
@pytest.mark.parametrize("method", ["disk", "lmdb", "hdf5"])
def test_the_loops_hand_over_the_same_batches(
    method: str, tmp_path: Path, scripts: tuple[ModuleType, ModuleType, ModuleType]
) -> None:
    reference, first_loop, open_reads = scripts
    store, images, labels = converted(method, tmp_path)
    reference.WRITE[method](tmp_path / "theirs", images, labels, False)
    with first_loop.OPEN[method](tmp_path / "theirs") as theirs, open_reads.open_batches(store, None) as ours:
        for ids in (range(2, 5), [6, 0, 3, 3], [1]):
            for own, other in zip(ours(ids), theirs(ids), strict=True):
                assert np.array_equal(np.asarray(own), np.asarray(other))
