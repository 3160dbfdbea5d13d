"""Reads the labels of records of tf.train.Example, from the feature that holds them, of any type."""

from __future__ import annotations

from typing import Any

from imgstore_tui.backends.tfrecord.example import feature_values, features
from imgstore_tui.storekit.label_column import LabelColumn
from imgstore_tui.storekit.label_names import candidates, read_labels

_MOST_VALUES = 100_000
"""Most values of a feature that are read: one-hot rows have one for each class."""
_KINDS = {1: "bytes", 2: "float", 3: "int64"}


class RecordLabels:
    """Collects what may be labels while records with a picture are indexed."""

    def __init__(self, requested: str = "") -> None:
        """Collect the feature that the user names, or those with usual names."""
        self._requested = requested
        self._count = 0
        self._kinds: dict[str, str] = {}
        self._values: dict[str, dict[int, Any]] = {}

    def add(self, record: bytes) -> None:
        """Take the next record with a picture.

        Raises:
            StoreError: If it is no Example.
        """
        for name, kind, start, stop in features(record):
            text = name.decode("utf-8", "replace")
            if text not in self._kinds and len(self._kinds) < _MOST_VALUES:
                self._kinds[text] = _KINDS[kind]
            if text == self._requested or (not self._requested and candidates([text])):
                values = feature_values(record, kind, start, stop, _MOST_VALUES)
                if values:
                    self._values.setdefault(text, {})[self._count] = values[0] if len(values) == 1 else values
        self._count += 1

    def column(self, image: str = "") -> LabelColumn:
        """Return the labels of the records, in their order.

        Args:
            image: Name of the feature that holds the pictures.
        """
        return read_labels(self._kinds, self._count, self._of, image=image, requested=self._requested, what="feature")

    def _of(self, name: str) -> list[Any]:
        values = self._values.get(name, {})
        return [values.get(number) for number in range(self._count)]
