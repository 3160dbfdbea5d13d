"""What backends find out about themselves: LMDB about storing twice, HDF5 about data types."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imgstore_tui.plugins import registry

IMAGES = np.random.default_rng(0).integers(0, 256, (200, 32, 32, 3), np.uint8)
LABELS = np.arange(200, dtype=np.int64)


def test_lmdb_stored_twice_takes_the_map_twice(tmp_path: Path) -> None:
    measured = registry.make_backend(registry.resolve_spec("lmdb")).probe(tmp_path, IMAGES, LABELS)
    first, second = measured["length_bytes"][:2]
    assert 1.8 < second / first < 2.2
    assert measured["full_count"] == [0], "ten times the pixels are enough: old pages are used again"
    assert measured["tight_full_count"] == [2], "room for one copy is not room for two"
    own = measured["own_length_bytes"]
    assert own[-1] < 4 * own[0], "a store of ours grows its map and uses old pages again"


def test_hdf5_takes_what_its_type_says(tmp_path: Path) -> None:
    measured = registry.make_backend(registry.resolve_spec("hdf5")).probe(tmp_path, IMAGES, LABELS)
    small, large = measured["uint8_length_bytes"][0], measured["int64_length_bytes"][0]
    assert IMAGES.nbytes <= small < 1.1 * IMAGES.nbytes
    assert 8 * IMAGES.nbytes <= large < 8.1 * IMAGES.nbytes
    assert {len(values) for values in measured.values()} == {6}
    assert list(tmp_path.iterdir()) == []


def test_most_backends_have_none(tmp_path: Path) -> None:
    assert registry.make_backend(registry.resolve_spec("disk")).probe(tmp_path, IMAGES, LABELS) == {}
