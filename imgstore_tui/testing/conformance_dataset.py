"""Tests what every dataset must do. The test of a dataset inherits the class and defines how to make one.

class TestMine(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        write_some_data(tmp_path)
        return lambda: Mine(tmp_path, {})
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError

MakeDataset = Callable[[], Dataset]
"""Returns a new instance of the same dataset, not yet scanned."""

Snapshot = dict[str, tuple[int, int, int, str]]
"""Mode, size, modification time and content by path."""


def snapshot(roots: tuple[Path, ...]) -> Snapshot:
    """Return mode, size, modification time and SHA-256 (or link target) of everything in the roots."""
    files: Snapshot = {}
    for root in roots:
        for path in [root, *sorted(root.rglob("*"))] if root.is_dir() else [root]:
            status = path.lstat()
            if path.is_symlink():
                content = str(path.readlink())
            else:
                content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            size = 0 if path.is_dir() else status.st_size
            files[str(path)] = (status.st_mode, size, status.st_mtime_ns, content)
    return files


def is_sentence(text: str) -> bool:
    """Return whether a text is one printable line that ends like a sentence."""
    return text.isprintable() and text[:1] != "" and text.rstrip()[-1:] in {".", "?", "!"}


class DatasetConformance:
    """The conformance suite of a dataset: inherit it and define the fixture ``make``."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        raise NotImplementedError("give a fixture 'make' that returns a function which makes the dataset")

    @pytest.fixture
    def dataset(self, make: MakeDataset) -> Dataset:
        dataset = make()
        dataset.scan()
        return dataset

    def test_it_declares_what_lists_and_forms_need(self, make: MakeDataset) -> None:
        dataset_class = type(make())
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", dataset_class.name)
        assert dataset_class.title
        assert is_sentence(dataset_class.describe)
        names = [option.name for option in dataset_class.options]
        assert len(set(names)) == len(names)
        for option in dataset_class.options:
            assert option.parse(option.default, "it") == option.default
            assert is_sentence(option.summary)

    def test_it_holds_images(self, dataset: Dataset) -> None:
        assert len(dataset) >= 1

    def test_images_are_arrays_that_the_caller_owns(self, dataset: Dataset) -> None:
        for index in _some(dataset):
            image = dataset.image(index)
            assert image.dtype in (np.uint8, np.uint16)
            assert image.ndim in {2, 3}
            assert image.ndim == 2 or image.shape[2] in {1, 3, 4}
            assert image.size
            assert image.flags.c_contiguous
            assert image.flags.writeable
            again = dataset.image(index)
            assert not np.shares_memory(image, again)
            image[...] = ~image
            assert np.array_equal(dataset.image(index), again)

    def test_images_and_labels_are_the_same_whenever_they_are_asked_for(self, make: MakeDataset) -> None:
        first, second = make(), make()
        first.scan()
        second.scan()
        assert len(first) == len(second)
        assert first.label_names == second.label_names
        for index in _some(first):
            expected = first.image(index)
            assert np.array_equal(expected, first.image(index))
        for index in reversed(_some(first)):
            one, other = first.image(index), second.image(index)
            assert one.dtype == other.dtype
            assert np.array_equal(one, other)
            assert first.label(index) == second.label(index)

    def test_uniform_says_what_every_image_is(self, dataset: Dataset) -> None:
        kinds = {(dataset.image(index).shape, dataset.image(index).dtype.name) for index in _some(dataset)}
        assert dataset.uniform is None or kinds == {dataset.uniform}

    def test_labels_are_whole_numbers_that_have_names_if_any_has(self, dataset: Dataset) -> None:
        for index in _some(dataset):
            label = dataset.label(index)
            assert type(label) is int
            if dataset.label_names:
                assert label == NO_LABEL or 0 <= label < len(dataset.label_names)
        assert len(set(dataset.label_names)) == len(dataset.label_names)

    @pytest.mark.parametrize("beyond", [-1, 0, 1, 10**12])
    def test_an_index_that_does_not_exist_is_refused(self, dataset: Dataset, beyond: int) -> None:
        index = beyond if beyond < 0 else len(dataset) + beyond
        with pytest.raises(IndexError):
            dataset.image(index)
        with pytest.raises(IndexError):
            dataset.label(index)
        if dataset.has_originals:
            with pytest.raises(IndexError):
                dataset.original(index)

    def test_originals_are_the_pictures_or_are_refused(self, dataset: Dataset) -> None:
        from imgstore_tui.images.decode import decode

        if not dataset.has_originals:
            with pytest.raises(DataError) as caught:
                dataset.original(0)
            assert is_sentence(str(caught.value))
            return
        for index in _some(dataset):
            assert np.array_equal(decode(dataset.original(index)), dataset.image(index))

    def test_what_it_says_of_itself_can_be_shown(self, dataset: Dataset) -> None:
        assert dataset.summary.isprintable()
        assert dataset.summary
        assert all(is_sentence(warning) for warning in dataset.warnings)
        assert all(is_sentence(entry.reason) for entry in dataset.excluded)
        assert isinstance(dataset.roots, tuple)

    def test_progress_runs_forward(self, make: MakeDataset) -> None:
        reports: list[tuple[str, int, int | None]] = []
        make().scan(lambda step, done, total: reports.append((step, done, total)))
        for step in {step for step, _, _ in reports}:
            progress = [(done, total) for name, done, total in reports if name == step]
            assert [done for done, _ in progress] == sorted(done for done, _ in progress)
            assert all(total is None or done <= total for done, total in progress)

    def test_the_users_data_is_only_read(self, make: MakeDataset) -> None:
        dataset = make()
        before = snapshot(dataset.roots)
        dataset.scan()
        for index in _some(dataset):
            dataset.image(index)
            dataset.label(index)
            if dataset.has_originals:
                dataset.original(index)
        assert snapshot(dataset.roots) == before


def _some(dataset: Dataset) -> list[int]:
    """Return the first few indices, two in between, and the last."""
    count = len(dataset)
    return sorted({*range(min(count, 5)), count // 3, count // 2, count - 1})
