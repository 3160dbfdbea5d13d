from __future__ import annotations

import hashlib
import io
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.units import MAX_CUTOFF
from imgstore_tui.datasets.synthetic.recipe import BLOCK, Recipe
from imgstore_tui.plugins.registry import make_dataset
from imgstore_tui.testing.conformance_dataset import DatasetConformance, MakeDataset

PINNED = "03adf475d2033178"
"""SHA-256 of the first 1,000 images of seed 2026 at 32x32x3, all their bytes in order, starts with this."""


def scanned(text: str) -> Dataset:
    dataset = make_dataset(text)
    dataset.scan()
    return dataset


@pytest.mark.parametrize(
    "options",
    [
        "",
        ",size=8,channels=1",
        ",size=100,channels=4,seed=7",
        ",varying=yes",
        ",varying=yes,size=200,channels=1",
        ",count=3",
    ],
)
class TestSynthetic(DatasetConformance):
    @pytest.fixture
    def make(self, options: str) -> MakeDataset:
        return lambda: make_dataset("synthetic" + options)


def test_the_recipe_gives_the_pinned_bytes() -> None:
    images = Recipe(32, 32, 3, 2026).images(0, BLOCK)
    assert hashlib.sha256(images.tobytes()).hexdigest().startswith(PINNED)


def test_the_dataset_gives_the_pinned_bytes_in_order_and_alone() -> None:
    dataset = scanned("synthetic,seed=2026")
    digest = hashlib.sha256()
    for index in range(BLOCK):
        digest.update(dataset.image(index).tobytes())
    assert digest.hexdigest().startswith(PINNED)
    images = Recipe(32, 32, 3, 2026).images(0, BLOCK)
    for index in (999, 0, 500, 501, 3):
        assert np.array_equal(scanned("synthetic,seed=2026").image(index), images[index])


def test_images_compress_as_small_photographs_do() -> None:
    dataset = scanned("synthetic")
    sizes, seen = [], set()
    for index in range(1000):
        image, file = dataset.image(index), io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        sizes.append(len(file.getvalue()))
        seen.add(image.tobytes())
    assert len(seen) == 1000
    assert 2170 < np.mean(sizes) < 2350
    assert 230 < np.std(sizes) < 300
    assert np.percentile(sizes, 5) > 1650


@pytest.mark.parametrize("shape", [(8, 8, 1), (31, 20, 3), (33, 90, 4), (300, 200, 3), (700, 700, 1)])
def test_an_image_does_not_depend_on_what_is_made_with_it(shape: tuple[int, int, int]) -> None:
    recipe = Recipe(*shape, seed=5)
    together = recipe.images(BLOCK - 2, 5)  # across the border of two blocks
    for offset in range(5):
        assert np.array_equal(recipe.images(BLOCK - 2 + offset, 1)[0], together[offset])


@pytest.mark.parametrize("size", [8, 9, 31, 32, 100, 128, 500])
def test_every_size_has_content_of_its_own(size: int) -> None:
    images = Recipe(size, size, 3, 1).images(0, 12)
    assert images.shape == (12, size, size, 3)
    assert len({image.tobytes() for image in images}) == 12
    assert np.median(images.astype(float).std(axis=(1, 2, 3))) > 10


def test_a_smaller_picture_is_the_corner_of_the_power_of_two_that_holds_it_but_for_noise() -> None:
    small, large = Recipe(100, 100, 3, 1).images(0, 20), Recipe(128, 128, 3, 1).images(0, 20)
    assert np.abs(small.astype(int) - large[:, :100, :100]).max() <= 9


def test_channels_are_what_was_asked_for() -> None:
    assert scanned("synthetic,channels=1").image(0).shape == (32, 32)
    with_alpha = np.stack([scanned("synthetic,channels=4").image(index) for index in range(50)])
    assert with_alpha.shape[1:] == (32, 32, 4)
    assert with_alpha[..., 3].min() == 0
    assert with_alpha[..., 3].max() == 255


def test_the_colours_of_four_channels_are_those_of_three() -> None:
    assert np.array_equal(scanned("synthetic,channels=4").image(9)[..., :3], scanned("synthetic").image(9))


def test_other_seeds_give_other_images() -> None:
    assert not np.array_equal(scanned("synthetic,seed=1").image(0), scanned("synthetic,seed=2").image(0))


def test_varying_sizes_lie_around_the_size() -> None:
    dataset = scanned("synthetic,varying=yes")
    shapes = [dataset.image(index).shape for index in range(300)]
    heights, widths = {shape[0] for shape in shapes}, {shape[1] for shape in shapes}
    assert (min(heights), max(heights), min(widths), max(widths)) == (16, 48, 16, 48)
    assert any(height != width for height, width, _ in shapes)
    assert 30 < np.mean([shape[0] for shape in shapes]) < 34


def test_labels_are_the_last_digit() -> None:
    dataset = scanned("synthetic")
    assert [dataset.label(index) for index in (0, 9, 10, 1234)] == [0, 9, 0, 4]


def test_it_never_runs_out() -> None:
    dataset = scanned("synthetic")
    assert len(dataset) == MAX_CUTOFF
    assert dataset.image(MAX_CUTOFF - 1).shape == (32, 32, 3)
    assert len(scanned("synthetic,count=20")) == 20


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("synthetic", "synthetic 32x32x3"),
        ("synthetic,size=256,channels=1,seed=3", "synthetic 256x256x1, seed 3"),
        ("synthetic,size=64,varying=yes", "synthetic 32..96x32..96x3"),
    ],
)
def test_it_is_called_synthetic_wherever_it_is_shown(text: str, summary: str) -> None:
    assert scanned(text).summary == summary


@pytest.mark.parametrize(
    "options", ["size=7", "size=2049", "channels=2", "channels=0", "seed=-1", "count=0", "size=big", "varying=perhaps"]
)
def test_options_out_of_range_are_refused_in_a_sentence(options: str) -> None:
    with pytest.raises(UsageError, match=r"Option '\w+' of dataset synthetic takes .*, not .*\."):
        make_dataset(f"synthetic,{options}")


@pytest.mark.parametrize(("text", "most"), [("synthetic", 12 << 20), ("synthetic,size=2048", 64 << 20)])
def test_memory_is_bounded(text: str, most: int) -> None:
    dataset = scanned(text)
    tracemalloc.start()
    try:
        for index in range(2000 if text == "synthetic" else 2):
            dataset.image(index)
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


def test_listing_it_needs_no_numpy(fresh_modules: Callable[[str], set[str]]) -> None:
    assert "numpy" not in fresh_modules("import imgstore_tui.datasets.synthetic, imgstore_tui.datasets.folder")
