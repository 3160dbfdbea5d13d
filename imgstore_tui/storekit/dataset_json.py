"""Reads ``dataset.json``, in which StyleGAN keeps the labels of the pictures in a folder or in a zip archive.

Source: the page of dataset preparation of stylegan3 (NVlabs): ``{"labels": [["00000/img00000000.png", 6], ...]}``, with
``null`` in the place of the list where pictures have no labels.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from imgstore_tui.storekit.label_column import LabelColumn, no_labels, parse_labels

NAME = "dataset.json"
LARGEST = 2**28
"""Bytes of the largest such file that is read."""


def labels_in(data: bytes, pictures: Sequence[str]) -> LabelColumn | None:
    """Return the labels of pictures; None if the file is not of this kind.

    Args:
        data: The bytes of the file.
        pictures: Paths of the pictures beside it, with slashes between folders.
    """
    try:
        labels = json.loads(data)["labels"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if labels is None:
        return no_labels(f"{NAME} says that there are none")
    if not isinstance(labels, list) or not all(map(_is_pair, labels)):
        return None
    by_name = {name.replace("\\", "/"): label for name, label in labels}
    values = [by_name.get(name) for name in pictures]
    column = parse_labels(values, len(pictures), f"labels in {NAME}")
    if column.numbers is None:
        return column
    return LabelColumn(column.numbers, column.texts, note=f"labels are taken from {NAME}")


def _is_pair(entry: Any) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str)
