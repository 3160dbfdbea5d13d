from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import DataError
from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100
from imgstore_tui.plugins.registry import make_dataset
from imgstore_tui.testing.conformance_dataset import DatasetConformance, MakeDataset, is_sentence
from tests.support.cifar_files import LAYOUTS, pack, python2_batch, write_cifar
from tests.support.datasets import check_cifar, scanned_cifar

KINDS = ["python2", "python3:2", "python3:3", "python3:4", "python3:5", "binary"]


@pytest.mark.parametrize("kind", ["python2", "binary"])
@pytest.mark.parametrize("container", ["folder", "archive"])
class TestCifar10(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path, kind: str, container: str) -> MakeDataset:
        write_cifar(tmp_path / "c", CIFAR10, kind)
        path = tmp_path / "c" if container == "folder" else pack(tmp_path / "c", tmp_path / "c.tar.gz")
        return lambda: make_dataset(f"cifar10:{path}")


class TestCifar100(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        write_cifar(tmp_path / "c", CIFAR100)
        return lambda: make_dataset(f"cifar100:{tmp_path / 'c'},split=all,labels=coarse")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("container", ["folder", "parent", "tar.gz", "tar", "beside"])
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_every_form_gives_what_was_written(tmp_path: Path, kind: str, container: str, name: str) -> None:
    layout = LAYOUTS[name]
    home = layout.folders[0 if kind == "binary" else 1]
    made = write_cifar(tmp_path / home, layout, kind, 7)
    path = tmp_path / home
    if container == "parent":
        path = tmp_path
    elif container == "beside":
        path = tmp_path / "downloads"
        path.mkdir()
        pack(tmp_path / home, path / f"{home.replace('batches-py', 'python').replace('batches-bin', 'binary')}.tar.gz")
    elif container != "folder":
        path = pack(path, tmp_path / f"c.{container}")
    key = layout.labels[-1].key
    for split in ("train", "test", "all"):
        dataset = scanned_cifar(name, path, split=split)
        check_cifar(dataset, made, key, split)
        assert dataset.label_names == layout.labels[-1].names
        assert not dataset.excluded
    if name == "cifar100":
        check_cifar(scanned_cifar(name, path, labels="coarse"), made, "coarse_labels", "train")


@pytest.mark.parametrize("kind", KINDS)
def test_one_file_is_taken_whole_whatever_its_name(tmp_path: Path, kind: str) -> None:
    made = write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    file = tmp_path / "c" / ("test_batch.bin" if kind == "binary" else "test_batch")
    renamed = file.rename(tmp_path / "some name")
    check_cifar(scanned_cifar("cifar10", renamed), made, "labels", "test")
    assert scanned_cifar("cifar10", renamed).summary == "CIFAR-10 some name, 7 images 32x32x3"


def test_the_fixture_is_what_pickle_itself_would_read(tmp_path: Path) -> None:
    made = write_cifar(tmp_path / "c", CIFAR10, "python2", 5)
    with (tmp_path / "c" / "data_batch_1").open("rb") as file:
        loaded = pickle.load(file, encoding="latin1")
    assert list(loaded) == ["batch_label", "labels", "data", "filenames"]
    assert loaded["data"].shape == (5, 3072)
    assert loaded["data"].dtype == np.uint8
    expected = loaded["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    assert np.array_equal(expected, made.pixels[:5])
    assert loaded["labels"] == made.labels["labels"][:5]


def test_order_does_not_matter(tmp_path: Path) -> None:
    made = write_cifar(tmp_path / "c", CIFAR10, "python2", 30)
    archive = pack(tmp_path / "c", tmp_path / "c.tar.gz")
    for path in (tmp_path / "c", archive):
        dataset = scanned_cifar("cifar10", path)
        for index in (149, 0, 75, 74, 75, 76, 1, 148):
            assert np.array_equal(dataset.image(index), made.pixels[index])


@pytest.mark.full
def test_a_full_batch_is_read_in_pieces(tmp_path: Path) -> None:
    """Real sizes: 10,000 images a file, 50,000 in CIFAR-100's training file; memory stays at one batch."""
    rng = np.random.default_rng(0)
    data = rng.integers(0, 256, (50_000, 3072), np.uint8)
    fine = [int(label) for label in rng.integers(0, 100, 50_000)]
    labels = {"fine_labels": fine, "coarse_labels": [label // 5 for label in fine]}
    names = [f"aquarium_fish_s_{index:06}.png" for index in range(50_000)]
    (tmp_path / "train").write_bytes(python2_batch(data, labels, names))
    tracemalloc.start()
    try:
        dataset = scanned_cifar("cifar100", tmp_path)
        for index in range(0, 50_000, 50):
            dataset.image(index)
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()
    for index in (0, 49_999, 25_000):
        assert np.array_equal(dataset.image(index), data[index].reshape(3, 32, 32).transpose(1, 2, 0))
        assert dataset.label(index) == fine[index]


# What is not as it should be.


def test_missing_batches_are_named(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "binary", 7)
    (tmp_path / "c" / "data_batch_2.bin").unlink()
    (tmp_path / "c" / "data_batch_5.bin").unlink()
    dataset = scanned_cifar("cifar10", tmp_path / "c", split="all")
    assert len(dataset) == 28
    assert "Missing, and left out: data_batch_2.bin, data_batch_5.bin." in dataset.warnings


def test_missing_images_of_the_split_are_a_refusal(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR100, "python2", 7)
    (tmp_path / "c" / "train").unlink()
    with pytest.raises(DataError, match=r"There are no training images in .*, only test\. Write split=all") as caught:
        scanned_cifar("cifar100", tmp_path / "c")
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_batch_is_named_and_the_others_stay(tmp_path: Path, kind: str) -> None:
    made = write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    name = "data_batch_3.bin" if kind == "binary" else "data_batch_3"
    path = tmp_path / "c" / name
    path.write_bytes(path.read_bytes()[:-1000])
    dataset = scanned_cifar("cifar10", tmp_path / "c")
    assert [entry.name for entry in dataset.excluded] == [name]
    assert is_sentence(dataset.excluded[0].reason)
    assert len(dataset) == 28
    assert np.array_equal(dataset.image(14), made.pixels[21])


@pytest.mark.parametrize("kind", ["python2", "binary"])
def test_a_cut_archive_names_what_is_lost(tmp_path: Path, kind: str) -> None:
    write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    archive = pack(tmp_path / "c", tmp_path / "c.tar.gz")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 3])
    dataset = scanned_cifar("cifar10", archive, split="all")
    assert 0 < len(dataset) < 42
    assert any("cut short or damaged" in warning for warning in dataset.warnings)
    suffix = ".bin" if kind == "binary" else ""
    assert any(f"Missing, and left out: data_batch_1{suffix}" in warning for warning in dataset.warnings)
    for index in range(len(dataset)):
        dataset.image(index)


def test_a_short_batch_is_said(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "binary", 7)
    assert "data_batch_1.bin holds 7 images, not 10,000." in scanned_cifar("cifar10", tmp_path / "c").warnings


def test_a_wrong_checksum_is_a_warning(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "python2", 7)
    warning = "Checksums that are not the published ones of CIFAR-10: data_batch_1, data_batch_2, data_batch_3"
    assert any(text.startswith(warning) for text in scanned_cifar("cifar10", tmp_path / "c").warnings)
    archive = pack(tmp_path / "c", tmp_path / "c.tar.gz")
    assert "The archive's checksum is not the published one of CIFAR-10." in scanned_cifar("cifar10", archive).warnings


def test_names_of_labels_come_from_the_archive(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "binary", 7)
    (tmp_path / "c" / "batches.meta.txt").write_text("\n".join(f"class {number}" for number in range(10)))
    assert scanned_cifar("cifar10", tmp_path / "c").label_names[3] == "class 3"
    (tmp_path / "c" / "batches.meta.txt").write_text("only one")
    dataset = scanned_cifar("cifar10", tmp_path / "c")
    assert dataset.label_names == CIFAR10.labels[0].names
    assert any("batches.meta.txt cannot be used" in warning for warning in dataset.warnings)
