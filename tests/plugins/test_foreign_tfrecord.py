"""TFRecord files of other programs: the keys of pictures, pixels with their sides, records that hold no picture."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.images import raw
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence, pixels
from tests.support.foreign_files import write_tfrecord as write

google_crc32c = pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")


def jpeg(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(buffer, "JPEG")
    return buffer.getvalue()


FILES = [jpeg(level) for level in (10, 20, 30)]


def opened(path: Path, **layout: str) -> Reader:
    result = open_foreign(path, ForeignLayout.of(layout))
    assert result is not None
    return result.reader


def payloads(reader: Reader) -> list[bytes]:
    with reader:
        return reader.read_bytes(range(reader.content.count), np.zeros(reader.content.count, np.int64))


def refusal(path: Path, **layout: str) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path, **layout).close()
    assert is_sentence(str(caught.value), path)
    return str(caught.value)


@pytest.mark.parametrize("key", ["image", "image/encoded", "img_raw", "jpeg", "image/bytes", "image_raw", "some/thing"])
def test_the_key_of_the_picture_is_recognised_by_its_value(key: str, tmp_path: Path) -> None:
    records = [{key: data, "label": number, "filename": b"a.jpg"} for number, data in enumerate(FILES, 3)]
    reader = opened(write(tmp_path / "a.tfrecord", *records))
    assert reader.read_labels().tolist() == [3, 4, 5]
    assert payloads(reader) == FILES


@pytest.mark.parametrize(("shape", "depth"), [((28, 20), 1), ((28, 20, 3), 3), ((28, 20, 3), None), ((28, 20), None)])
def test_pixels_are_read_where_their_sides_stand_beside(
    shape: tuple[int, ...], depth: int | None, tmp_path: Path
) -> None:
    images = [pixels(shape, number) for number in range(3)]
    sides = {"height": 28, "width": 20} | ({} if depth is None else {"depth": depth})
    path = write(tmp_path / "a.tfrecord", *({"image_raw": image.tobytes(), "label": 1, **sides} for image in images))
    reader = opened(path)
    assert (reader.content.codec, reader.content.shape) == (RAW_CODEC, shape)
    for data, image in zip(payloads(reader), images, strict=True):
        np.testing.assert_array_equal(raw.unpack(data), image)


def test_pixels_that_begin_like_a_bitmap_are_pixels(tmp_path: Path) -> None:
    image = pixels((28, 20), 1)
    image[0, :2] = list(b"BM")
    path = write(tmp_path / "a.tfrecord", {"image_raw": image.tobytes(), "height": 28, "width": 20, "depth": 1})
    np.testing.assert_array_equal(raw.unpack(payloads(opened(path))[0]), image)


def test_pixels_of_unknown_or_wrong_sides_are_refused_with_the_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", {"image_raw": bytes(784), "label": 3}, {"image_raw": bytes(784), "label": 1})
    text = refusal(path)
    assert "holds 784 bytes that are no picture file" in text
    path = write(tmp_path / "b.tfrecord", {"image_raw": bytes(784), "height": 28, "width": 29, "depth": 1})
    assert "784 bytes that are no picture file" in refusal(path, image="image_raw")


def test_records_without_a_picture_are_named_and_the_sum_agrees(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"label": 9}, {"image": FILES[0], "label": 3}, {"label": 1}, {"image": b"text", "label": 4},
        {"image": FILES[1], "label": 2},
    ]  # fmt: skip
    reader = opened(write(tmp_path / "a.tfrecord", *records))
    assert reader.content.count + len(reader.excluded) == len(records)
    assert [entry.name for entry in reader.excluded] == [f"a.tfrecord record {number}" for number in (0, 2, 3)]
    assert reader.read_labels().tolist() == [3, 2]
    assert payloads(reader) == FILES[:2]


def test_several_keys_with_pictures_are_said_or_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", {"mask": FILES[1], "image": FILES[0]})
    reader = opened(path)
    assert "those of the key image; mask not read" in " ".join(reader.warnings)
    assert payloads(reader) == FILES[:1]
    assert payloads(opened(path, image="mask")) == FILES[1:2]
    path = write(tmp_path / "b.tfrecord", {"left": FILES[1], "right": FILES[0]})
    assert "several keys with pictures: left, right" in refusal(path)


def test_the_key_of_labels_may_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", *({"image": data, "label": 1, "age": n} for n, data in enumerate(FILES)))
    assert opened(path, label="age").read_labels().tolist() == [0, 1, 2]


def test_splits_in_a_folder_are_kept_apart(tmp_path: Path) -> None:
    for name in ("cifar10-train.tfrecord-00000-of-00001", "cifar10-test.tfrecord-00000-of-00001"):
        write(tmp_path / name, {"image": FILES[0], "label": 1})
    assert "Name one with split=" in refusal(tmp_path)
    assert opened(tmp_path, split="train").content.count == 1


def test_a_refusal_lists_the_keys(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tfrecord", {"image_raw": bytes(192), "label": 1})
    text = refusal(path)
    assert "Its feature image_raw holds 192 bytes that are no picture file" in text
    path = write(tmp_path / "b.tfrecord", {"feat": b"\0\1abc", "h": 3})
    assert "The first record holds feat bytes (5 bytes), h int64; image= names the picture's key." in refusal(path)
    text = refusal(path, image="other")
    assert "It has no feature other." in text
    assert "The first record holds feat bytes (5 bytes), h int64" in text
    path = write(tmp_path / "c.tfrecord", {"h": 3})
    assert "It has no feature of bytes." in refusal(path)
    reader = opened(write(tmp_path / "d.tfrecord", {"image": FILES[0], "breed": 3}))
    assert reader.label_note.endswith("there is breed int64; label= names the one that is meant")
    reader.close()


@pytest.mark.parametrize(("data", "what"), [(FILES[0], "a bare JPEG picture"), (b"hello world", "other 11 bytes")])
def test_records_of_something_else_are_named(data: bytes, what: str, tmp_path: Path) -> None:
    def masked(piece: bytes) -> bytes:
        value = google_crc32c.value(piece)
        return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)

    length = struct.pack("<Q", len(data))
    (tmp_path / "a.tfrecord").write_bytes(length + masked(length) + data + masked(data))
    assert f"record 0 is no tf.train.Example, but {what}." in refusal(tmp_path / "a.tfrecord")


@pytest.mark.parametrize("key", ["label", "breed"])
def test_the_names_that_tensorflow_datasets_writes_beside_are_kept(key: str, tmp_path: Path) -> None:
    records = [{"image": data, key: number, "id": 9} for number, data in enumerate(FILES)]
    write(tmp_path / "pets-train.tfrecord-00000-of-00001", *records)
    (tmp_path / f"{key}.labels.txt").write_text("cat\ndog\nred fox\n")
    (tmp_path / "features.json").write_text("{}")
    for place in (tmp_path, tmp_path / "pets-train.tfrecord-00000-of-00001"):
        dataset = registry.make_dataset(f'store:"{place}"')
        dataset.scan()
        assert dataset.label_names == ("cat", "dog", "red fox")
        assert [dataset.label(index) for index in range(3)] == [0, 1, 2]
        assert "labels.txt" not in " ".join(dataset.warnings)
    assert "features.json" in " ".join(registry_warnings(tmp_path))


def registry_warnings(place: Path) -> tuple[str, ...]:
    dataset = registry.make_dataset(f'store:"{place}"')
    dataset.scan()
    return dataset.warnings


def test_names_beside_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    records = [{"image": data, "label": number} for number, data in enumerate(FILES)]
    path = write(tmp_path / "a.tfrecord", *records)
    (tmp_path / "secret").write_text("a\nb\nc\n")
    for content in (b"\xff\xfe", b"a\na\n", b"a\n", b""):  # no text, one twice, too few, none
        (tmp_path / "label.labels.txt").write_bytes(content)
        reader = opened(path)
        assert reader.content.label_names == ()
        assert reader.read_labels().tolist() == [0, 1, 2]
        reader.close()
    (tmp_path / "label.labels.txt").unlink()
    (tmp_path / "label.labels.txt").symlink_to(tmp_path / "secret")
    assert opened(path).content.label_names == ()
