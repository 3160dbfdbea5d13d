"""Zarr arrays and groups of other programs: read as zarr reads them, or refused with what is in them."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence, pixels
from tests.support.foreign_files import files

zarr = pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")

STACK = pixels((6, 8, 9, 3), 1)
LABELS = [3, 1, 2, 0, 1, 1]
pytestmark = pytest.mark.filterwarnings("ignore")  # of zarr, about types without a specification


def written(path: Path, version: int, *, consolidated: bool = False, **arrays: Any) -> Path:
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    for name, values in arrays.items():
        options = {"chunks": (4, *values.shape[1:])} if values.ndim > 1 else {}
        group.create_array(name, data=values, **options)
    if consolidated:
        zarr.consolidate_metadata(str(path))
    return path


def opened(path: Path, **layout: Any) -> Reader:
    result = open_foreign(path, ForeignLayout.of(layout))
    assert result is not None
    assert result.backend == "zarr"
    return result.reader


def check(reader: Reader, images: Any = STACK, labels: Any = LABELS) -> None:
    with reader:
        count = reader.content.count
        assert reader.content.shape is not None
        out = np.zeros((count, *reader.content.shape), reader.content.dtype)
        reader.read_array(range(count), out, np.zeros(count, np.int64))
        np.testing.assert_array_equal(out, images)
        one = np.zeros_like(out[:1])
        reader.read_array([count - 1], one, np.zeros(1, np.int64))
        np.testing.assert_array_equal(one[0], images[-1])
        assert (reader.read_labels().tolist() if reader.content.has_labels else None) == labels


def refusal(path: Path, **layout: Any) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path, **layout).close()
    assert is_sentence(str(caught.value), path)
    return str(caught.value)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("consolidated", [False, True])
def test_a_group_of_images_and_labels(version: int, consolidated: bool, tmp_path: Path) -> None:
    arrays = {"images": STACK, "labels": np.array(LABELS), "note": np.zeros(5)}
    check(opened(written(tmp_path / "a.zarr", version, consolidated=consolidated, **arrays)))
    nested = {"data/x": STACK, "data/y": np.array(LABELS)[:, None].astype("f4")}
    check(opened(written(tmp_path / "b", version, consolidated=consolidated, **nested)))


@pytest.mark.parametrize("version", [2, 3])
def test_an_array_alone_channels_before_rows_and_wide_numbers(version: int, tmp_path: Path) -> None:
    zarr.save_array(str(tmp_path / "one"), STACK, zarr_format=version)
    check(opened(tmp_path / "one"), labels=None)
    nchw = written(tmp_path / "nchw", version, images=STACK.transpose(0, 3, 1, 2), label=np.array(LABELS))
    check(opened(nchw))
    check(opened(written(tmp_path / "wide", version, images=STACK.astype(">u2") * 257)), STACK.astype("u2") * 257, None)
    assert "add scale=255" in refusal(written(tmp_path / "float", version, images=STACK / 255))
    check(opened(tmp_path / "float", scale=255), labels=None)
    two = written(tmp_path / "two", version, left=STACK, right=STACK[::-1])
    assert "several arrays that may hold the images: it holds left uint8 of shape (6, 8, 9, 3)" in refusal(two)
    check(opened(two, image="right"), STACK[::-1], None)


@pytest.mark.parametrize("version", [2, 3])
def test_splits_and_class_groups(version: int, tmp_path: Path) -> None:
    splits: dict[str, Any] = {"train/images": STACK, "train/labels": np.array(LABELS), "test/images": STACK[:2]}
    path = written(tmp_path / "splits", version, **splits)
    assert "several splits" in refusal(path)
    check(opened(path, split="train"))
    check(opened(path, split="test"), STACK[:2], None)
    groups: dict[str, Any] = {"cat/images": STACK[:2], "dog/images": STACK[2:]}
    classes = written(tmp_path / "classes", version, **groups)
    check(opened(classes), labels=[0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("fixed", [False, True], ids=["any length", "fixed length"])
def test_labels_in_words(version: int, fixed: bool, tmp_path: Path) -> None:
    words = np.array(["dog", "cat", "dog", "ant", "cat", "cat"])
    path = written(tmp_path / "a", version, images=STACK)
    group = zarr.open_group(str(path), mode="a", zarr_format=version)
    if fixed:
        group.create_array("labels", data=words)
    else:
        group.create_array("labels", shape=words.shape, dtype=str)[:] = words.astype(object)
    reader = opened(path)
    assert reader.content.label_names == ("ant", "cat", "dog")
    check(reader, labels=[2, 1, 2, 0, 1, 1])


@pytest.mark.parametrize("version", [2, 3])
def test_picture_files_in_an_array(version: int, tmp_path: Path) -> None:
    pictures = []
    for level in (10, 20, 30):
        buffer = io.BytesIO()
        Image.new("RGB", (4, 4 + level), (level, 0, 0)).save(buffer, "JPEG")
        pictures.append(buffer.getvalue())
    group = zarr.open_group(str(tmp_path / "a"), mode="w", zarr_format=version)
    kind = importlib.import_module("zarr.dtype").VariableLengthBytes()
    array = group.create_array("images", shape=(3,), chunks=(2,), dtype=kind)
    array[:] = np.array(pictures, object)
    group.create_array("labels", data=np.array([2, 0, 1]))
    reader = opened(tmp_path / "a")
    assert reader.read_labels().tolist() == [2, 0, 1]
    assert files(reader) == pictures


def test_shards_of_many_chunks(tmp_path: Path) -> None:
    group = zarr.open_group(str(tmp_path / "a"), mode="w", zarr_format=3)
    group.create_array("images", data=STACK, chunks=(1, 8, 9, 3), shards=(4, 8, 9, 3))
    check(opened(tmp_path / "a"), labels=None)


def rewritten(path: Path, **changes: Any) -> None:
    metadata = json.loads(path.read_text())
    path.write_text(json.dumps({**metadata, **changes}))


def test_a_codec_that_unpickles_is_never_loaded(tmp_path: Path) -> None:
    path = written(tmp_path / "old", 2, images=STACK, labels=np.array(LABELS))
    rewritten(path / "labels" / ".zarray", dtype="|O", filters=[{"id": "pickle", "protocol": 5}])
    reader = opened(path)
    assert "labels is packed by pickle, which is not loaded" in reader.label_note
    check(reader, labels=None)
    rewritten(path / "images" / ".zarray", filters=[{"id": "pickle", "protocol": 5}])
    assert "is packed by pickle, which is not loaded" in refusal(path, image="images")
    path = written(tmp_path / "new", 3, images=STACK)
    rewritten(path / "images" / "zarr.json", codecs=[{"name": "numcodecs.pickle", "configuration": {}}])
    assert "is packed by pickle, which is not loaded" in refusal(path)
    # Metadata of both versions: what is checked is what zarr takes.
    path = written(tmp_path / "both", 2, images=STACK)
    (path / "images" / "zarr.json").write_bytes((tmp_path / "new" / "images" / "zarr.json").read_bytes())
    assert "is packed by pickle, which is not loaded" in refusal(path)


@pytest.mark.parametrize("version", [2, 3])
def test_what_would_fill_the_memory_is_refused(version: int, tmp_path: Path) -> None:
    path = written(tmp_path / "huge", version, images=STACK)
    name = ".zarray" if version == 2 else "zarr.json"
    rewritten(path / "images" / name, shape=[10**9, 8, 9, 3])
    assert "larger than its files can hold" in refusal(path)
    grid: Any = [4, 10**5, 10**5, 3]
    chunks = {"chunks": grid} if version == 2 else {
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": grid}}
    }  # fmt: skip
    rewritten(path / "images" / name, shape=[6, 8, 9, 3], **chunks)
    assert "chunks of more than 256 MiB" in refusal(path)
    for nonsense in ("[]", "{", '{"node_type": "array", "shape": [1]}'):
        (path / "images" / name).write_text(nonsense)
        assert is_sentence(refusal(path), path)


@pytest.mark.parametrize("version", [2, 3])
def test_no_link_is_followed(version: int, tmp_path: Path) -> None:
    outside = written(tmp_path / "outside", version, images=STACK)
    path = written(tmp_path / "a", version, labels=np.array(LABELS))
    (path / "images").symlink_to(outside / "images")
    assert is_sentence(refusal(path), path)
    path = written(tmp_path / "b", version, images=STACK)
    chunk = next(entry for entry in sorted((path / "images").rglob("*")) if entry.is_file() and "z" not in entry.name)
    chunk.unlink()
    chunk.symlink_to("/etc/passwd")
    assert f"holds the link {chunk.name}, which is not followed" in refusal(path)


@pytest.mark.parametrize("version", [2, 3])
def test_a_damaged_chunk_is_a_sentence(version: int, tmp_path: Path) -> None:
    path = written(tmp_path / "a", version, images=STACK)
    chunk = next(entry for entry in sorted((path / "images").rglob("*")) if entry.is_file() and "z" not in entry.name)
    chunk.write_bytes(b"\xff" * 20)
    with pytest.raises(StoreError) as caught:
        check(opened(path))
    assert is_sentence(str(caught.value), path)
