from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.dataset import BrokenImageError
from imgstore_tui.core.errors import UsageError
from imgstore_tui.images import decode
from imgstore_tui.plugins.registry import make_dataset
from imgstore_tui.testing.conformance_dataset import DatasetConformance, MakeDataset, is_sentence
from tests.support.datasets import at, folder, reasons, save, scanned_folder, tree_of


class TestVaryingFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        for number, suffix in enumerate(("png", "jpg", "webp", "bmp", "tif", "PNG", "jpeg", "TIFF")):
            save(tmp_path / "cats" / f"{number}.{suffix}", 10 + number, 20 + number, seed=number)
        save(tmp_path / "dogs" / "grey.png", channels=1)
        save(tmp_path / "dogs" / "deep" / "alpha.png", channels=4)
        Image.fromarray(np.full((4, 5), 40_000, np.uint16)).save(tmp_path / "dogs" / "sixteen.png")
        (tmp_path / "dogs" / "broken.png").write_bytes(b"not a picture")
        return lambda: folder(tmp_path)


class TestUniformFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        for number in range(4):
            save(tmp_path / f"{number}.png", seed=number)
        return lambda: folder(tmp_path)


class TestSampledFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        tree_of(tmp_path, a=9, b=3, c=1)
        return lambda: make_dataset(f"folder:{tmp_path},sample=8,seed=3")


class TestResizedFolder(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        save(tmp_path / "a.png", 9, 40)
        save(tmp_path / "b.png", 50, 12, channels=1)
        save(tmp_path / "c.png", 33, 33, channels=4)
        Image.fromarray(np.full((40, 50), 40_000, np.uint16)).save(tmp_path / "d.png")
        return lambda: make_dataset(f"folder:{tmp_path},resize=16x8")


def test_any_number_of_the_first_pictures_has_each_class_by_its_share(tmp_path: Path) -> None:
    dataset = scanned_folder(tree_of(tmp_path, a=40, b=20, c=20))
    assert len(dataset) == 80
    for cutoff in (4, 12, 40):
        labels = [dataset.label(index) for index in range(cutoff)]
        assert [labels.count(label) for label in range(3)] == [cutoff // 2, cutoff // 4, cutoff // 4]
    assert dataset.summary.endswith(": 80 pictures of 20x30x3 in 3 classes")


def test_a_larger_sample_begins_with_the_smaller_one(tmp_path: Path) -> None:
    tree_of(tmp_path, a=30, b=20)
    small, large = scanned_folder(tmp_path, sample=10), scanned_folder(tmp_path)
    assert [small.file(index) for index in range(10)] == [large.file(index) for index in range(10)]


def test_only_the_headers_of_what_is_wanted_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgstore_tui.datasets.folder._LEAST_HEADERS", 8)
    dataset = folder(tree_of(tmp_path, a=30, b=20))
    dataset.image_limit = 4
    dataset.scan()
    assert len(dataset) == 8
    assert dataset.label_names == ("a", "b")
    assert dataset.summary.endswith("8 pictures checked, 16 % of 50, of 20x30x3 in 2 classes")


def test_what_turns_out_broken_is_replaced_while_there_are_unseen_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgstore_tui.datasets.folder._LEAST_HEADERS", 8)
    tree_of(tmp_path, a=12)
    for path in (tmp_path / "a").iterdir():
        path.write_bytes(path.read_bytes()[:-9])  # the header is whole
    for number in range(3):
        save(tmp_path / "a" / f"good{number}.bmp")
    dataset = folder(tmp_path)
    dataset.image_limit = 3
    dataset.scan()
    good, index = 0, 0
    while index < len(dataset):
        try:
            dataset.image(index)
            good += 1
        except BrokenImageError:
            pass
        index += 1
    assert good == 3


def test_the_first_folder_level_gives_the_labels(tmp_path: Path) -> None:
    for name in ("zebra/1.png", "!ant/deep/1.png", "ant/1.png", "root.png"):
        save(tmp_path / name)
    dataset = scanned_folder(tmp_path)
    assert dataset.label_names == (".", "!ant", "ant", "zebra")
    labels = {str(dataset.file(index).relative_to(tmp_path)): dataset.label(index) for index in range(4)}
    assert labels == {"!ant/deep/1.png": 1, "ant/1.png": 2, "root.png": 0, "zebra/1.png": 3}


def test_without_folders_there_are_no_names(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    assert scanned_folder(tmp_path).label_names == ()
    assert not scanned_folder(tmp_path).has_labels


def test_a_broken_file_keeps_its_class(tmp_path: Path) -> None:
    save(tmp_path / "b" / "1.png")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"")
    assert scanned_folder(tmp_path).label_names == ("a", "b")
    assert scanned_folder(tmp_path).label(0) == 1


@pytest.mark.parametrize(
    ("second", "uniform"),
    [((20, 30, 3), ((20, 30, 3), "uint8")), ((20, 31, 3), None), ((20, 30, 1), None), ((20, 30, 4), None)],
)
def test_uniform_is_one_shape_and_type(tmp_path: Path, second: tuple[int, int, int], uniform: object) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / "b.png", *second)
    assert scanned_folder(tmp_path).uniform == uniform


def test_depth_counts_as_kind(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((4, 5), np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.zeros((4, 5), np.uint8)).save(tmp_path / "b.png")
    dataset = scanned_folder(tmp_path)
    assert dataset.uniform is None
    assert "of one size but varying kinds" in dataset.summary


def test_resize_makes_all_pictures_rgb_of_one_size(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (10, 200, 30)).save(tmp_path / "a.png")
    Image.new("L", (10, 90), 77).save(tmp_path / "b.png")
    dataset = scanned_folder(tmp_path, "32x16")
    assert dataset.uniform == ((16, 32, 3), "uint8")
    assert (dataset.image(at(dataset, "a.png")) == (10, 200, 30)).all()
    assert (dataset.image(at(dataset, "b.png")) == 77).all()
    assert not dataset.has_originals
    assert dataset.summary.endswith("2 pictures of 16x32x3 (resized)")


@pytest.mark.parametrize("size", ["32", "32x", "x", "0x5", "5x0", "-1x5", "32x32x3", "99999x5", "a x b", "\x1b[31m"])
def test_a_size_that_is_none_is_refused(tmp_path: Path, size: str) -> None:
    with pytest.raises(UsageError, match=r"takes WIDTHxHEIGHT") as caught:
        folder(tmp_path, size)
    assert is_sentence(str(caught.value))


def test_a_sample_has_each_class_by_its_share_whatever_the_cutoff(tmp_path: Path) -> None:
    dataset = scanned_folder(tree_of(tmp_path, a=100, b=50, c=50), sample=40)
    for cutoff in (4, 12, 40):
        labels = [dataset.label(index) for index in range(cutoff)]
        assert [labels.count(label) for label in range(3)] == [cutoff // 2, cutoff // 4, cutoff // 4]
    assert dataset.summary.endswith("a sample of 40 pictures, 20 % of 200, of 20x30x3 in 3 classes")


def test_a_sample_is_the_same_for_the_same_seed_and_another_for_another(tmp_path: Path) -> None:
    tree_of(tmp_path, a=60, b=60)
    names = [scanned_folder(tmp_path, sample=20, seed=seed)._names for seed in (1, 1, 2)]
    assert names[0] == names[1] != names[2]
    assert len(set(names[0])) == 20


def test_a_sample_goes_on_past_broken_files_and_looks_at_no_more_than_it_needs(tmp_path: Path) -> None:
    tree_of(tmp_path, a=60)
    for number in range(0, 60, 3):
        (tmp_path / "a" / f"{number:03}.bmp").write_bytes(b"broken")
    dataset = scanned_folder(tmp_path, sample=10)
    assert len(dataset) == 10
    assert 0 < len(dataset.excluded) < 20


def test_a_sample_larger_than_the_folder_is_all_of_it(tmp_path: Path) -> None:
    dataset = scanned_folder(tree_of(tmp_path, a=3), sample=10)
    assert len(dataset) == 3
    assert dataset.summary.endswith(": 3 pictures of 20x30x3 in 1 class")


def test_the_summary_counts(tmp_path: Path) -> None:
    save(tmp_path / "p" / "a" / "1.png")
    assert scanned_folder(tmp_path / "p").summary == "folder p: 1 picture of 20x30x3 in 1 class"
    save(tmp_path / "p" / "b" / "1.png", 50)
    assert scanned_folder(tmp_path / "p").summary == "folder p: 2 pictures of varying sizes in 2 classes"


def test_pictures_that_nothing_here_decodes_are_listed_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(decode, "_opener", decode._opener.__wrapped__)
    save(tmp_path / "a.avif")
    (tmp_path / "b.JXL").write_bytes(b"\xff\x0a" + bytes(50))
    (tmp_path / "c.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50))
    dataset = scanned_folder(tmp_path)
    assert [dataset.file(index).name for index in range(len(dataset))] == ["a.avif"]
    assert dataset.image(0).shape == (20, 30, 3)
    assert {name: "decode=no" in reason for name, reason in reasons(dataset).items()} == {"b.JXL": True, "c.heic": True}
    whole = scanned_folder(tmp_path, decode=False)
    assert {whole.file(index).name for index in range(3)} == {"a.avif", "b.JXL", "c.heic"}
    assert {whole.original(index)[:4] for index in range(3)} >= {b"\xff\x0a\0\0"}
