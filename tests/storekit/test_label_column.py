"""Labels of any kind: what is taken without a guess, what is refused in words, and which column is meant."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.label_summary import class_names_text
from imgstore_tui.storekit.image_labels import ImageLabels, join_labels
from imgstore_tui.storekit.label_column import LabelColumn, no_labels, parse_labels
from imgstore_tui.storekit.label_names import candidates, read_labels

CODES = [3, 1, 2, 3]


def _numbers(labels: LabelColumn | ImageLabels) -> list[int]:
    assert labels.numbers is not None, labels.reason
    assert labels.numbers.dtype == np.int64
    return [int(number) for number in labels.numbers]


@pytest.mark.parametrize(
    "values",
    [
        np.array(CODES, np.uint8),
        np.array(CODES, ">i4"),
        np.array(CODES, np.float32),
        np.array(CODES, np.float64).reshape(4, 1),
        np.array(CODES).reshape(1, 4),
        np.array(CODES, np.uint8).reshape(4, 1, 1, 1),
        np.eye(4, dtype=np.float32)[CODES],
        np.eye(4, dtype=bool)[CODES],
        np.eye(4, dtype=np.int64)[CODES].reshape(4, 1, 4),
        np.array([b"3", b"1", b"2", b"3"]),
        np.array(["3", "1", "2", " 3\n"]),
        np.array([b"3.0", b"1.0", b"2.", b"3"], object),
        np.array(CODES, object),
        CODES,
        [3.0, 1, 2.0, 3],
        [np.uint8(3), np.int64(1), np.float32(2), 3],
        ["3", "1", "2", "3"],
        [b"3", b"1", b"2", b"3"],
        [[3], [1], [2], [3]],
        np.eye(4)[CODES].tolist(),
    ],
)
def test_numbers_of_every_type_are_labels(values: Any) -> None:
    labels = parse_labels(values, 4)
    assert _numbers(labels) == CODES
    assert labels.texts == ()


def test_truth_values_are_0_and_1() -> None:
    assert _numbers(parse_labels(np.array([True, False]), 2)) == [1, 0]
    assert _numbers(parse_labels([True, False], 2)) == [1, 0]


@pytest.mark.parametrize(
    "values",
    [np.array([b"dog", b"cat", b"dog"]), np.array(["dog", "cat", "dog"], object), ["dog ", "cat", b"dog"]],
)
def test_text_is_numbered_as_the_classes_of_a_folder(values: Any) -> None:
    labels = parse_labels(values, 3)
    assert _numbers(labels) == [1, 0, 1]
    assert labels.texts == ("cat", "dog")


def test_digits_among_words_are_words() -> None:
    assert parse_labels(["10", "2", "x"], 3).texts == ("10", "2", "x")
    assert _numbers(parse_labels(["10", "-2", "+3"], 3)) == [10, -2, 3]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((6, 4), np.float32), "labels is float32 of shape (6, 4), whose rows are not one 1 and zeros"),
        (np.ones((6, 4), np.int64), "whose rows are not one 1 and zeros"),
        (np.full((6, 4), 0.25, np.float32), "whose rows are not one 1 and zeros"),
        (np.zeros((2, 3), np.int64), "labels is int64 of shape (2, 3)"),
        (np.zeros((6, 8, 8), np.uint8), "labels is uint8 of shape (6, 8, 8)"),
        (np.zeros(5, np.int64), "labels is int64 of shape (5,)"),
        (np.zeros(6, np.complex128), "labels is complex128 of shape (6,)"),
        (np.zeros(6, "M8[s]"), "labels is datetime64[s] of shape (6,)"),
        (np.zeros(6, [("a", "i4")]), "of shape (6,)"),
        (np.array([0.5] * 6), "labels is float64 of shape (6,), and not all are whole numbers"),
        (np.array([1, np.nan] * 3), "labels has no value in 3 of 6 rows"),
        (np.array([1.0, np.inf] * 3), "not all are whole numbers"),
        (np.array([1e30] * 6), "beyond 64 bits"),
        (np.array([2**63] * 6, np.uint64), "beyond 64 bits"),
        ([1, None] * 3, "labels has no value in 3 of 6 rows"),
        (["a", "", "b", None, "c", "d"], "labels has no value in 2 of 6 rows"),
        ([2**63] * 6, "labels has the number 9223372036854775808, which is beyond 64 bits"),
        (["99999999999999999999"[:19]] * 6, "beyond 64 bits"),
        ([1, "a"] * 3, "labels holds text and whole"),
        ([{"a": 1}] * 6, "labels holds dict"),
        ([[1, 0], [0, 1, 0]] * 3, "labels is a list of 2 to 3 values for an image"),
        ([b"\xff"] * 6, "labels holds bytes that are no UTF-8 text"),
        ([struct.pack("<q", 8)] * 6, "labels holds bytes that are no text, such as a number in binary"),
        ([bytes(8)] * 6, "labels holds bytes that are no text, such as a number in binary"),
        ([b'{"label": 3}'] * 6, "labels holds JSON"),
        (["x" * 256] * 6, "of more than 255 characters"),
        ([1, 2], "labels has 2 values for 6 images"),
    ],
)
def test_what_would_be_a_guess_is_refused_in_words(values: Any, words: Any) -> None:
    labels = parse_labels(values, 6, "labels")
    assert labels.numbers is None
    assert words in labels.reason


def test_names_that_the_file_declares_are_kept() -> None:
    labels = parse_labels([1, 0, -1], 3, names=("cat", "dog"))
    assert _numbers(labels) == [1, 0, -1]
    assert labels.names == ("cat", "dog")


@pytest.mark.parametrize("names", [(), ("cat", "dog")])
@pytest.mark.parametrize(
    "values",
    [[-1, -1, -1], np.full(3, -1, "f4"), ["-1", "-1", "-1"], [b"-1"] * 3],
    ids=["int", "float", "text", "bytes"],
)
def test_minus_one_in_every_row_is_no_label(values: Any, names: tuple[str, ...]) -> None:
    column = parse_labels(values, 3, names=names)
    joined = join_labels([column, column], [3, 3], ["a", "b"])
    assert joined.numbers is None
    assert joined.reason == "every label is -1, which stands for no label"
    assert joined.or_none().tolist() == [-1] * 6


@pytest.mark.parametrize(
    ("values", "numbers", "names"),
    [
        ([-1, 0, 1], [-1, 0, 1], ()),
        (["-1", "10", "9"], [-1, 10, 9], ()),
        (["-1", "dog", "cat"], [-1, 1, 0], ("cat", "dog")),
        ([b"dog", b"-1", b"cat"], [1, -1, 0], ("cat", "dog")),
    ],
)
def test_minus_one_in_some_rows_stays_and_is_said(values: Any, numbers: list[int], names: tuple[str, ...]) -> None:
    joined = join_labels([parse_labels(values, 3)], [3], ["a"])
    assert (_numbers(joined), joined.names) == (numbers, names)
    assert joined.note == "1 of 3 images have the label -1, which stands for no label"


def test_files_without_labels_beside_files_with_labels_keep_both() -> None:
    columns = [parse_labels([-1, -1], 2), parse_labels([0, 1], 2)]
    assert _numbers(join_labels(columns, [2, 2], ["a", "b"])) == [-1, -1, 0, 1]
    words = [parse_labels(["b", "-1"], 2), parse_labels(["a", "b"], 2)]
    assert _numbers(join_labels(words, [2, 2], ["a", "b"])) == [1, -1, 0, 1]


def test_minus_one_and_one_are_two_classes() -> None:
    joined = join_labels([parse_labels([-1, 1, 1], 3)], [3], ["a"])
    assert (_numbers(joined), joined.note) == ([-1, 1, 1], "")


def test_rows_are_looked_at_by_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgstore_tui.storekit.label_column._BLOCK_BYTES", 64)
    codes = np.arange(50) % 7
    assert _numbers(parse_labels(np.eye(7)[codes], 50)) == codes.tolist()
    rows = np.eye(7)[codes]
    rows[49, 0] += 1
    assert parse_labels(rows, 50).numbers is None


def test_files_are_numbered_together() -> None:
    one, two = parse_labels(["dog", "fox"], 2), parse_labels(["cat", "dog"], 2)
    joined = join_labels([one, two], [2, 2], ["a", "b"])
    assert _numbers(joined) == [1, 2, 0, 1]
    assert joined.names == ("cat", "dog", "fox")


@pytest.mark.parametrize(
    ("others", "words"),
    [
        (no_labels("y is float32"), "1 of 2 files have none, the first is b: y is float32"),
        (parse_labels(["cat", "dog"], 2), "text in some files and numbers in others"),
        (parse_labels([0, 1], 2, names=("cat", "dog")), "different names"),
    ],
    ids=["none", "text", "names"],
)
def test_files_that_do_not_agree_have_no_labels(others: Any, words: Any) -> None:
    joined = join_labels([parse_labels([0, 1], 2), others], [2, 2], ["a", "b"])
    assert joined.numbers is None
    assert words in joined.reason


def test_a_file_without_images_has_no_say() -> None:
    joined = join_labels([parse_labels([0, 1], 2), no_labels("nothing")], [2, 0], ["a", "b"])
    assert _numbers(joined) == [0, 1]


@pytest.mark.parametrize(
    ("columns", "image", "first"),
    [
        (["train_images", "train_labels", "test_labels", "labels"], "train_images", "train_labels"),
        (["x_train", "y_train", "y_test"], "x_train", "y_train"),
        (["train_set_x", "train_set_y", "list_classes"], "train_set_x", "train_set_y"),
        (["X", "Y"], "X", "Y"),
        (["image", "Label"], "image", "Label"),
        (["image", "fine_label", "coarse_label"], "image", "fine_label"),
        (["image", "coarse_label"], "image", "coarse_label"),
        (["img", "category"], "img", "category"),
        (["image/encoded", "image/class/text", "image/class/label"], "image/encoded", "image/class/label"),
    ],
)
def test_the_column_of_labels_is_found_by_its_name(columns: Any, image: Any, first: Any) -> None:
    assert candidates(columns, image)[0][0] == first


def _read(columns: dict[str, Any], image: str = "image", **options: Any) -> LabelColumn:
    kinds = dict.fromkeys([image, *columns], "of some kind")
    return read_labels(kinds, 2, columns.__getitem__, image=image, **options)


def test_of_several_columns_it_is_said_which_is_taken() -> None:
    labels = _read({"label": [1, 2], "target": [3, 4]})
    assert _numbers(labels) == [1, 2]
    assert labels.note == "labels are taken from label; target not used"
    assert _read({"label": [1, 2]}).note == ""


def test_columns_that_may_both_be_meant_are_asked_about() -> None:
    labels = _read({"class": [1, 2], "category": [3, 4]})
    assert labels.numbers is None
    assert "class and category may both be meant" in labels.reason
    assert "label=class" in labels.reason
    assert _numbers(_read({"class": [1, 2], "category": [1, 2]})) == [1, 2]
    assert _numbers(_read({"class": [1, 2], "category": [3, 4]}, requested="category")) == [3, 4]


def test_a_column_that_is_no_label_gives_way_to_the_next() -> None:
    labels = _read({"label": [0.5, 0.1], "class": ["cat", "dog"]})
    assert labels.texts == ("cat", "dog")
    assert "labels are taken from class" in labels.note
    assert "label is float, and not all are whole numbers" in labels.note


def test_without_a_column_of_labels_it_is_said_what_there_is() -> None:
    assert _read({"caption": ["a", "b"]}).reason == (
        "no column is called label or the like; there is caption of some kind; label= names the one that is meant"
    )
    assert _read({}).reason == "no column is called label or the like; there is no other column"
    assert _read({"a": [1, 2]}, requested="b").reason == "no column is called b; there is a of some kind"


def test_classes_are_listed_with_their_numbers() -> None:
    assert class_names_text(("cat", "dog")) == "0 cat, 1 dog"
    assert class_names_text(("cat", "dog", "fox"), 2) == "0 cat, 1 dog and 1 more"
    assert class_names_text(("a\x1b",)) == "0 a<U+001B>"
