"""HDF5 files as other programs lay them out: read as they mean it, or refused with what is in them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.content import RAW_CODEC, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.images import raw
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence, pixels

STACK = pixels((6, 8, 8, 3), 1)
NUMBERS = np.array([3, 1, 2, 3, 1, 2])


def jpeg(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8 + level), (level, level, level)).save(buffer, "JPEG")
    return buffer.getvalue()


FILES = [jpeg(level) for level in (10, 20, 30)]


def write(path: Path, **datasets: Any) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in datasets.items():
            file[name] = values
    return path


def opened(path: Path, **layout: Any) -> Reader:
    result = open_foreign(path, ForeignLayout.of(layout))
    assert result is not None
    return result[1]


def arrays(reader: Reader) -> Any:
    """Return all images; read in order, and then one by one from the last on, they are the same."""
    with reader:
        content = reader.content
        assert content.kind is PayloadKind.ARRAY
        assert content.shape is not None
        out, labels = np.zeros((content.count, *content.shape), content.dtype), np.zeros(content.count, np.int64)
        reader.read_array(range(content.count), out, labels)
        again = out.copy()
        again[:] = 0
        reader.read_array(range(content.count)[::-1], again, labels)
        np.testing.assert_array_equal(out, again[::-1])
        return out


def files(reader: Reader) -> list[bytes]:
    with reader:
        return reader.read_bytes(range(reader.content.count), np.zeros(reader.content.count, np.int64))


def refusal(path: Path, **layout: Any) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path, **layout).close()
    assert is_sentence(str(caught.value), path)
    return str(caught.value)


@pytest.mark.parametrize("chunked", [False, True])
def test_channels_before_rows_are_turned(chunked: bool, tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        turned = STACK.transpose(0, 3, 1, 2)
        file.create_dataset(
            "images", data=turned, **({"chunks": (4, 3, 8, 8), "compression": "lzf"} if chunked else {})
        )
        file["labels"] = NUMBERS
    reader = opened(path)
    assert reader.content.shape == (8, 8, 3)
    assert any("in the order NCHW" in warning for warning in reader.warnings)
    assert reader.read_labels().tolist() == NUMBERS.tolist()
    np.testing.assert_array_equal(arrays(reader), STACK)


@pytest.mark.parametrize(
    ("shape", "named"),
    [
        ((6, 3, 3, 3), "axes=NHWC or axes=NCHW"),
        ((6, 1, 28, 1), "axes=NHWC or axes=NCHW"),
        ((32, 32, 3, 6), "axes=HWCN"),
        ((28, 20, 3, 4), "axes=NHWC or axes=HWCN"),
        ((28, 28, 3), "axes=HWC"),
        ((3, 28, 28), "axes=CHW"),
        ((6, 3072), "height and width are not said"),
        ((6, 8, 8, 5), "no axis of 1, 3 or 4 channels"),
        ((20, 1, 1, 1), "a number or a pixel each"),
        ((0, 8, 8, 3), "is empty"),
    ],
)
def test_an_array_that_means_two_things_or_none_is_refused(shape: tuple[int, ...], named: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", images=np.zeros(shape, np.uint8), info=np.zeros((2, 5), np.float32))
    text = refusal(path)
    assert named in text
    assert f"images uint8 of shape {shape}; info float32 of shape (2, 5)" in text


@pytest.mark.parametrize(
    ("axes", "shape"), [("NHWC", (6, 3, 3, 3)), ("NCHW", (6, 3, 3, 3)), ("HWCN", (5, 7, 3, 6)), ("CHWN", (3, 5, 7, 6))]
)
def test_the_order_that_the_user_names_is_read(axes: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    stored = pixels(shape, 2)
    expected = np.transpose(stored, [axes.index(axis) for axis in "NHWC"])
    np.testing.assert_array_equal(arrays(opened(write(tmp_path / "a.h5", images=stored), axes=axes)), expected)


@pytest.mark.parametrize(("axes", "shape"), [("HWC", (28, 20, 3)), ("CHW", (3, 28, 20)), ("HW", (28, 20))])
def test_one_picture_is_one_picture_if_the_user_says_so(axes: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    stored = pixels((28, 20, 3) if "C" in axes else (28, 20), 3)
    path = write(tmp_path / "a.h5", image=stored.transpose(2, 0, 1) if axes == "CHW" else stored)
    assert h5py.File(path)["image"].shape == shape
    np.testing.assert_array_equal(arrays(opened(path, axes=axes)), stored[None])
    assert "axes=" in refusal(path)


def test_grey_pictures_as_many_as_labels_are_grey_pictures(tmp_path: Path) -> None:
    stack = pixels((3, 28, 28), 4)
    np.testing.assert_array_equal(arrays(opened(write(tmp_path / "a.h5", images=stack, labels=[4, 5, 6]))), stack)


@pytest.mark.parametrize(("kind", "scale"), [("f4", 255), ("f8", 255), ("i8", 1), ("i4", 1)])
def test_numbers_that_are_no_bytes_are_taken_on_request(kind: str, scale: int, tmp_path: Path) -> None:
    stored = STACK / 255 if scale == 255 else STACK
    path = write(tmp_path / "a.h5", images=stored.astype(kind), labels=NUMBERS)
    text = refusal(path)
    assert f"scale={scale}" in text
    assert "images" in text
    np.testing.assert_array_equal(arrays(opened(path, scale=scale)), STACK)
    wrong = opened(path, scale=2 * scale)
    with pytest.raises(StoreError, match=r"not all in 0\.\.255; name another scale="):
        arrays(wrong)


def test_a_file_of_labels_holds_no_images(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", y=np.zeros((20, 1, 1, 1), np.uint8))
    assert "y has the name of labels" in refusal(path)
    assert arrays(opened(path, image="y")).shape == (20, 1, 1, 1)


def test_images_and_labels_in_files_of_their_own_belong_together(tmp_path: Path) -> None:
    for split, count in (("train", 4), ("valid", 2)):
        write(tmp_path / f"camelyonpatch_level_2_split_{split}_x.h5", x=STACK[:count])
        numbers = np.arange(count, dtype=np.uint8).reshape(-1, 1, 1, 1)
        write(tmp_path / f"camelyonpatch_level_2_split_{split}_y.h5", y=numbers)
    assert "train (2 files" in refusal(tmp_path)
    reader = opened(tmp_path, split="valid")
    assert reader.read_labels().tolist() == [0, 1]
    np.testing.assert_array_equal(arrays(reader), STACK[:2])
    assert len(opened(tmp_path, split="all").read_labels()) == 6
    alone = opened(tmp_path / "camelyonpatch_level_2_split_valid_x.h5")
    assert not alone.content.has_labels
    assert "split_valid_y.h5 beside it may hold them" in alone.label_note


def test_splits_in_one_file_are_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    write(path, x_train=STACK, y_train=NUMBERS, x_test=STACK[:2], y_test=NUMBERS[:2])
    assert "Name one with split=" in refusal(path)
    reader = opened(path, split="test")
    assert reader.read_labels().tolist() == [3, 1]
    np.testing.assert_array_equal(arrays(reader), STACK[:2])
    assert "there are train" in refusal(path, split="dev").replace("test (1 dataset, e.g. x_test), ", "")


def test_a_group_for_each_class_gives_labels_and_names(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", **{"dog/images": STACK[:2], "cat/images": STACK[2:]})
    reader = opened(path)
    assert reader.content.label_names == ("cat", "dog")
    assert reader.read_labels().tolist() == [0, 0, 0, 0, 1, 1]
    np.testing.assert_array_equal(arrays(reader), [*STACK[2:], *STACK[:2]])


def test_groups_with_labels_of_their_own_are_no_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", **{"b/images": STACK, "b/labels": NUMBERS, "c/images": STACK, "c/labels": NUMBERS})
    with opened(path) as reader:
        assert not reader.content.label_names
        assert "such as b/labels" in reader.label_note


def test_images_and_labels_in_a_group_are_read(tmp_path: Path) -> None:
    reader = opened(write(tmp_path / "a.h5", **{"train/images": STACK, "train/labels": NUMBERS}))
    assert reader.read_labels().tolist() == NUMBERS.tolist()
    np.testing.assert_array_equal(arrays(reader), STACK)


def test_what_else_may_be_images_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", images=STACK, masks=STACK[..., :1])
    reader = opened(path)
    np.testing.assert_array_equal(arrays(reader), STACK)
    assert "masks uint8 of shape (6, 8, 8, 1)" in " ".join(reader.warnings)
    np.testing.assert_array_equal(arrays(opened(path, image="/masks")), STACK[..., :1])
    assert "has no dataset mask; it holds images uint8" in refusal(path, image="mask")
    path = write(tmp_path / "b.h5", one=STACK, two=STACK)
    assert "several datasets that may hold the images: it holds one uint8" in refusal(path)


@pytest.mark.parametrize(
    "datasets",
    [
        {"images": STACK / 255, "masks": STACK[..., :1], "labels": NUMBERS},
        {"rgb": STACK / 255, "depth": STACK[..., 0], "labels": NUMBERS},
        {"x_train": STACK / 255, "x_test": STACK[:2]},
        {"images": STACK.reshape(6, -1), "thumbnails": STACK[:, :5, :6], "labels": NUMBERS},
        {"x_train": STACK[:4].transpose(0, 3, 1, 2)[:, [0, 1, 2, 0, 1]], "x_test": STACK},
    ],
    ids=["floats beside masks", "floats beside depth", "floats of another split", "flat rows", "five channels"],
)
def test_nothing_else_stands_for_images_that_cannot_be_taken(datasets: dict[str, Any], tmp_path: Path) -> None:
    assert "plain to see" in refusal(write(tmp_path / "a.h5", **datasets))


def test_masks_that_cannot_be_taken_are_said_beside_images(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", images=STACK, masks=STACK[..., 0].astype("i8"), labels=NUMBERS)
    with opened(path) as reader:
        assert reader.content.shape == (8, 8, 3)
        assert any("masks int64 of shape (6, 8, 8)" in warning for warning in reader.warnings)


def test_few_grey_pictures_of_a_split_are_counted_by_its_own_labels(tmp_path: Path) -> None:
    few = {"x_train": STACK[:4, ..., 0], "y_train": NUMBERS[:4], "x_test": STACK[4:, ..., 0], "y_test": NUMBERS[4:]}
    path = write(tmp_path / "a.h5", **few)
    assert "train (1 dataset, e.g. x_train)" in refusal(path)
    np.testing.assert_array_equal(arrays(opened(path, split="train")), STACK[:4, ..., 0])


def test_picture_files_in_rows_are_read(tmp_path: Path) -> None:
    for kind in ("vlen", "opaque", "bytes"):
        path = tmp_path / f"{kind}.h5"
        with h5py.File(path, "w") as file:
            if kind == "vlen":
                rows = file.create_dataset("images", 3, h5py.vlen_dtype(np.uint8))
                for number, data in enumerate(FILES):
                    rows[number] = np.frombuffer(data, np.uint8)
            elif kind == "bytes":
                file["images"] = np.array(FILES)
            else:
                padded = [data.ljust(max(map(len, FILES)), b"\0") for data in FILES]
                file["images"] = np.array(padded, f"V{len(padded[0])}")
            file["labels"] = [b"cat", b"dog", b"cat"]
        reader = opened(path)
        assert reader.read_labels().tolist() == [0, 1, 0]
        assert [data.rstrip(b"\0") for data in files(reader)] == FILES


@pytest.mark.parametrize("kind", ["opaque", "bytes"])
def test_a_dataset_for_each_picture_file_is_read(kind: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for number, data in enumerate(FILES):
            name = f"{'cat' if number < 2 else 'dog'}/{number}"
            file[name] = np.void(data) if kind == "opaque" else np.frombuffer(data, np.uint8)
    reader = opened(tmp_path / "a.h5")
    assert reader.read_labels().tolist() == [0, 0, 1]
    assert reader.content.label_names == ("cat", "dog")
    assert files(reader) == FILES


def test_a_dataset_for_each_array_is_read_whatever_the_sizes(tmp_path: Path) -> None:
    images = [pixels((8, 8 + number, 3), number) for number in range(3)]
    path = write(tmp_path / "a.h5", **{f"img_{number}": image for number, image in enumerate(images)})
    reader = opened(path)
    assert reader.content.codec == RAW_CODEC
    for data, image in zip(files(reader), images, strict=True):
        np.testing.assert_array_equal(raw.unpack(data), image)


def test_text_is_no_picture_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.h5", images=np.array([b"abc", b"def"]))
    assert "images holds no picture files" in refusal(path)


def test_more_files_than_may_be_open_are_one_store(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / f"{number:02}.h5", images=STACK[number % 6 : number % 6 + 1], labels=[number])
    reader = opened(tmp_path)
    assert reader.read_labels().tolist() == list(range(40))
    np.testing.assert_array_equal(arrays(reader), [STACK[number % 6] for number in range(40)])


def test_groups_that_hold_each_other_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("a/b")
        group["again"] = file["a"]
        file["a/images"] = STACK
    np.testing.assert_array_equal(arrays(opened(tmp_path / "a.h5")), STACK)
