"""Finds the column of pictures in an Arrow table: bytes, structures with bytes as of Hugging Face, lists of both."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count
from imgstore_tui.images import decode

_USUAL = (
    "image", "images", "img", "imgs", "picture", "pictures", "photo", "jpg", "jpeg", "png", "webp", "image_bytes",
    "img_bytes", "bytes", "content", "data", "x",
)  # fmt: skip
"""Names of columns of pictures, the likeliest first."""
_MOST_LISTED = 8
_MOST_NAMED = 10_000
"""Rows without a picture that are named, in a file; the others are counted."""
_HEAD = 32


@dataclass(frozen=True, slots=True)
class PictureColumn:
    """A column of pictures."""

    name: str
    in_list: bool
    """Whether a row holds a list of pictures."""
    in_struct: bool
    """Whether a picture is a structure with its bytes in it."""

    def pictures(self, value: Any) -> list[bytes | None]:
        """Return the pictures of a row, as Python values; None where there are no bytes."""
        values = (value or []) if self.in_list else [value]
        return [item.get("bytes") if isinstance(item, dict) else item for item in values]


def column_form(name: str, kind: Any) -> PictureColumn | None:
    """Return how a column of a type may hold pictures; None if it cannot.

    Args:
        name: Name of the column.
        kind: Its ``pyarrow.DataType``.
    """
    from pyarrow import types

    in_list = types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)
    inner = kind.value_type if in_list else kind
    in_struct = types.is_struct(inner)
    if in_struct:
        fields = [field.type for field in inner if field.name == "bytes"]
        if len(fields) != 1:
            return None
        inner = fields[0]
    is_bytes = types.is_binary(inner) or types.is_large_binary(inner) or types.is_binary_view(inner)
    return PictureColumn(name, in_list, in_struct) if is_bytes else None


def present_pictures(form: PictureColumn, values: Any) -> list[list[int]]:
    """Return for each row of a column the places of its pictures that have bytes, without copying the bytes.

    Args:
        form: How the column holds pictures.
        values: A part of it as a ``pyarrow.Array``.
    """
    import pyarrow.compute as pc

    if form.in_list:
        lengths = pc.fill_null(pc.list_value_length(values), 0).to_pylist()
        starts = [0, *itertools.accumulate(lengths)]
        values = values.flatten()
    else:
        starts = list(range(len(values) + 1))
    if form.in_struct:
        values = pc.struct_field(values, "bytes")
    valid = values.is_valid().to_pylist()
    return [
        [place - start for place in range(start, stop) if valid[place]] for start, stop in itertools.pairwise(starts)
    ]


def choose_column(
    path: Path, schema: Any, requested: str, first_values: Callable[[PictureColumn], Iterable[Any]]
) -> tuple[PictureColumn | None, list[str]]:
    """Return the column of pictures of a table, and what the user should know about the choice.

    Args:
        path: The file, for messages.
        schema: Its Arrow schema.
        requested: Name of the column that the user names; empty to choose.
        first_values: Returns values of the first rows of a column that are not null.

    Returns:
        The column, or None if the table has no row with a picture.

    Raises:
        StoreError: If no column holds pictures, or it is not plain to see which does.
    """
    forms = {field.name: form for field in schema if (form := column_form(field.name, field.type)) is not None}
    if requested:
        if requested not in forms:
            raise StoreError(f"{path} has no column {safe_text(requested)} of bytes; {listed(schema)}.")
        return forms[requested], []
    declared = _declared(schema)
    order = sorted(forms, key=lambda name: (_rank(name), schema.names.index(name)))
    holding: list[PictureColumn] = []
    seen = False
    for name in order:
        heads = [head[:_HEAD] for value in first_values(forms[name]) for head in forms[name].pictures(value) if head]
        seen = seen or bool(heads)
        if any(decode.sniff(head.ljust(_HEAD, b"\0")) is not None for head in heads):
            holding.append(forms[name])
        elif not heads and (name in declared or _rank(name) < len(_USUAL)):
            holding.append(forms[name])  # there are only rows without a picture
    holding.sort(key=lambda form: form.name not in declared)
    if not holding:
        if not seen and forms:
            return None, []
        why = "the bytes in it are no picture files; " if forms else ""
        raise StoreError(f"{path} has no column of picture files: {why}{listed(schema)}. Name one with image=.")
    first, *others = holding
    if others and _rank(first.name) == len(_USUAL) and first.name not in declared:
        names = ", ".join(safe_text(form.name) for form in holding)
        raise StoreError(f"{path} has several columns of pictures: {names}. Name one with image=.")
    if not others:
        return first, []
    names = ", ".join(safe_text(form.name) for form in others)
    return first, [
        f"{path}: the pictures are those of the column {safe_text(first.name)}; {names} not read. image= names another."
    ]


def _rank(name: str) -> int:
    return _USUAL.index(name.lower()) if name.lower() in _USUAL else len(_USUAL)


def _declared(schema: Any) -> frozenset[str]:
    """Return the columns that the features of Hugging Face declare as images."""
    try:
        features = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        return frozenset(
            name for name, feature in features.items() if isinstance(feature, dict) and feature.get("_type") == "Image"
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return frozenset()


def listed(schema: Any) -> str:
    """Return the columns of a table with their types, for messages."""
    fields: Sequence[Any] = list(schema)
    if not fields:
        return "it has no columns"
    shown = "; ".join(f"{safe_text(field.name)[:60]} {str(field.type)[:40]}" for field in fields[:_MOST_LISTED])
    more = len(fields) - _MOST_LISTED
    return f"its columns are {shown}{f'; and {format_count(more)} more' if more > 0 else ''}"


def left_out_rows(path: Path, rows: Sequence[int]) -> tuple[list[Excluded], list[str]]:
    """Return the rows of a file that hold no picture, named, and a sentence on those that are too many to name.

    Args:
        path: The file.
        rows: Numbers of the rows.
    """
    excluded = [Excluded(f"{path.name} row {row}", "It holds no bytes of a picture.") for row in rows[:_MOST_NAMED]]
    more = len(rows) - len(excluded)
    return excluded, [f"{path}: {counted(more, 'more row')} without a picture left out."] if more else []
