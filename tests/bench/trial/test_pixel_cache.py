from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import DataError
from tests.support.listed_images import build_listed

IMAGES: list[Any] = [
    np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
    np.arange(5, dtype=np.uint8).reshape(1, 5),
    np.full((3, 3), 60_000, np.uint16),
]


def test_images_of_all_shapes_come_back(tmp_path: Path) -> None:
    facts, source = build_listed(tmp_path, IMAGES, 3)
    assert source is not None
    for index, image in enumerate(IMAGES):
        np.testing.assert_array_equal(source.image(index), image)
        assert source.image(index).dtype == image.dtype
    assert source.labels_of(range(3)).tolist() == [-1, 0, 1]
    assert (facts.used, facts.repeated, facts.shape, facts.pixel_bytes) == (3, False, None, 12 + 5 + 18)
    assert source.uniform is None


def test_a_cutoff_beyond_the_data_repeats_it_and_says_so(tmp_path: Path) -> None:
    facts, source = build_listed(tmp_path, IMAGES[:1], 7)
    assert source is not None
    assert facts.repeated
    assert facts.used == 1
    np.testing.assert_array_equal(source.image(6), IMAGES[0])
    assert source.labels_of(range(2, 5)).tolist() == [-1, -1, -1]
    out = source.new_array(3)
    source.copy_into(range(4, 7), out)
    np.testing.assert_array_equal(out, np.stack([IMAGES[0]] * 3))
    assert source.pixel_bytes(7) == 84


def test_no_more_than_the_cutoff_is_used(tmp_path: Path) -> None:
    facts, _ = build_listed(tmp_path, IMAGES, 2)
    assert (facts.images, facts.used) == (3, 2)


def test_a_broken_image_is_left_out_and_listed(tmp_path: Path) -> None:
    facts, source = build_listed(tmp_path, [None, *IMAGES[:1]], 2)
    assert source is not None
    assert facts.excluded == (("bad0", "It is cut short."),)
    assert (facts.images, facts.used) == (1, 1)
    assert source.labels_of([0]).tolist() == [0]


def test_nothing_but_broken_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not one image"):
        build_listed(tmp_path, [None, None], 2)


def test_originals_of_a_dataset_that_has_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="original"):
        build_listed(tmp_path, IMAGES, 1, originals=True)


def test_the_fingerprint_tells_pixels_shapes_and_labels_apart(tmp_path: Path) -> None:
    prints = set()
    for number, images in enumerate(([IMAGES[0]], [IMAGES[0].reshape(4, 1, 3)], [IMAGES[0] + 1], IMAGES[:2])):
        folder = tmp_path / str(number)
        folder.mkdir()
        prints.add(build_listed(folder, images, 2)[0].fingerprint)
    assert len(prints) == 4


def test_a_batch_is_smaller_where_images_are_large(tmp_path: Path) -> None:
    _, source = build_listed(tmp_path, IMAGES, 3)
    assert source is not None
    assert source.batch_size(256) == 256
    assert source.batch_size(256, most_bytes=40) == 2
    assert source.batch_size(256, most_bytes=1) == 1
