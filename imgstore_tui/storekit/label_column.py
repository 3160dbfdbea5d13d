"""Reads a column of labels of any kind as int64 labels and class names, or says in words why there are none.

A label is taken if nothing has to be guessed: whole numbers of any type, truth values, one-hot rows, digits, and text,
which is numbered as the classes of a folder are, sorted by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.content import Labels

LONGEST_TEXT = 255
"""Most characters of a label that is text, as of a folder's name; longer text is a caption."""
_BLOCK_BYTES = 2**24
"""A column is read by blocks of rows of this size."""
_TEXTS_AT_ONCE = 64
"""Values of text that are read of a file at a time."""
_MOST_CLASSES = 100_000
"""Most columns of one-hot rows."""
_NO_LABEL_TEXT = str(NO_LABEL)
"""Stands for no label among names of classes too."""
_INTEGER = re.compile(r"[+-]?\d{1,19}(?:\.0*)?", re.ASCII)
_INT64 = np.iinfo(np.int64)
_KINDS = {"bool": "whole", "int": "whole", "float": "float", "str": "text", "bytes": "text"}
"""Kinds of value by the name of their Python type."""
_NUMPY_KINDS = {"b": "whole", "i": "whole", "u": "whole", "f": "float", "S": "text", "U": "text"}
"""Kinds of value by the kind of their NumPy type."""


@dataclass(frozen=True, slots=True)
class LabelColumn:
    """The labels of the images of one file, or the reason why it has none."""

    numbers: Labels | None
    """int64 array (n,): labels, or positions in ``texts``, ``NO_LABEL`` for an image without; None if no image has."""
    texts: tuple[str, ...] = ()
    """The distinct labels that are text, sorted; empty where labels are numbers."""
    names: tuple[str, ...] = ()
    """Names of the labels 0, 1, ... that the file itself declares."""
    reason: str = ""
    """Why there are no labels, e.g. ``label is float32 of shape (6, 4)``; empty where there are."""
    note: str = ""
    """What else the user should know, e.g. which other columns could be meant; often empty."""


class NoLabelsError(Exception):
    """A column holds no labels that can be taken; the text says why."""


def no_labels(reason: str, note: str = "") -> LabelColumn:
    """Return the column of a file without labels."""
    return LabelColumn(None, reason=reason, note=note)


def parse_labels(values: Any, count: int, column: str = "label", names: Sequence[str] = ()) -> LabelColumn:
    """Return the labels that a column holds.

    Args:
        values: A NumPy array, an array-like of a file (h5py) that is sliced by rows, or a list of Python values:
            numbers, truth values, text, bytes, None, or lists for one-hot rows.
        count: Number of images.
        column: Name of the column, for the reason.
        names: Names of the labels 0, 1, ... that the file declares.

    Returns:
        The labels, or the reason why there are none.
    """
    shown = safe_text(column)
    try:
        is_sequence = isinstance(values, (list, tuple))
        parsed = _labels_of_sequence(values, count) if is_sequence else _labels_of_array(values, count)
    except NoLabelsError as reason:
        return no_labels(f"{shown} {reason}")
    if names and not parsed.texts and parsed.numbers is not None:
        known = parsed.numbers[parsed.numbers != NO_LABEL]
        if not len(known) or (known.min() >= 0 and known.max() < len(names)):
            return replace(parsed, names=tuple(names))
    return parsed


def _labels_of_array(values: Any, count: int) -> LabelColumn:
    """Return the labels of an array with one value an image, or one row (classes,) an image that is one-hot.

    Raises:
        NoLabelsError: If its type or shape is another, or a value is no label.
    """
    try:
        shape, kind = tuple(values.shape), np.dtype(values.dtype).kind
    except TypeError:
        raise NoLabelsError("has no shape or a type that NumPy does not know") from None
    description = f"is {_type_name(values.dtype)} of shape {shape}"
    sides = [side for side in shape if side != 1]
    one_value_each = int(np.prod(shape)) == count and len(sides) <= 1
    if one_value_each and kind in "OSU":
        return _labels_of_text(_array_values(values, count, description), description)
    if kind not in "biuf":
        raise NoLabelsError(description)
    if one_value_each:
        return LabelColumn(_whole_numbers(np.asarray(values[()]).reshape(count), description))
    classes = int(np.prod(shape[1:])) if shape else 0
    if not shape or shape[0] != count or len([side for side in shape[1:] if side != 1]) != 1:
        raise NoLabelsError(description)
    if classes > _MOST_CLASSES:
        raise NoLabelsError(description)
    return LabelColumn(_one_hot_positions(_blocks(values, classes), description))


def _array_values(values: Any, count: int, description: str) -> list[Any]:
    """Return the n values of an array of text, of a file by few at a time: many rows may stand for one long text.

    Args:
        values: The array, one value an image; its other sides are 1.
        count: Number of images n.
        description: What the column is, as a reason goes on after its name: ``is text of shape (6,)``.

    Raises:
        NoLabelsError: If one is too long for a label.
    """
    if isinstance(values, np.ndarray):
        in_memory: list[Any] = values.reshape(count).tolist()
        return in_memory
    axis = next((axis for axis, side in enumerate(values.shape) if side != 1), 0)
    listed: list[Any] = []
    for start in range(0, count, _TEXTS_AT_ONCE):
        part = (slice(None),) * axis + (slice(start, start + _TEXTS_AT_ONCE),)
        block = np.asarray(values[part if values.shape else ()]).reshape(-1).tolist()
        for value in block:
            if isinstance(value, (bytes, str)):
                _label_text(value, description)  # which refuses text that is too long, before more of it is read
        listed += block
    return listed


def _type_name(dtype: Any) -> str:
    return "text" if np.dtype(dtype).kind in "OSU" else str(np.dtype(dtype).newbyteorder("="))


def _blocks(values: Any, width: int) -> Iterator[NDArray[Any]]:
    """Yield the rows of an array (n, ...) by blocks (m, width)."""
    step = max(1, _BLOCK_BYTES // (width * 8))
    for start in range(0, values.shape[0], step):
        yield np.asarray(values[start : start + step]).reshape(-1, width)


def _one_hot_positions(blocks: Iterator[NDArray[Any]], description: str) -> Labels:
    """Return the position of the 1 in each row.

    Raises:
        NoLabelsError: If a row is anything but one 1 and zeros.
    """
    numbers = []
    for block in blocks:
        if ((block != 0).sum(1) != 1).any() or (block.max(1) != 1).any():
            raise NoLabelsError(f"{description}, whose rows are not one 1 and zeros")
        numbers.append(block.argmax(1).astype(np.int64))
    return np.concatenate([np.zeros(0, np.int64), *numbers])


def _whole_numbers(values: NDArray[Any], description: str) -> Labels:
    """Return whole numbers of any type as int64.

    Raises:
        NoLabelsError: If one is no whole number of 64 bits.
    """
    kind = values.dtype.kind
    if kind == "f":
        _refuse_missing(int(np.isnan(values).sum()), len(values))
        if not np.isfinite(values).all() or (values != np.floor(values)).any():
            raise NoLabelsError(f"{description}, and not all are whole numbers")
        if (np.abs(values) >= 2.0**63).any():
            raise NoLabelsError(f"{description}, with numbers beyond 64 bits")
    elif kind == "u" and len(values) and int(values.max()) > _INT64.max:
        raise NoLabelsError(f"{description}, with numbers beyond 64 bits")
    return values.astype(np.int64)


def _labels_of_sequence(values: Sequence[Any], count: int) -> LabelColumn:
    """Return the labels of a list of Python or NumPy values, one an image.

    Raises:
        NoLabelsError: If their number is another, one is missing or no label, or they are of several kinds.
    """
    if len(values) != count:
        raise NoLabelsError(f"has {format_count(len(values))} values for {format_count(count)} images")
    kinds = {_value_kind(value) for value in values if value is not None}
    if kinds == {"text"}:
        return _labels_of_text(values, "is text")
    _refuse_missing(sum(value is None for value in values), count)
    if kinds <= {"whole"}:
        wide = next((value for value in values if not _INT64.min <= int(value) <= _INT64.max), None)
        if wide is not None:
            raise NoLabelsError(f"has the number {wide}, which is beyond 64 bits")
        return LabelColumn(np.array([int(value) for value in values], np.int64))
    if kinds <= {"whole", "float"}:
        return LabelColumn(_whole_numbers(np.array([float(value) for value in values]), "is float"))
    if kinds == {"list"}:
        return _labels_of_lists(values, count)
    raise NoLabelsError(f"holds {' and '.join(sorted(kinds))}")


def _value_kind(value: Any) -> str:
    """Return ``whole``, ``float``, ``text``, ``list``, or the name of another type."""
    if isinstance(value, np.generic):
        return _NUMPY_KINDS.get(value.dtype.kind, str(value.dtype))
    if isinstance(value, (list, tuple, np.ndarray)):
        return "list"
    return _KINDS.get(type(value).__name__, type(value).__name__)


def _labels_of_lists(values: Sequence[Sequence[Any]], count: int) -> LabelColumn:
    """Return the labels of lists, one an image: of one value each, or one-hot.

    Raises:
        NoLabelsError: If they are neither.
    """
    lengths = {len(value) for value in values}
    if lengths == {1}:
        return _labels_of_sequence([value[0] for value in values], count)
    if len(lengths) != 1:
        raise NoLabelsError(f"is a list of {min(lengths)} to {max(lengths)} values for an image")
    (width,) = lengths
    description = f"is a list of {width} values for an image"
    if not 1 < width <= _MOST_CLASSES or not {_value_kind(x) for value in values for x in value} <= {"whole", "float"}:
        raise NoLabelsError(description)
    step = max(1, _BLOCK_BYTES // (width * 8))
    blocks = (np.array(values[start : start + step], np.float64) for start in range(0, count, step))
    return LabelColumn(_one_hot_positions(blocks, description))


def _refuse_missing(missing: int, count: int) -> None:
    """Refuse a column in which values are missing.

    Raises:
        NoLabelsError: If any is.
    """
    if missing:
        raise NoLabelsError(f"has no value in {format_count(missing)} of {format_count(count)} rows")


def _labels_of_text(values: Sequence[Any], description: str) -> LabelColumn:
    """Return the labels of a column of text: numbers if all are digits, else positions in the sorted text.

    Raises:
        NoLabelsError: If a value is missing, no text, too long, or a number beyond 64 bits.
    """
    kinds = {_value_kind(value) for value in values if value is not None}
    if not kinds <= {"text"}:
        if kinds <= {"whole", "float", "list"}:  # an array of Python objects
            return _labels_of_sequence(values, len(values))
        raise NoLabelsError(f"holds {' and '.join(sorted(kinds))}")
    position: dict[str, int] = {}
    codes = np.empty(len(values), np.int64)
    missing = 0
    for row, value in enumerate(values):
        text = _label_text(value, description)
        missing += not text
        codes[row] = position.setdefault(text, len(position))
    _refuse_missing(missing, len(values))
    if position and all(_INTEGER.fullmatch(text) for text in position):
        numbers = [int(text.partition(".")[0]) for text in position]
        if not _INT64.min <= min(numbers) <= max(numbers) <= _INT64.max:
            raise NoLabelsError(f"{description}, with numbers beyond 64 bits")
        return LabelColumn(np.array(numbers, np.int64)[codes])
    texts = tuple(sorted(text for text in position if text != _NO_LABEL_TEXT))
    order = np.full(len(position), NO_LABEL, np.int64)
    for number, text in enumerate(texts):
        order[position[text]] = number
    return LabelColumn(order[codes], texts)


def _label_text(value: Any, description: str) -> str:
    """Return a label as text without the white space around it; empty for None.

    Raises:
        NoLabelsError: If it is bytes but no text, or too long for the name of a class.
    """
    if value is None:
        return ""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise NoLabelsError("holds bytes that are no UTF-8 text") from None
        if any(character < " " for character in "".join(value.split())):  # a number in binary, say
            raise NoLabelsError("holds bytes that are no text, such as a number in binary")
    text = str(value).strip()
    if text[:1] == "{" and text[-1:] == "}":
        raise NoLabelsError("holds JSON, in which a label may be among other facts")
    if len(text) > LONGEST_TEXT:
        raise NoLabelsError(f"{description} of more than {LONGEST_TEXT} characters, too long for the name of a class")
    return text
