"""Reads the labels of samples in a tar: from ``.cls`` members, from ``.json`` members, or from folders of classes."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
_MOST_TEXT = 1024
"""Bytes of the largest member that is read as the label that the user names."""
_MOST_JSON = 2**20
_MOST_KINDS = 6
"""Kinds of other members that are named."""


def _by_sample(values: Mapping[str, Any], keys: Sequence[str]) -> list[Any]:
    """Return the value of each picture by its key, or by what is before the first dot: ``a.cls`` for ``a.0.jpg``."""
    picture_values = []
    for key in keys:
        value = values.get(key)
        if value is None and "." in key:
            folder, slash, leaf = key.rpartition("/")
            value = values.get(folder + slash + leaf.partition(".")[0])
        picture_values.append(value)
    return picture_values


class SampleLabels:
    """Collects what may be labels while the members of a tar are indexed."""

    def __init__(self, path: Path, requested: str = "") -> None:
        """Begin; ``requested`` is the kind of member, or the name in .json, that the user names."""
        self._path, self._requested = path, requested.removeprefix(".")
        self._texts: dict[str, bytes] = {}
        """The requested members, by key of sample."""
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
        if self._requested:
            if self._requested.lower() in {kind, last} and size <= _MOST_TEXT:
                self._texts[key] = read()
            elif last in _JSON and size <= _MOST_JSON:
                self._add_json(key, read())
            self._others[last] += 1
            return
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
            named = [self._requested] if self._requested in facts else []
            usual = [] if self._requested else [name for tier in candidates(facts) for name in tier]
            for name in named or usual:
                self._facts.setdefault(name, {})[key] = facts[name]

    def column(self, keys: Sequence[str]) -> LabelColumn:
        """Return the labels of samples, by their keys, in the order of the pictures."""
        if self._requested:
            return self._requested_column(keys)
        for kind in _CLASSES:
            if numbers := self._numbers.get(kind):
                return parse_labels(_by_sample(numbers, keys), len(keys), f".{kind}")
        in_json = no_labels("")
        if self._facts:
            in_json = read_labels(
                dict.fromkeys(self._facts, ""),
                len(keys),
                lambda name: _by_sample(self._facts[name], keys),
                what="name in .json",
            )
            if in_json.numbers is not None:
                return in_json
        classes, note = class_folders(keys)
        if classes:
            return replace(parse_labels(classes, len(keys), "the folder"), note=note)
        reasons = ["no members .cls", *([note] if note else [])]
        reasons += [f"in .json: {in_json.reason}"] if in_json.reason else []
        return no_labels("; ".join([*reasons, *self._beside()]))

    def _requested_column(self, keys: Sequence[str]) -> LabelColumn:
        if self._texts:
            return parse_labels(_by_sample(self._texts, keys), len(keys), f".{self._requested}")
        if self._requested in self._facts:
            return parse_labels(
                _by_sample(self._facts[self._requested], keys), len(keys), f"{self._requested} in .json"
            )
        reason = f"no member .{safe_text(self._requested)}, and no such name in .json"
        return no_labels("; ".join([reason, *self._beside()]))

    def _beside(self) -> list[str]:
        kinds = [safe_text(f".{kind}") for kind, _ in self._others.most_common(_MOST_KINDS)]
        return [f"there are {', '.join(kinds)} members beside"] if kinds else []
