"""Tells the splits of a data set apart by the names of its files, datasets and columns: train, test, validation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count

ALL = "all"
"""Value of the option ``split`` that takes all splits as one."""
_SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation"), "validation"),
    "dev": "dev",
    "eval": "eval",
}
_MNIST_TEST = "t10k"
"""What the files of MNIST and its kin call the split test."""
_SHARD = re.compile(r"(.*?)(\d{2,})-of-(\d{2,})(?!\d)(.*)", re.DOTALL)
_WORD = re.compile("[^a-z]+")

Item = TypeVar("Item")


def split_of(name: str) -> str:
    """Return the split that a name says it belongs to, e.g. ``train`` for ``x_train``; empty if none, or several."""
    named = {_SPLITS[word] for word in _WORD.split(name.lower()) if word in _SPLITS}
    if _MNIST_TEST in name.lower():
        named.add("test")
    return named.pop() if len(named) == 1 else ""


def is_split(name: str) -> bool:
    """Whether a name says a split and nothing else, e.g. ``train`` or ``val2017``."""
    return bool(split_of(name)) and all(word in _SPLITS for word in _WORD.split(name.lower()) if word)


def of_split(
    place: object, names: Mapping[str, Item], requested: str, what: str = "file", outer: str = ""
) -> dict[str, Item]:
    """Return what belongs to one split.

    Args:
        place: File or folder that holds them, for the message.
        names: What to choose from, by name.
        requested: The split that the user names, ``ALL``, or empty.
        what: What has the names.
        outer: Name of what they are in, which may say the split for all of them.

    Raises:
        StoreError: If there are several splits and the user names none, or one that is not there.
    """
    splits: dict[str, list[str]] = {}
    for name in names:
        splits.setdefault(split_of(name), []).append(name)
    split = _SPLITS.get(requested.lower(), requested.lower())
    if requested == ALL or (len(splits) <= 1 and (not requested or ("" in splits and split_of(outer) == split))):
        return dict(names)
    if split in splits and split:
        return {name: names[name] for name in splits[split]}
    listed = _listed(splits, what)
    if requested:
        raise StoreError(f"{place} has no split {safe_text(requested)}; there are {listed}.")
    raise StoreError(f"{place} holds several splits: {listed}. Name one with split=, or split=all for all in one.")


def missing_shards(names: Iterable[str]) -> tuple[str, ...]:
    """Return a sentence for each set of shards, ``x-00000-of-00003``, of which there are fewer than the names say.

    Args:
        names: Names of the files.
    """
    sets: dict[tuple[str, int, str], set[int]] = {}
    for name in names:
        if match := _SHARD.fullmatch(name):
            sets.setdefault((match[1], int(match[3]), match[4]), set()).add(int(match[2]))
    sentences = []
    for (before, total, after), numbers in sorted(sets.items()):
        if len(numbers) < total:
            shown = safe_text(f"{before}*-of-{total:05}{after}")
            there = f"{format_count(len(numbers))} of {format_count(total)} shards"
            sentences.append(f"Of {shown}, {there} are in the folder; the pictures of the others are missing.")
    return tuple(sentences)


def _listed(splits: Mapping[str, Sequence[str]], what: str) -> str:
    shown = [
        f"{split or 'no split'} ({counted(len(names), what)}, e.g. {safe_text(names[0])})"
        for split, names in sorted(splits.items(), key=lambda item: (not item[0], item[0]))
    ]
    return ", ".join(shown)
