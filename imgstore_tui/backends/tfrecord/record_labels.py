"""Reads the labels of records of tf.train.Example, from the feature that holds them, of any type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imgstore_tui.backends.tfrecord.example import feature_values, features
from imgstore_tui.core.image_names import MAX_NAME_BYTES
from imgstore_tui.storekit.label_column import LabelColumn
from imgstore_tui.storekit.label_names import candidates, read_labels

_MOST_VALUES = 100_000
"""Most values of a feature that are read: one-hot rows have one for each class."""
NAMES = ("image/filename", "filename", "file_name", "image/file_name", "image_name", "image/source_id")
"""Features that hold the name of a picture, the likeliest first."""
_BYTES = 1
_KINDS = {1: "bytes", 2: "float", 3: "int64"}


class RecordLabels:
    """Collects what may be labels while records with a picture are indexed."""

    def __init__(self, requested: str = "", class_names: Mapping[str, Sequence[str]] | None = None) -> None:
        """Collect the feature that the user names, or those with usual names and those that have names of classes."""
        self._requested, self._class_names = requested, class_names or {}
        self._count = 0
        self._kinds: dict[str, str] = {}
        self._values: dict[str, dict[int, Any]] = {}
        self._names: dict[str, list[str]] = {}

    def add(self, record: bytes) -> None:
        """Take the next record with a picture.

        Raises:
            StoreError: If it is no Example.
        """
        for name, kind, start, stop in features(record):
            text = name.decode("utf-8", "replace")
            if text not in self._kinds and len(self._kinds) < _MOST_VALUES:
                self._kinds[text] = _KINDS[kind]
            usual = text in self._class_names or candidates([text])
            if text == self._requested or (not self._requested and usual):
                values = feature_values(record, kind, start, stop, _MOST_VALUES)
                if values:
                    self._values.setdefault(text, {})[self._count] = values[0] if len(values) == 1 else values
            elif text in NAMES and kind == _BYTES:
                self._add_name(text, feature_values(record, kind, start, stop, 2))
        self._count += 1

    def _add_name(self, key: str, values: Sequence[Any]) -> None:
        names = self._names.setdefault(key, [])
        if len(names) == self._count and len(values) == 1 and 0 < len(values[0]) <= MAX_NAME_BYTES:
            names.append(values[0].decode("utf-8", "surrogateescape"))

    def names(self) -> list[str]:
        """Return the names of the pictures, from the likeliest feature that every record has; empty if none has."""
        columns = (self._names.get(key, []) for key in NAMES)
        return next((names for names in columns if len(names) == self._count), [])

    def column(self, image: str = "") -> LabelColumn:
        """Return the labels of the records, in their order.

        Args:
            image: Name of the feature that holds the pictures.
        """
        return read_labels(
            self._kinds,
            self._count,
            self._of,
            image=image,
            requested=self._requested,
            class_names=self._class_names,
            declared=self._class_names,
            what="feature",
        )

    def _of(self, name: str) -> list[Any]:
        values = self._values.get(name, {})
        return [values.get(number) for number in range(self._count)]
