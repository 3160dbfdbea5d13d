"""Labels in files of other programs: of any type and usual name, with their names, or words why there are none."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import imgstore_tui
from imgstore_tui.plugins import registry

CODES = [3, 1, 2, 3, 1, 2]
IMAGES = np.arange(6 * 8 * 8 * 3, dtype=np.uint16).astype(np.uint8).reshape(6, 8, 8, 3)
TEXT = [b"fox", b"cat", b"dog", b"fox", b"cat", b"dog"]


def picture(value: int, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), (value, value, value)).save(stream, kind)
    return stream.getvalue()


def labels_in(path: Path) -> tuple[list[int] | None, tuple[str, ...]]:
    """Return the labels and their names as a program gets them."""
    with imgstore_tui.open(path, trust=True) as store:
        return None if store.labels is None else [int(label) for label in store.labels], store.label_names


def summary_of(path: Path) -> str:
    dataset = registry.make_dataset(f'store:"{path}"')
    dataset.scan()
    return dataset.summary


def hdf5(path: Path, **datasets: Any) -> Path:
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path


@pytest.mark.parametrize(
    ("datasets", "labels", "names"),
    [
        ({"images": IMAGES, "labels": np.array(CODES)}, CODES, ()),
        ({"images": IMAGES, "labels": np.eye(4, dtype=np.float32)[CODES]}, CODES, ()),
        ({"images": IMAGES, "labels": np.array(CODES, np.float64).reshape(-1, 1)}, CODES, ()),
        ({"images": IMAGES, "labels": np.array(CODES).reshape(1, -1)}, CODES, ()),
        ({"images": IMAGES, "labels": np.array(CODES) == 3}, [1, 0, 0, 1, 0, 0], ()),
        ({"images": IMAGES, "labels": np.array(TEXT)}, [2, 0, 1, 2, 0, 1], ("cat", "dog", "fox")),
        ({"images": IMAGES, "labels": [text.decode() for text in TEXT]}, [2, 0, 1, 2, 0, 1], ("cat", "dog", "fox")),
        ({"images": IMAGES, "labels": np.array([b"3", b"1", b"2"] * 2)}, CODES, ()),
        ({"train_images": IMAGES, "train_labels": np.array(CODES)}, CODES, ()),
        ({"images": IMAGES, "classes": np.array(CODES)}, CODES, ()),
        ({"x": IMAGES, "y": (np.arange(6) % 2).astype(np.uint8).reshape(6, 1, 1, 1)}, [0, 1, 0, 1, 0, 1], ()),
        (
            {"train_set_x": IMAGES, "train_set_y": np.arange(6) % 2, "list_classes": np.array([b"non-cat", b"cat"])},
            [0, 1, 0, 1, 0, 1],
            ("non-cat", "cat"),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_hdf5(datasets: dict[str, Any], labels: list[int], names: tuple[str, ...], tmp_path: Path) -> None:
    assert labels_in(hdf5(tmp_path / "x.h5", **datasets)) == (labels, names)


@pytest.mark.parametrize(
    ("datasets", "words"),
    [
        ({}, "labels: none (no dataset is called label or the like; there is no other dataset)"),
        (
            {"labels": np.full((6, 4), 0.25, np.float32)},
            "labels: none (labels is float32 of shape (6, 4), whose rows are not one 1 and zeros)",
        ),
        (
            {"boxes": np.zeros((6, 4), np.int32)},
            "there is boxes int32 of shape (6, 4); label= names the one that is meant)",
        ),
        ({"labels": np.eye(10, dtype=np.uint8)[CODES].reshape(-1)}, "labels: none (labels is uint8 of shape (60,))"),
        ({"labels": np.zeros((6, 10, 29), np.uint8)}, "labels: none (labels is uint8 of shape (6, 10, 29))"),
    ],
    ids=["nothing", "scores", "boxes", "one-hot in a row", "a label a second"],
)
def test_hdf5_without_labels(datasets: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.h5", images=IMAGES, **datasets)
    assert labels_in(path) == (None, ())
    assert words in summary_of(path)


def parquet(path: Path, labels: Any, metadata: Any = None, name: str = "label") -> Path:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    import pyarrow.parquet as pq

    values = labels(pa) if callable(labels) else pa.array(labels)
    table = pa.table({"image": [{"bytes": picture(n), "path": None} for n in range(len(values))], name: values})
    if metadata is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": metadata}})})
    pq.write_table(table, path)
    return path


@pytest.mark.parametrize(
    ("labels", "expected", "names"),
    [
        ([3, 1, 2], [3, 1, 2], ()),
        ([3.0, 1.0, 2.0], [3, 1, 2], ()),
        ([True, False, True], [1, 0, 1], ()),
        (["dog", "cat", "dog"], [1, 0, 1], ("cat", "dog")),
        (["10", "9", "10"], [10, 9, 10], ()),
        (lambda pa: pa.array(["dog", "cat", "dog"]).dictionary_encode(), [1, 0, 1], ("cat", "dog")),
        (lambda pa: pa.array([[0, 1], [1, 0], [0, 1]]), [1, 0, 1], ()),
        (lambda pa: pa.array([3, 1, 2], pa.uint8()), [3, 1, 2], ()),
    ],
    ids=["int", "float", "bool", "text", "digits", "dictionary", "one-hot", "uint8"],
)
def test_parquet(labels: Any, expected: list[int], names: tuple[str, ...], tmp_path: Path) -> None:
    assert labels_in(parquet(tmp_path / "x.parquet", labels)) == (expected, names)


def test_parquet_with_class_label_keeps_the_names(tmp_path: Path) -> None:
    names = ["cat", "dog", "fox", "owl"]
    features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
    path = parquet(tmp_path / "x.parquet", [3, 1, 2], features)
    assert labels_in(path) == ([3, 1, 2], tuple(names))
    assert summary_of(path).endswith("labels: 0 cat, 1 dog, 2 fox, 3 owl")


def arrow(path: Path, columns: dict[str, list[Any]], features: dict[str, Any] | None) -> Path:
    """Write the same as an Arrow stream, as the cache of Hugging Face has it."""
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    table = pa.table({"image": [{"bytes": data, "path": None} for data in map(picture, (1, 2, 3))], **columns})
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)
    return path


def as_parquet(path: Path, columns: dict[str, list[Any]], features: dict[str, Any] | None) -> Path:
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    from pyarrow import parquet as pq

    table = pa.table({"image": list(map(picture, (1, 2, 3))), **columns})
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, path)
    return path


def class_label(*names: str) -> dict[str, Any]:
    return {"names": list(names), "_type": "ClassLabel"}


@pytest.mark.parametrize("write", [as_parquet, arrow])
@pytest.mark.parametrize(
    ("columns", "declared", "expected"),
    [
        ({"breed": [3, 1, 2], "id": [7, 8, 9]}, {"breed": "abcd"}, ([3, 1, 2], ("a", "b", "c", "d"))),
        ({"caption": ["x", "y", "z"], "kind": [1, 0, 1]}, {"kind": "ab"}, ([1, 0, 1], ("a", "b"))),
        ({"category": ["u", "v", "w"], "breed": [1, 0, 1]}, {"breed": "ab"}, ([1, 0, 1], ("a", "b"))),
        ({"sex": [1, 1, 0], "target": [0, 1, 0]}, {"sex": "fm", "target": "ab"}, ([0, 1, 0], ("a", "b"))),
        ({"sex": [1, 1, 0], "label": [0, 1, 0]}, {"sex": "fm"}, ([0, 1, 0], ())),
        ({"label": [0.5, 0.25, 1.0], "breed": [0, 1, 0]}, {"breed": "ab"}, ([0, 1, 0], ("a", "b"))),
        ({"coarse_label": [0, 0, 1], "fine_label": [0, 1, 2]}, {"coarse_label": "xy", "fine_label": "abc"},
         ([0, 1, 2], ("a", "b", "c"))),
    ],
)  # fmt: skip
def test_a_column_that_features_declare_to_be_classes_is_the_labels(
    write: Any, columns: dict[str, list[Any]], declared: dict[str, str], expected: Any, tmp_path: Path
) -> None:
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    features |= {name: {"dtype": "int64", "_type": "Value"} for name in columns}
    features |= {name: class_label(*names) for name, names in declared.items()}
    path = write(tmp_path / "x", columns, features)
    assert labels_in(path) == expected
    names = [f"{number} {name}" for number, name in enumerate(expected[1])]
    assert ", ".join(names) in summary_of(path)


@pytest.mark.parametrize("write", [as_parquet, arrow])
def test_two_columns_of_classes_are_asked_for(write: Any, tmp_path: Path) -> None:
    features = {"image": {"_type": "Image"}, "breed": class_label("a", "b"), "sex": class_label("f", "m")}
    columns = {"breed": [0, 1, 1], "sex": [1, 1, 0]}
    path = write(tmp_path / "x", columns, features)
    assert labels_in(path) == (None, ())
    assert "breed and sex may both be meant, and differ; name one with label=breed" in summary_of(path)


@pytest.mark.parametrize("write", [as_parquet, arrow])
def test_without_features_a_column_of_another_name_is_no_label(write: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "x", {"breed": [0, 1, 1]}, None)
    assert labels_in(path) == (None, ())
    assert "breed" in summary_of(path)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([3, None, 2], "label has no value in 1 of 3 rows"),
        ([None, None, None], "label has no value in 3 of 3 rows"),
        ([0.5, 0.25, 1.0], "not all are whole numbers"),
        ([[0, 1], [1], []], "label is a list of 0 to 2 values for an image"),
        ([{"a": 1}] * 3, "label holds dict"),
    ],
    ids=["null", "nulls", "fractions", "lists", "structs"],
)
def test_parquet_without_labels(labels: Any, words: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "x.parquet", labels)
    assert labels_in(path) == (None, ())
    assert words in summary_of(path)


def test_shards_of_text_are_numbered_together(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", ["dog", "fox"])
    parquet(tmp_path / "b.parquet", ["cat", "dog"])
    assert labels_in(tmp_path) == ([1, 2, 0, 1], ("cat", "dog", "fox"))


def _varint(number: int) -> bytes:
    number, out = number % 2**64, b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _feature(values: list[Any]) -> bytes:
    if isinstance(values[0], bytes):
        return _field(1, b"".join(_field(1, value) for value in values))
    if isinstance(values[0], float):
        return _field(2, _field(1, np.array(values, "<f4").tobytes()))
    return _field(3, _field(1, b"".join(map(_varint, values))))


def tfrecord(path: Path, records: Iterable[Mapping[str, Any]]) -> Path:
    crc = pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")

    def checksum(data: bytes) -> bytes:
        value = crc.value(data)
        return int(((value >> 15 | value << 17) + 0xA282EAD8) % 2**32).to_bytes(4, "little")

    with path.open("wb") as file:
        for record in records:
            lists = {name: value if isinstance(value, list) else [value] for name, value in record.items()}
            data = _field(
                1, b"".join(_field(1, _field(1, n.encode()) + _field(2, _feature(v))) for n, v in lists.items())
            )
            head = len(data).to_bytes(8, "little")
            file.write(head + checksum(head) + data + checksum(data))
    return path


@pytest.mark.parametrize(
    ("features", "expected", "names"),
    [
        ({"label": [3, 1, 2]}, [3, 1, 2], ()),
        ({"label": [3.0, 1.0, 2.0]}, [3, 1, 2], ()),
        ({"label": [b"3", b"1", b"2"]}, [3, 1, 2], ()),
        ({"label": [b"dog", b"cat", b"dog"]}, [1, 0, 1], ("cat", "dog")),
        ({"label": [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]}, [1, 0, 1], ()),
        ({"Category": [3, 1, -2]}, [3, 1, -2], ()),
        ({"image/class/label": [1, 0, 1], "image/class/text": [b"dog", b"cat", b"dog"]}, [1, 0, 1], ("cat", "dog")),
    ],
    ids=["int", "float", "digits", "text", "one-hot", "category", "slim"],
)
def test_tfrecord(features: dict[str, Any], expected: list[int], names: tuple[str, ...], tmp_path: Path) -> None:
    records = [{"image": picture(n), **{name: v[n] for name, v in features.items()}} for n in range(3)]
    assert labels_in(tfrecord(tmp_path / "x.tfrecord", records)) == (expected, names)


def test_tfrecord_without_labels(tmp_path: Path) -> None:
    path = tfrecord(tmp_path / "x.tfrecord", [{"image": picture(1), "label": 3}, {"image": picture(2), "id": 1}])
    assert labels_in(path) == (None, ())
    assert "labels: none (label has no value in 1 of 2 rows)" in summary_of(path)


def tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def _samples(ending: str, values: Iterable[bytes]) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    for number, value in enumerate(values):
        members |= {f"{number}.png": picture(number), f"{number}.{ending}": value}
    return members


@pytest.mark.parametrize(
    ("members", "expected", "names"),
    [
        (lambda: _samples("cls", [b"3", b"-1", b"12\n"]), [3, -1, 12], ()),
        (lambda: _samples("CLS", [b"3", b"1", b"2"]), [3, 1, 2], ()),
        (lambda: _samples("json", [b'{"label": %d, "caption": "x"}' % k for k in (3, 1, 2)]), [3, 1, 2], ()),
        (lambda: _samples("json", [b'{"label": "%s"}' % k for k in (b"b", b"a", b"b")]), [1, 0, 1], ("a", "b")),
        (
            lambda: {"a.png": picture(1), "b.png": picture(2), "b.cls": b"7", "a.cls": b"3"},  # labels appended later
            [3, 7],
            (),
        ),
        (
            lambda: {f"./train/{name}.JPG": picture(1, "JPEG") for name in ("dog/2", "cat/1", "dog/1")},
            [1, 0, 1],
            ("cat", "dog"),
        ),
    ],
    ids=["cls", "CLS", "json", "json-text", "behind", "folders"],
)
def test_tar(
    members: Callable[[], dict[str, bytes]], expected: list[int], names: tuple[str, ...], tmp_path: Path
) -> None:
    assert labels_in(tar(tmp_path / "x.tar", members())) == (expected, names)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (lambda: _samples("txt", [b"3", b"1"]), "no members .cls; there are .txt members beside"),
        (lambda: _samples("index", [b"3", b"1"]), "no members .cls; there are .index members beside"),
        (lambda: _samples("cls2", [b"3", b"1"]), "no members .cls; there are .cls2 members beside"),
        (lambda: _samples("json", [b'{"caption": "x"}', b"[]"]), "there are .json members beside"),
        (lambda: _samples("json", [b'{"label": 0.5}', b'{"label": 1}']), "in .json: label is float"),
        (lambda: {"a/1.png": picture(1), "a/2.png": picture(2)}, "labels: none (no members .cls)"),
        (
            lambda: {"1.png": picture(1), "1.cls": b"1", "2.png": picture(2)},
            "labels: none (.cls has no value in 1 of 2 rows)",
        ),
    ],
    ids=["txt", "index", "cls2", "json", "json-float", "one-folder", "some"],
)
def test_tar_without_labels(members: Callable[[], dict[str, bytes]], words: str, tmp_path: Path) -> None:
    path = tar(tmp_path / "x.tar", members())
    assert labels_in(path) == (None, ())
    assert words in summary_of(path)


@pytest.mark.parametrize("shape", [(130,), (1, 130), (130, 1)], ids=str)
def test_text_of_any_length_is_read_by_few_rows(shape: tuple[int, ...], tmp_path: Path) -> None:
    texts = np.array([f"class {number % 7}" for number in range(130)], object).reshape(shape)
    path = hdf5(tmp_path / "x.h5", images=np.zeros((130, 8, 8, 3), np.uint8), labels=texts)
    assert labels_in(path) == ([number % 7 for number in range(130)], tuple(f"class {n}" for n in range(7)))
    texts.reshape(-1)[100] = "x" * 300
    path = hdf5(tmp_path / "y.h5", images=np.zeros((130, 8, 8, 3), np.uint8), labels=texts)
    assert "too long for the name of a class" in summary_of(path)
