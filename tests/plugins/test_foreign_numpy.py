"""Arrays of NumPy and idx files of other programs: what is read, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence, pixels

IMAGES: Any = np.stack([pixels((9, 7, 3), number) for number in range(6)])
GREY = IMAGES[..., 0]
LABELS = np.array([3, 1, 2, 0, 1, 1])


def idx(array: Any) -> bytes:
    kind = {"u1": 8, "i4": 12, "f4": 13}[array.dtype.str[1:]]
    stored = array.astype(array.dtype.newbyteorder(">"))
    head = struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape)
    return head + bytes(stored.tobytes())


def opened(path: Path, **layout: Any) -> Reader:
    result = open_foreign(path, ForeignLayout.of(layout))
    assert result is not None
    assert result.backend == "npy"
    return result.reader


def read(reader: Reader) -> tuple[Any, list[int] | None]:
    """Return all images, and the labels or None."""
    with reader:
        content = reader.content
        assert content.shape is not None
        out = np.zeros((content.count, *content.shape), content.dtype)
        reader.read_array(range(content.count), out, np.zeros(content.count, np.int64))
        one = np.zeros((1, *content.shape), content.dtype)
        reader.read_array([content.count - 1], one, np.zeros(1, np.int64))
        np.testing.assert_array_equal(one[0], out[-1])
        return out, reader.read_labels().tolist() if content.has_labels else None


def check(reader: Reader, images: Any = IMAGES, labels: Any = LABELS) -> None:
    got, numbers = read(reader)
    np.testing.assert_array_equal(got, images)
    assert numbers == (None if labels is None else labels.tolist())


def refusal(path: Path, **layout: Any) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path, **layout).close()
    assert is_sentence(str(caught.value), path)
    return str(caught.value)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(
    "images", [IMAGES, np.asfortranarray(IMAGES), IMAGES.astype(">u2") * 257], ids=["C", "F", ">u2"]
)
def test_arrays_in_an_archive_are_read(images: Any, save: Any, tmp_path: Path) -> None:
    save(tmp_path / "a.bin.npz", note=np.zeros(5), x=images, y=LABELS.reshape(-1, 1).astype("f4"))
    check(opened(tmp_path / "a.bin.npz"), images)


def test_splits_in_an_archive_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=GREY, y_train=LABELS, x_test=GREY[:2], y_test=LABELS[4:])
    assert "several splits: test (1 array, e.g. x_test), train (1 array" in refusal(path)
    check(opened(path, split="train"), GREY)
    check(opened(path, split="test"), GREY[:2], LABELS[4:])
    np.savez(path, train_images=GREY, train_labels=LABELS[:, None], val_images=GREY[1:3], val_labels=LABELS[:2, None])
    check(opened(path, split="val"), GREY[1:3], LABELS[:2])


def test_an_array_and_the_labels_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    np.save(folder / "x_train.npy", IMAGES)
    assert "file x_train.npy" not in refusal(tmp_path / "data" / "x_train.npy", image="nothing")
    reader = opened(folder / "x_train.npy")
    assert not reader.content.has_labels
    reader.close()
    np.save(folder / "y_train.npy", LABELS)
    reader = opened(folder / "x_train.npy")
    assert "y_train.npy beside it may hold them: read the folder" in reader.label_note
    reader.close()
    check(opened(folder))
    np.save(folder / "x_test.npy", IMAGES[:2])
    np.save(folder / "y_test.npy", LABELS[:2])
    assert "holds several splits: test (2 files, e.g. x_test.npy), train (2 files" in refusal(folder)
    check(opened(folder, split="test"), IMAGES[:2], LABELS[:2])


def test_two_files_called_as_ours_are_no_store(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", IMAGES)
    np.save(tmp_path / "labels.npy", LABELS)
    dataset = registry.make_dataset(f"store:{tmp_path}")
    dataset.scan()
    assert [dataset.label(index) for index in range(6)] == LABELS.tolist()
    np.testing.assert_array_equal([dataset.image(index) for index in range(6)], IMAGES)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
def test_the_files_of_mnist_are_read_as_they_are_downloaded(pack: Any, tmp_path: Path) -> None:
    ending = {bytes: "", gzip.compress: ".gz", bz2.compress: ".bz2"}[pack]
    for split, rows in (("train", slice(None)), ("t10k", slice(2))):
        (tmp_path / f"{split}-images-idx3-ubyte{ending}").write_bytes(pack(idx(GREY[rows])))
        (tmp_path / f"{split}-labels-idx1-ubyte{ending}").write_bytes(pack(idx(LABELS[rows].astype("u1"))))
    assert "several splits: test (2 files, e.g. t10k-images-idx3-ubyte" in refusal(tmp_path)
    check(opened(tmp_path, split="train"), GREY)
    check(opened(tmp_path, split="test"), GREY[:2], LABELS[:2])
    check(opened(tmp_path / f"train-images-idx3-ubyte{ending}"), GREY, None)
    assert "has the name of labels" in refusal(tmp_path / f"train-labels-idx1-ubyte{ending}")


def test_what_is_ambiguous_is_refused_with_the_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", left=IMAGES, right=IMAGES[::-1], size=np.zeros(3))
    assert "several arrays that may hold the images: it holds left uint8 of shape (6, 9, 7, 3); right" in refusal(
        tmp_path / "a.npz"
    )
    check(opened(tmp_path / "a.npz", image="right"), IMAGES[::-1], None)
    assert "has no array up; it holds left uint8" in refusal(tmp_path / "a.npz", image="up")
    np.save(tmp_path / "nchw.npy", IMAGES[:4, :3].transpose(0, 3, 1, 2)[:, :, :, :3])
    assert "may be of the order axes=NHWC or axes=NCHW" in refusal(tmp_path / "nchw.npy")
    check(opened(tmp_path / "nchw.npy", axes="NCHW"), IMAGES[:4, :3, :3], None)
    np.save(tmp_path / "float.npy", IMAGES / 255)
    assert "holds floats; add scale=255" in refusal(tmp_path / "float.npy")
    check(opened(tmp_path / "float.npy", scale=255), IMAGES, None)
    np.save(tmp_path / "rows.npy", IMAGES.reshape(6, -1))
    assert "holds rows of numbers; height and width are not said" in refusal(tmp_path / "rows.npy")


class Runs:
    def __reduce__(self) -> Any:
        return Path.write_text, (Path("/tmp/imgstore-tui-was-run"), "x")


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
def test_objects_are_never_unpickled(name: str, tmp_path: Path) -> None:
    objects = np.array([Runs()] * 6, object)
    if name == "a.npy":
        np.save(tmp_path / name, objects, allow_pickle=True)
    else:
        np.savez(tmp_path / name, images=objects, allow_pickle=True)
    assert "holds Python objects, which are a pickle and are never loaded" in refusal(tmp_path / name)
    np.savez(tmp_path / "b.npz", x=IMAGES, y=objects)
    reader = opened(tmp_path / "b.npz")
    assert not reader.content.has_labels
    assert "y holds Python objects, which are a pickle" in reader.label_note
    reader.close()
    assert not Path("/tmp/imgstore-tui-was-run").exists()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    zeros = b"\x93NUMPY\x01\x00\x76\x00" + str(
        {"descr": "|u1", "fortran_order": False, "shape": (2**27, 1, 1, 3)}
    ).encode().ljust(117) + b"\n"  # fmt: skip
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        entry = zipfile.ZipInfo("images.npy")
        archive.writestr(entry, zeros)
    # The list of the archive claims what the header does: 384 MiB from 128 bytes.
    data = (tmp_path / "a.npz").read_bytes()
    size, claimed = struct.pack("<L", len(zeros)), struct.pack("<L", 3 * 2**27 + len(zeros))
    head, tail = data[: data.index(b"PK\1\2")], data[data.index(b"PK\1\2") :]
    tail = tail[:24] + claimed + tail[28:]
    assert size in head
    (tmp_path / "a.npz").write_bytes(head + tail)
    assert "would unpack from 128 B to 384 MiB" in refusal(tmp_path / "a.npz")
    bomb = gzip.compress(idx(np.zeros((1, 4, 4), np.uint8))[:4] + struct.pack(">3I", 400, 2**10, 2**10) + bytes(2**10))
    (tmp_path / "b.gz").write_bytes(bomb)
    assert "shorter than its header says" in refusal(tmp_path / "b.gz")


def test_labels_in_one_row_do_not_say_that_there_is_one_image(tmp_path: Path) -> None:
    """(1, 4, 3, 5) is 5 images (H, W, C, N) as MATLAB writes them, or one (N, C, H, W)."""
    images = np.stack([pixels((1, 4, 3), number) for number in range(5)], -1)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(5).reshape(1, 5))
    assert "may be of the order axes=NCHW or axes=HWCN" in refusal(tmp_path / "a.npz")
    check(opened(tmp_path / "a.npz", axes="HWCN"), np.moveaxis(images, -1, 0), np.arange(5))


@pytest.mark.parametrize("kind", ["idx", "npy"])
def test_no_more_is_unpacked_into_memory_than_the_header_says(kind: str, tmp_path: Path) -> None:
    """64 MiB of zeros follow 6 pictures: a few KiB on the disk."""
    buffer = io.BytesIO()
    np.save(buffer, GREY)
    head = idx(GREY) if kind == "idx" else buffer.getvalue()
    (tmp_path / "a.gz").write_bytes(gzip.compress(head + bytes(64 * 2**20), 1))
    tracemalloc.start()
    try:
        if kind == "idx":
            assert "longer than its header says" in refusal(tmp_path / "a.gz")
        else:  # as numpy.load reads it, which stops where the array does
            assert read(opened(tmp_path / "a.gz"))[0].shape[0] == 6
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a-idx3-ubyte", "a-idx3-ubyte.gz"])
def test_damaged_files_are_sentences_or_other_pictures(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "a.npy":
        np.save(path, GREY)
    elif name == "a.npz":
        np.savez(path, images=GREY, labels=LABELS)
    else:
        path.write_bytes(gzip.compress(idx(GREY)) if name.endswith("gz") else idx(GREY))
    whole, order, sentences = path.read_bytes(), np.random.default_rng(0), []
    for number in range(150):
        data = bytearray(whole)
        for place in order.integers(0, min(len(data), 200), 3):
            data[place] = order.integers(0, 256)
        path.write_bytes(data[: len(data) if number % 2 else order.integers(12, len(data))])
        try:
            store = open_foreign(path)
            if store is not None:
                read(store.reader)
        except StoreError as error:
            sentences.append(str(error))
        except AssertionError:
            pass  # what begins like another format is read as that
    assert len(sentences) > 70
    assert all(map(is_sentence, sentences)), [text for text in sentences if not is_sentence(text)]
