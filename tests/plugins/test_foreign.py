"""What other programs have written, read as a source: by store:PATH, pictures, labels and files as they were."""

from __future__ import annotations

import importlib.util
import io
import struct
import tarfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.errors import DataError, UnavailableError
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.fake_executor import FakeExecutor
from imgstore_tui.testing.store_material import is_sentence, pixels
from tests.support.plans import small_plan

SHAPES = [(6, 4, 3), (40, 41, 3), (90, 70, 4), (9, 9)]
IMAGES = [pixels(shape, number) for number, shape in enumerate(SHAPES)]
LABELS = [3, 0, -7, 2**40]


def png(image: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return buffer.getvalue()


FILES = [png(image) for image in IMAGES]


def scanned(path: Path) -> Dataset:
    dataset = registry.make_dataset(f'store:"{path}"')
    dataset.scan()
    return dataset


def check(path: Path, labels: list[int]) -> None:
    dataset = scanned(path)
    assert [dataset.label(index) for index in range(len(dataset))] == labels
    for index, image in enumerate(IMAGES):
        np.testing.assert_array_equal(dataset.image(index), image)
        assert dataset.original(index) == FILES[index]


def make_tar(path: Path, *, labels: bool = True) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number, data in enumerate(FILES):
            members = [(f"train/{number}.png", data), (f"train/{number}.json", b"{}")]
            if labels:
                members.append((f"train/{number}.cls", b"%d\n" % LABELS[number]))
            for name, content in members:
                facts = tarfile.TarInfo(name)
                facts.size = len(content)
                tar.addfile(facts, io.BytesIO(content))
    return path


def test_a_tar_is_read(tmp_path: Path) -> None:
    check(make_tar(tmp_path / "a.tar"), LABELS)
    check(tmp_path, LABELS)


def test_a_tar_without_labels_has_none(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", labels=False)
    check(path, [NO_LABEL] * 4)
    assert not scanned(path).has_labels


@pytest.mark.skipif(
    importlib.util.find_spec("webdataset") is None, reason="webdataset is not installed (extra webdataset)"
)
@pytest.mark.filterwarnings("ignore")
def test_what_the_webdataset_package_writes_is_read(tmp_path: Path) -> None:
    import webdataset

    with webdataset.ShardWriter(f"{tmp_path}/shard-%06d.tar", maxcount=3, verbose=0) as writer:
        for number, data in enumerate(FILES):
            writer.write({"__key__": f"{number:04}", "png": data, "cls": LABELS[number]})
    assert len(list(tmp_path.glob("*.tar"))) == 2
    check(tmp_path, LABELS)


@pytest.mark.parametrize("layout", ["struct", "bytes"])
def test_parquet_is_read(layout: str, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")
    image = FILES if layout == "bytes" else [{"bytes": data, "path": None} for data in FILES]
    pq.write_table(pa.table({"id": [1, 2, 3, 4], "image": image, "label": LABELS}), tmp_path / "a.parquet")
    check(tmp_path / "a.parquet", LABELS)


def test_rows_of_a_parquet_file_that_hold_nothing_take_no_memory(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra arrow)")
    pq.write_table(pa.table({"image": pa.nulls(2_000_000, pa.binary())}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="more rows than bytes") as caught:
        scanned(tmp_path / "a.parquet")
    assert is_sentence(str(caught.value), tmp_path / "a.parquet")


def test_a_missing_library_is_said_with_the_command_that_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kind = tmp_path / "a.parquet", registry.backends.get("parquet")
    path.write_bytes(b"PAR1")
    monkeypatch.setattr(kind, "requires", ("no_such_library",))
    with pytest.raises(UnavailableError) as caught:
        open_foreign(path)
    assert str(caught.value) == f"{path} needs no_such_library, not installed. Run: {registry.how_to_get(kind)}"


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="datasets is not installed (extra interop)")
@pytest.mark.filterwarnings("ignore")
def test_what_datasets_writes_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import datasets

    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    rows = {"image": [{"bytes": data, "path": None} for data in FILES], "label": LABELS}
    datasets.Dataset.from_dict(rows, features).to_parquet(tmp_path / "a.parquet")
    check(tmp_path / "a.parquet", LABELS)


def make_tfrecord(path: Path) -> bytes:
    google_crc32c = pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")
    from imgstore_tui.backends.tfrecord.example import bytes_feature, int64_feature, varint
    from imgstore_tui.backends.tfrecord.records import masked

    data = b""
    for number, file in enumerate(FILES):
        features = bytes_feature(b"image/encoded", file) + int64_feature(b"label", LABELS[number])
        record = b"\x0a" + varint(len(features)) + features
        length = struct.pack("<Q", len(record))
        sums = [struct.pack("<I", masked(google_crc32c.value(part))) for part in (length, record)]
        data += length + sums[0] + record + sums[1]
    path.write_bytes(data)
    return data


def test_tfrecord_is_read(tmp_path: Path) -> None:
    make_tfrecord(tmp_path / "a.tfrecord")
    check(tmp_path / "a.tfrecord", LABELS)


@pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="tensorflow is not installed (extra interop)"
)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.timeout(600)
def test_what_tensorflow_writes_is_read(tmp_path: Path) -> None:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(tmp_path / "a.tfrecord")) as writer:
        for file, label in zip(FILES, LABELS, strict=True):
            feature = {
                "image/encoded": tf.train.Feature(bytes_list=tf.train.BytesList(value=[file])),
                "image/class/label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
                "weight": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, 1.5])),
            }
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())
    check(tmp_path / "a.tfrecord", LABELS)


def test_a_record_with_a_flipped_byte_is_refused(tmp_path: Path) -> None:
    data = make_tfrecord(tmp_path / "a.tfrecord")
    for position in range(0, len(data), 97):
        (tmp_path / "a.tfrecord").write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        if position < 400:  # each try is a process of its own
            with pytest.raises(DataError, match=r"checksum|cut short") as caught:
                scanned(tmp_path / "a.tfrecord")
            assert is_sentence(caught.value, tmp_path)


@pytest.mark.parametrize("name", ["a.tar", "a.parquet", "a.tfrecord"])
def test_what_is_not_what_its_name_says_is_refused(name: str, tmp_path: Path) -> None:
    if name == "a.parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    if name == "a.tfrecord":
        pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")
    for content in (b"", b"not what the name says" * 1000):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as caught:
            scanned(tmp_path / name)
        assert is_sentence(caught.value, tmp_path / name)


def test_a_tar_cut_short_is_refused(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar")
    path.write_bytes(path.read_bytes()[:9_000])
    with pytest.raises(DataError, match=r"cut short|damaged"):
        scanned(path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.CONTTYPE, b"Z"])
def test_a_member_of_a_size_below_zero_is_not_read_for_ever(kind: bytes, tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar")
    facts = tarfile.TarInfo("train/9.png")
    facts.type, facts.size = kind, 0
    block = bytearray(facts.tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = (-1024).to_bytes(12, "big", signed=True)  # as GNU tar writes what has no room in octal digits
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    path.write_bytes(path.read_bytes()[:1024] + bytes(block) + path.read_bytes()[1024:])
    with pytest.raises(DataError, match=r"damaged") as caught:
        scanned(path)
    assert is_sentence(str(caught.value), path)


def test_a_label_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar")
    path.write_bytes(path.read_bytes().replace(b"-7\n", b"cat"))
    with pytest.raises(DataError, match="no whole number"):
        scanned(path)


STACK = pixels((7, 6, 5, 3), 5)


@pytest.mark.sample_first(3)
@pytest.mark.parametrize("kind", ["u1", "<u2", ">u2"])
@pytest.mark.parametrize(("images", "labels"), [("images", "meta"), ("x_train", "y_train"), ("anything", None)])
def test_the_images_and_labels_of_an_hdf5_file_are_read(
    kind: str, images: str, labels: str | None, tmp_path: Path
) -> None:
    stack = STACK.astype(kind) * (257 if kind != "u1" else 1)
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file.create_dataset(images, data=stack, chunks=(3, 6, 5, 3), compression="gzip")
        if labels:
            file.create_dataset(labels, data=np.arange(7)[:, None], dtype=">i2")
    for path in (tmp_path / "theirs.h5", tmp_path):
        dataset = scanned(path)
        assert dataset.uniform == ((6, 5, 3), stack.dtype.newbyteorder("=").name)
        expected = list(range(7)) if labels else [NO_LABEL] * 7
        assert [dataset.label(index) for index in range(len(dataset))] == expected
        assert dataset.has_labels is bool(labels)
        for index in (0, 1, 2, 6, 4, 5):
            np.testing.assert_array_equal(dataset.image(index), stack[index])


def test_hdf5_files_of_one_shape_are_one_source(tmp_path: Path) -> None:
    for name, part in (("a.h5", STACK[:4]), ("b.h5", STACK[4:])):
        with h5py.File(tmp_path / name, "w") as file:
            file["images"] = part
    dataset = scanned(tmp_path)
    np.testing.assert_array_equal([dataset.image(index) for index in range(7)], STACK)
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["images"] = STACK[:, :2]
    with pytest.raises(DataError, match="differ in shape or type; name one of them") as caught:
        scanned(tmp_path)
    assert is_sentence(str(caught.value))


def test_shards_that_are_not_there_are_said(tmp_path: Path) -> None:
    make_tar(tmp_path / "train-00000-of-00003.tar")
    make_tar(tmp_path / "train-00002-of-00003.tar")
    store = open_foreign(tmp_path)
    assert store is not None
    store.reader.close()
    assert [line for line in store.warnings if "2 of 3 shards" in line and is_sentence(line)]
    make_tar(tmp_path / "train-00001-of-00003.tar")
    store = open_foreign(tmp_path)
    assert store is not None
    store.reader.close()
    assert not store.warnings


def test_an_hdf5_file_leads_nowhere_else(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.bin", "w") as file:
        file["images"] = STACK
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file["images"] = h5py.ExternalLink("secret.bin", "/images")
        file["x"] = h5py.SoftLink("/images")
        layout = h5py.VirtualLayout(STACK.shape, "u1")
        layout[:] = h5py.VirtualSource(tmp_path / "secret.bin", "images", STACK.shape)
        file.create_virtual_dataset("data", layout)
        file.create_dataset("pixels", STACK.shape, "u1", external=[("secret.bin", 0, STACK.nbytes)])
    with pytest.raises(DataError, match="no dataset of images that is plain to see") as caught:
        scanned(tmp_path / "theirs.h5")
    assert is_sentence(str(caught.value))


@pytest.mark.parametrize("spoil", ["cut", "empty", "text", "two"])
def test_an_hdf5_file_without_images_is_a_sentence(spoil: str, tmp_path: Path) -> None:
    path = tmp_path / "theirs.h5"
    with h5py.File(path, "w") as file:
        file["one" if spoil == "two" else "images"] = STACK
        file["two"] = STACK
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:600])
    elif spoil != "two":
        path.write_bytes(b"" if spoil == "empty" else b"no store\n" * 99)
    with pytest.raises(
        DataError, match=r"theirs\.h5 (is damaged or no HDF5 file|has no dataset of images|has several datasets)"
    ) as caught:
        scanned(path)
    assert is_sentence(str(caught.value))


def test_what_stands_beside_the_images_of_an_hdf5_file_does_not_matter(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file["images"] = STACK
        file["data"] = h5py.Empty("u1")
        file["labels"] = h5py.Empty("i8")
        h5py.h5d.create(file.id, b"when", h5py.h5t.UNIX_D32LE, h5py.h5s.create_simple((7,)))
        h5py.h5d.create(file.id, b"meta", h5py.h5t.STD_B64LE, h5py.h5s.create_simple((7,)))
        file["info"] = np.zeros(7, [("a", "u1"), ("b", "f4")])
    dataset = scanned(tmp_path / "theirs.h5")
    np.testing.assert_array_equal([dataset.image(index) for index in range(7)], STACK)


def test_labels_that_no_number_holds_are_none(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file["images"] = STACK
        file["labels"] = np.full(7, 2**64 - 1, np.uint64)
    summary = scanned(tmp_path / "theirs.h5").summary
    assert "labels: none (labels is uint64 of shape (7,), with numbers beyond 64 bits)" in summary


def test_an_hdf5_file_that_says_it_is_larger_than_any_memory_is_a_sentence(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        file.create_dataset("images", (2**33, 8, 8), "u1", chunks=(1, 8, 8))
    with pytest.raises(DataError, match="larger than the file can hold") as caught:
        scanned(tmp_path / "theirs.h5")
    assert is_sentence(str(caught.value), tmp_path / "theirs.h5")


def test_chunks_that_no_memory_should_hold_are_a_sentence(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "theirs.h5", "w") as file:
        chunk = (4000, 300, 300, 3)
        images = file.create_dataset("images", STACK.shape, "u1", maxshape=(None,) * 4, chunks=chunk, compression="lzf")
        assert images.chunks == chunk
    with pytest.raises(DataError, match="repack it: h5repack -l images:CHUNK=64x6x5x3") as caught:
        scanned(tmp_path / "theirs.h5")
    assert is_sentence(str(caught.value), tmp_path / "theirs.h5")


def test_pictures_in_a_file_of_another_program_are_measured_without_a_source_row(tmp_path: Path) -> None:
    make_tar(tmp_path / "theirs.tar")
    operations = (Operation.WRITE_MANY, Operation.READ_MANY)
    data = f"store:{tmp_path / 'theirs.tar'}"
    plan = small_plan("disk", datasets=(data,), cutoffs=(4,), rounds=1, operations=operations)
    run = run_plan(plan, executor=FakeExecutor())
    assert {trial.spec for trial in run.measurements} == {"disk"}
    assert run.datasets[0].used == 4
