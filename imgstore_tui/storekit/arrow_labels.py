"""Reads the column of labels of an Arrow table, with the names that the features of Hugging Face give to classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from imgstore_tui.storekit.label_column import LabelColumn
from imgstore_tui.storekit.label_names import read_labels

_HUGGING_FACE = b"huggingface"
_MOST_NAMES = 1_000_000


def table_labels(schema: Any, count: int, image: str, read: Callable[[str], Any], requested: str = "") -> LabelColumn:
    """Return the labels of a table.

    Args:
        schema: Its Arrow schema.
        count: Number of rows.
        image: Name of the column of images.
        read: Returns a column as a ``pyarrow.ChunkedArray``.
        requested: Name of the column of labels that the user names; empty for the usual names.
    """
    kinds = {field.name: f"{field.type}"[:60] for field in schema}
    names = class_names(schema.metadata or {})
    return read_labels(
        kinds,
        count,
        lambda name: _values(read(name)),
        image=image,
        requested=requested,
        class_names=names,
        declared=names,
    )


def class_names(metadata: Mapping[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the names of classes by column, as the metadata of a schema of Hugging Face declares them.

    Args:
        metadata: Metadata of an Arrow schema.
    """
    try:
        features = json.loads(metadata.get(_HUGGING_FACE, b"{}"))["info"]["features"]
        declared = {name: _names_of(feature) for name, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: names for name, names in declared.items() if names}


def _names_of(feature: Any) -> tuple[str, ...]:
    """Return the names of a feature if it is a ClassLabel; empty for others, and for what makes no sense."""
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return ()
    names = feature.get("names")
    if isinstance(names, dict):  # YAML of dataset cards: a number for each name
        names = [names.get(str(number)) for number in range(len(names))]
    if not isinstance(names, list) or len(names) > _MOST_NAMES or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names) if len(set(names)) == len(names) else ()


def _values(column: Any) -> Any:
    """Return the values of a column as an array of numbers, or as a list."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and not column.null_count:
        return column.to_numpy()
    return column.to_pylist()
