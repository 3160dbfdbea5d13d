"""Reads the labels of samples in a tar: from ``.cls`` members, from ``.json`` members, or from folders of classes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.class_folders import class_folders
from imgstore_tui.storekit.foreign_files import label_of
from imgstore_tui.storekit.label_column import LabelColumn, no_labels, parse_labels
from imgstore_tui.storekit.label_names import candidates, read_labels

_CLASSES = ("cls", "class")
"""Kinds of members that WebDataset decodes as the number of a class."""
_JSON = ("json", "jsn")
_MOST_NUMBER = 64
"""Bytes of the largest member that is read as a number."""
_MOST_JSON = 2**20
_MOST_KINDS = 6
"""Kinds of other members that are named."""


class SampleLabels:
    """Collects what may be labels while the members of a tar are indexed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: dict[str, dict[str, int]] = {}
        """By kind of member and key of sample."""
        self._facts: dict[str, dict[str, Any]] = {}
        """By name in a ``.json`` member and key of sample: what may be labels there."""
        self._others: Counter[str] = Counter()

    def add(self, key: str, kind: str, size: int, read: Callable[[], bytes]) -> None:
        """Take a member that is no picture.

        Args:
            key: What its name shares with the picture of its sample.
            kind: The rest of its name, in lower case, without the first dot.
            size: Its size in bytes.
            read: Returns its bytes.

        Raises:
            StoreError: If it should be the number of a class, and is none.
        """
        last = kind.rpartition(".")[2]
        if last in _CLASSES and size <= _MOST_NUMBER:
            self._numbers.setdefault(last, {})[key] = label_of(read(), self._path)
            return
        if last in _JSON and size <= _MOST_JSON:
            self._add_json(key, read())
        self._others[last] += 1

    def _add_json(self, key: str, data: bytes) -> None:
        try:
            facts = json.loads(data)
        except (ValueError, RecursionError):  # it is no label then
            return
        if isinstance(facts, dict):
            for name in (name for tier in candidates(facts) for name in tier):
                self._facts.setdefault(name, {})[key] = facts[name]

    def column(self, keys: Sequence[str]) -> LabelColumn:
        """Return the labels of samples, by their keys, in the order of the pictures."""
        for kind in _CLASSES:
            if numbers := self._numbers.get(kind):
                return parse_labels([numbers.get(key) for key in keys], len(keys), f".{kind}")
        in_json = no_labels("")
        if self._facts:
            in_json = read_labels(
                dict.fromkeys(self._facts, ""),
                len(keys),
                lambda name: [self._facts[name].get(key) for key in keys],
                what="name in .json",
            )
            if in_json.numbers is not None:
                return in_json
        if classes := class_folders(keys):
            return parse_labels(classes, len(keys), "the folder")
        reasons = ["no members .cls"]
        reasons += [f"in .json: {in_json.reason}"] if in_json.reason else []
        if kinds := [safe_text(f".{kind}") for kind, _ in self._others.most_common(_MOST_KINDS)]:
            reasons.append(f"there are {', '.join(kinds)} members beside")
        return no_labels("; ".join(reasons))
