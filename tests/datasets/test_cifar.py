from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.cifar.layout import CIFAR10, CIFAR100
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError
from imgstore_tui.registry import make_dataset
from imgstore_tui.testing.conformance_dataset import DatasetConformance, MakeDataset, is_sentence
from tests.cifar_fixtures import LAYOUTS, Made, binary_batch, pack, python2_batch, python3_batch, write_cifar

KINDS = ["python2", "python3:2", "python3:3", "python3:4", "python3:5", "binary"]


def scanned(name: str, path: Path, **options: str) -> Dataset:
    words = "".join(f",{key}={value}" for key, value in options.items())
    dataset = make_dataset(f'{name}:"{path}"{words}')
    dataset.scan()
    return dataset


def check(dataset: Dataset, made: Made, key: str, split: str) -> None:
    """Compare every image and label with what was written."""
    wanted = [index for index, of in enumerate(made.split) if split in {"all", of}]
    assert len(dataset) == len(wanted)
    for index, expected in enumerate(wanted):
        assert np.array_equal(dataset.image(index), made.pixels[expected])
        assert dataset.label(index) == made.labels[key][expected]


@pytest.mark.parametrize("kind", ["python2", "binary"])
@pytest.mark.parametrize("place", ["folder", "archive"])
class TestCifar10(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path, kind: str, place: str) -> MakeDataset:
        write_cifar(tmp_path / "c", CIFAR10, kind)
        path = tmp_path / "c" if place == "folder" else pack(tmp_path / "c", tmp_path / "c.tar.gz")
        return lambda: make_dataset(f"cifar10:{path}")


class TestCifar100(DatasetConformance):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakeDataset:
        write_cifar(tmp_path / "c", CIFAR100)
        return lambda: make_dataset(f"cifar100:{tmp_path / 'c'},split=all,labels=coarse")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["folder", "parent", "tar.gz", "tar", "beside"])
@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_every_form_gives_what_was_written(tmp_path: Path, kind: str, place: str, name: str) -> None:
    layout = LAYOUTS[name]
    home = layout.folders[0 if kind == "binary" else 1]
    made = write_cifar(tmp_path / home, layout, kind, 7)
    path = tmp_path / home
    if place == "parent":
        path = tmp_path
    elif place == "beside":
        path = tmp_path / "downloads"
        path.mkdir()
        pack(tmp_path / home, path / f"{home.replace('batches-py', 'python').replace('batches-bin', 'binary')}.tar.gz")
    elif place != "folder":
        path = pack(path, tmp_path / f"c.{place}")
    key = layout.labels[-1].key
    for split in ("train", "test", "all"):
        dataset = scanned(name, path, split=split)
        check(dataset, made, key, split)
        assert dataset.label_names == layout.labels[-1].names
        assert not dataset.excluded
    if name == "cifar100":
        check(scanned(name, path, labels="coarse"), made, "coarse_labels", "train")


@pytest.mark.parametrize("kind", KINDS)
def test_one_file_is_taken_whole_whatever_its_name(tmp_path: Path, kind: str) -> None:
    made = write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    file = tmp_path / "c" / ("test_batch.bin" if kind == "binary" else "test_batch")
    renamed = file.rename(tmp_path / "some name")
    check(scanned("cifar10", renamed), made, "labels", "test")
    assert scanned("cifar10", renamed).summary == "CIFAR-10 some name, 7 images 32x32x3"


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
        dataset = scanned("cifar10", path)
        for index in (149, 0, 75, 74, 75, 76, 1, 148):
            assert np.array_equal(dataset.image(index), made.pixels[index])


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
        dataset = scanned("cifar100", tmp_path)
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
    dataset = scanned("cifar10", tmp_path / "c", split="all")
    assert len(dataset) == 28
    assert "Missing, and left out: data_batch_2.bin, data_batch_5.bin." in dataset.warnings


def test_missing_images_of_the_split_are_a_refusal(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR100, "python2", 7)
    (tmp_path / "c" / "train").unlink()
    with pytest.raises(DataError, match=r"There are no training images in .*, only test\. Write split=all") as caught:
        scanned("cifar100", tmp_path / "c")
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_batch_is_named_and_the_others_stay(tmp_path: Path, kind: str) -> None:
    made = write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    name = "data_batch_3.bin" if kind == "binary" else "data_batch_3"
    path = tmp_path / "c" / name
    path.write_bytes(path.read_bytes()[:-1000])
    dataset = scanned("cifar10", tmp_path / "c")
    assert [entry.name for entry in dataset.excluded] == [name]
    assert is_sentence(dataset.excluded[0].reason)
    assert len(dataset) == 28
    assert np.array_equal(dataset.image(14), made.pixels[21])


@pytest.mark.parametrize("kind", ["python2", "binary"])
def test_a_cut_archive_names_what_is_lost(tmp_path: Path, kind: str) -> None:
    write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    archive = pack(tmp_path / "c", tmp_path / "c.tar.gz")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size * 2 // 3])
    dataset = scanned("cifar10", archive, split="all")
    assert 0 < len(dataset) < 42
    assert any("cut short or damaged" in warning for warning in dataset.warnings)
    suffix = ".bin" if kind == "binary" else ""
    assert any(f"Missing, and left out: data_batch_1{suffix}" in warning for warning in dataset.warnings)
    for index in range(len(dataset)):
        dataset.image(index)


def test_a_short_batch_is_said(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "binary", 7)
    assert "data_batch_1.bin holds 7 images, not 10,000." in scanned("cifar10", tmp_path / "c").warnings


def test_a_wrong_checksum_is_a_warning(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "python2", 7)
    warning = "Checksums that are not the published ones of CIFAR-10: data_batch_1, data_batch_2, data_batch_3"
    assert any(said.startswith(warning) for said in scanned("cifar10", tmp_path / "c").warnings)
    archive = pack(tmp_path / "c", tmp_path / "c.tar.gz")
    assert "The archive's checksum is not the published one of CIFAR-10." in scanned("cifar10", archive).warnings


def test_names_of_labels_come_from_the_archive(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "binary", 7)
    (tmp_path / "c" / "batches.meta.txt").write_text("\n".join(f"class {number}" for number in range(10)))
    assert scanned("cifar10", tmp_path / "c").label_names[3] == "class 3"
    (tmp_path / "c" / "batches.meta.txt").write_text("only one")
    dataset = scanned("cifar10", tmp_path / "c")
    assert dataset.label_names == CIFAR10.labels[0].names
    assert any("batches.meta.txt cannot be used" in warning for warning in dataset.warnings)


def hostile(path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
            return os.system, ("touch executed",)

    path.write_bytes(pickle.dumps({"data": Evil(), "labels": [0]}, 2))


def shape_of_terabytes(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"J\x07\x00\x00\x00M\x00\x0c\x86", b"J\xff\xff\xff\x7fM\x00\x0c\x86"))


def string_of_terabytes(path: Path) -> None:
    path.write_bytes(b"\x80\x04\x8e\xff\xff\xff\xff\xff\x00\x00\x00" + bytes(100))


def deep_key(path: Path) -> None:
    path.write_bytes(b"\x80\x02}(" + b"N" + b"\x85" * 300_000 + b"Nu.")


def deep_value(path: Path) -> None:
    path.write_bytes(b"\x80\x02}(U\x04data" + b"N" + b"\x85" * 300_000 + b"u.")


def deep_lists(path: Path) -> None:
    path.write_bytes(b"\x80\x02" + b"]" * 300_000 + b"a" * 299_999 + b".")


def endless(path: Path) -> None:
    path.write_bytes(b"\x80\x02" + b"]" * 3_000_000 + b".")


def doubling(path: Path) -> None:
    path.write_bytes(b"\x80\x02N" + b"2\x86" * 400_000 + b".")


def colliding_keys(path: Path) -> None:
    keys = b"".join(b"\x8a\x0c" + (number * (2**61 - 1)).to_bytes(12, "little") + b"N" for number in range(50_000))
    path.write_bytes(b"\x80\x02}(" + keys + b"u.")


def protocol_zero(path: Path) -> None:
    data = np.zeros((7, 3072), np.uint8)
    path.write_bytes(pickle.dumps({"data": data, "labels": [0] * 7}, 0))


def label_beyond(path: Path) -> None:
    path.write_bytes(python3_batch(np.zeros((1, 3072), np.uint8), {"labels": [10]}, ["a"], 2))


def label_huge(path: Path) -> None:
    path.write_bytes(python3_batch(np.zeros((1, 3072), np.uint8), {"labels": [1 << 900]}, ["a"], 2))


def label_is_text(path: Path) -> None:
    path.write_bytes(pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": ["1"]}, 2))


def too_few_labels(path: Path) -> None:
    path.write_bytes(python3_batch(np.zeros((2, 3072), np.uint8), {"labels": [1]}, ["a"], 2))


def other_width(path: Path) -> None:
    path.write_bytes(python3_batch(np.zeros((2, 3071), np.uint8), {"labels": [1, 1]}, ["a"], 2))


def floats(path: Path) -> None:
    path.write_bytes(pickle.dumps({"data": np.zeros((2, 3072)), "labels": [1, 1]}, 4))


def columns_first(path: Path) -> None:
    path.write_bytes(pickle.dumps({"data": np.zeros((2, 3072), np.uint8, "F"), "labels": [1, 1]}, 2))


def objects(path: Path) -> None:
    path.write_bytes(pickle.dumps({"data": np.array([[None]]), "labels": [1]}, 2))


def other_data_set(path: Path) -> None:
    labels = {"fine_labels": [1, 2], "coarse_labels": [1, 2]}
    path.write_bytes(python2_batch(np.zeros((2, 3072), np.uint8), labels, ["a", "b"]))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def stop(path: Path) -> None:
    path.write_bytes(b"\x80\x02.")


def just_none(path: Path) -> None:
    path.write_bytes(b"\x80\x02N.")


def spelled_wrongly(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"U\x02u1", b"U\x02u2"))


HOSTILE = [
    hostile, shape_of_terabytes, string_of_terabytes, deep_key, deep_value, deep_lists, endless, doubling,
    colliding_keys, protocol_zero, label_beyond, label_huge, label_is_text, too_few_labels, other_width, floats,
    columns_first, objects, other_data_set, empty, stop, just_none, spelled_wrongly,
]  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE)
def test_a_hostile_or_foreign_batch_ends_in_a_sentence(
    tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_cifar(tmp_path / "c", CIFAR10, "python2", 7)
    path = tmp_path / "c" / "data_batch_1"
    make(path)
    with pytest.raises(DataError) as caught:
        scanned("cifar10", path)
    assert is_sentence(str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 500
    assert not (tmp_path / "executed").exists()


def test_a_hostile_batch_does_not_take_the_others_down(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "python2", 7)
    hostile(tmp_path / "c" / "data_batch_1")
    dataset = scanned("cifar10", tmp_path / "c")
    assert len(dataset) == 28
    assert [entry.name for entry in dataset.excluded] == ["data_batch_1"]


@pytest.mark.parametrize("make", [hostile, floats])
def test_reasons_say_what_was_found(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "batch")
    said = {"hostile": "It asks for 'posix.system', which no CIFAR batch needs. Nothing of it was run.",
            "floats": "Its array 'data' does not hold bytes, row by row."}  # fmt: skip
    with pytest.raises(DataError) as caught:
        scanned("cifar10", tmp_path / "batch")
    assert str(caught.value).endswith(said[make.__name__])


@pytest.mark.parametrize(
    ("size", "said"), [(30_730_000 - 5, "no multiple of 3,073"), (3072, "no multiple"), (3073 * 2 + 1, "no multiple")]
)
def test_a_binary_batch_of_the_wrong_length_is_refused(tmp_path: Path, size: int, said: str) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=said):
        scanned("cifar10", tmp_path)


def test_a_binary_batch_of_the_other_data_set_is_refused(tmp_path: Path) -> None:
    labels = {"fine_labels": [99] * 3073, "coarse_labels": [19] * 3073}
    data = np.zeros((3073, 3072), np.uint8)
    (tmp_path / "train.bin").write_bytes(binary_batch(CIFAR100, data, labels))
    with pytest.raises(DataError, match=r"The label of image 0 is 19, but CIFAR-10 has labels 0 to 9"):
        scanned("cifar10", tmp_path / "train.bin")


@pytest.mark.parametrize(
    "name", ["missing", "empty", "text", "text.tar.gz", "bomb.tar.gz", "many.tar.gz", "pipe", "a\0b"]
)
def test_a_path_that_cannot_serve_is_refused_in_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").write_text("hello")
    (tmp_path / "text.tar.gz").write_bytes(gzip.compress(b"hello" * 1000))
    os.mkfifo(tmp_path / "pipe")
    if name == "bomb.tar.gz":
        header = tarfile.TarInfo("cifar-10-batches-py/data_batch_1")
        header.size = 1 << 36
        with gzip.open(tmp_path / name, "wb") as file:
            file.write(header.tobuf())
            file.write(bytes(1 << 20))
    if name == "many.tar.gz":
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            for number in range(1100):
                archive.addfile(tarfile.TarInfo(str(number)), io.BytesIO())
    with pytest.raises(DataError) as caught:
        scanned("cifar10", tmp_path / name)
    assert is_sentence(str(caught.value))


def test_members_are_told_by_their_last_name_and_links_are_none(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "binary", 7)
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(3073))
    with tarfile.open(tmp_path / "c.tar", "w") as archive:
        archive.add(tmp_path / "c" / "test_batch.bin", "../../../etc/test_batch.bin")
        link = tarfile.TarInfo("data_batch_1.bin")
        link.type, link.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(link)
    dataset = scanned("cifar10", tmp_path / "c.tar", split="all")
    assert len(dataset) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "c.tar", "secret"]


@pytest.mark.parametrize("kind", ["python2", "binary"])
def test_a_file_that_changes_after_the_scan_is_named(tmp_path: Path, kind: str) -> None:
    write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    dataset = scanned("cifar10", tmp_path / "c")
    name = "data_batch_1.bin" if kind == "binary" else "data_batch_1"
    with (tmp_path / "c" / name).open("ab") as file:
        file.write(b"x")
    with pytest.raises(DataError, match=f"{name}' has changed"):
        dataset.image(0)
    (tmp_path / "c" / name).unlink()
    with pytest.raises(DataError, match=f"{name}' cannot be read"):
        dataset.image(0)
    assert dataset.image(7).shape == (32, 32, 3)


def test_listing_it_needs_no_numpy(fresh_modules: Callable[[str], set[str]]) -> None:
    found = fresh_modules("import imgstore_tui.datasets.cifar10, imgstore_tui.datasets.cifar100")
    assert "numpy" not in found
