from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imgstore_tui.core.errors import DataError
from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100
from imgstore_tui.testing.conformance_dataset import is_sentence
from tests.support.cifar_files import binary_batch, python2_batch, python3_batch, write_cifar
from tests.support.datasets import scanned_cifar


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
        scanned_cifar("cifar10", path)
    assert is_sentence(str(caught.value)), str(caught.value)
    assert len(str(caught.value)) < 500
    assert not (tmp_path / "executed").exists()


def test_a_hostile_batch_does_not_take_the_others_down(tmp_path: Path) -> None:
    write_cifar(tmp_path / "c", CIFAR10, "python2", 7)
    hostile(tmp_path / "c" / "data_batch_1")
    dataset = scanned_cifar("cifar10", tmp_path / "c")
    assert len(dataset) == 28
    assert [entry.name for entry in dataset.excluded] == ["data_batch_1"]


@pytest.mark.parametrize("make", [hostile, floats])
def test_reasons_say_what_was_found(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "batch")
    messages = {"hostile": "It asks for 'posix.system', which no CIFAR batch needs. Nothing of it was run.",
            "floats": "Its array 'data' does not hold bytes, row by row."}  # fmt: skip
    with pytest.raises(DataError) as caught:
        scanned_cifar("cifar10", tmp_path / "batch")
    assert str(caught.value).endswith(messages[make.__name__])


@pytest.mark.parametrize(
    ("size", "message"),
    [(30_730_000 - 5, "no multiple of 3,073"), (3072, "no multiple"), (3073 * 2 + 1, "no multiple")],
)
def test_a_binary_batch_of_the_wrong_length_is_refused(tmp_path: Path, size: int, message: str) -> None:
    (tmp_path / "data_batch_1.bin").write_bytes(bytes(size))
    with pytest.raises(DataError, match=message):
        scanned_cifar("cifar10", tmp_path)


def test_a_binary_batch_of_the_other_data_set_is_refused(tmp_path: Path) -> None:
    labels = {"fine_labels": [99] * 3073, "coarse_labels": [19] * 3073}
    data = np.zeros((3073, 3072), np.uint8)
    (tmp_path / "train.bin").write_bytes(binary_batch(CIFAR100, data, labels))
    with pytest.raises(DataError, match=r"The label of image 0 is 19, but CIFAR-10 has labels 0 to 9"):
        scanned_cifar("cifar10", tmp_path / "train.bin")


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
        scanned_cifar("cifar10", tmp_path / name)
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
    dataset = scanned_cifar("cifar10", tmp_path / "c.tar", split="all")
    assert len(dataset) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "c.tar", "secret"]


@pytest.mark.parametrize("kind", ["python2", "binary"])
def test_a_file_that_changes_after_the_scan_is_named(tmp_path: Path, kind: str) -> None:
    write_cifar(tmp_path / "c", CIFAR10, kind, 7)
    dataset = scanned_cifar("cifar10", tmp_path / "c")
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
    modules = fresh_modules("import imgstore_tui.datasets.cifar")
    assert "numpy" not in modules
