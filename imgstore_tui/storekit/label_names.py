"""Finds the column, dataset, key or feature that holds the labels, by the names that tutorials and frameworks use."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.label_column import LabelColumn, NoLabelsError, no_labels, parse_labels

_TIERS = (
    ("label", "labels", "image/class/label", "image/label"),
    (
        "target", "targets", "y", "class", "classes", "category", "categories", "cls", "class_label", "class_labels",
        "label_id", "label_ids", "class_id", "class_ids", "category_id", "label_idx", "class_idx", "gt", "ground_truth",
        "fine_label", "fine_labels", "lbl", "lbls",
    ),
    ("label_name", "class_name", "category_name", "class_text", "image/class/text"),
    ("coarse_label", "coarse_labels", "meta"),
)  # fmt: skip
"""Usual names, in lower case; names of a tier count only if no tier before has one."""
_NAME_TIER = frozenset(_TIERS[2])
_IMAGE_WORDS = frozenset({"image", "images", "img", "imgs", "x", "data", "pixels", "picture", "pictures"})
_LABEL_WORDS = ("labels", "label", "y", "targets", "target", "class", "classes", "lbl", "lbls")
_MOST_NAMED = 8


def candidates(columns: Iterable[str], image: str = "") -> tuple[tuple[str, ...], ...]:
    """Return the columns that may hold the labels, in tiers, the likeliest first; case is ignored.

    Args:
        columns: Names of columns.
        image: Name of the column of images: ``train_labels`` belongs to ``train_images``, ``y`` to ``x``.
    """
    spelt: dict[str, list[str]] = {}
    for column in columns:
        if column != image:
            spelt.setdefault(column.lower(), []).append(column)
    tiers, seen = [], set[str]()
    for tier in (_belonging(image), *_TIERS):
        unseen = tuple(column for name in tier for column in spelt.get(name, ()) if column not in seen)
        seen.update(unseen)
        if unseen:
            tiers.append(unseen)
    return tuple(tiers)


def _belonging(image: str) -> tuple[str, ...]:
    """Return the names of labels that belong to a column of images: one word of its name replaced."""
    parts = re.split(r"([_/.\- ])", image.lower())
    places = [place for place, part in enumerate(parts) if part in _IMAGE_WORDS]
    if not places or len(parts) == 1:
        return ()
    names = []
    for place in reversed(places):
        names += ["".join([*parts[:place], word, *parts[place + 1 :]]) for word in _LABEL_WORDS]
    return tuple(dict.fromkeys(names))


def read_labels(
    columns: Mapping[str, str],
    count: int,
    read: Callable[[str], Any],
    *,
    image: str = "",
    requested: str = "",
    class_names: Mapping[str, Sequence[str]] | None = None,
    declared: Collection[str] = (),
    what: str = "column",
) -> LabelColumn:
    """Return the labels of a file with named columns, from the column that holds them.

    Args:
        columns: Columns by name, each described, e.g. ``float32 of shape (6, 4)``.
        count: Number of images.
        read: Returns the values of a column, as ``parse_labels`` takes them, or raises NoLabelsError.
        image: Name of the column of images.
        requested: Name of the column that the user asks for; empty for the usual names.
        class_names: Names of the labels 0, 1, ... by column, where the file declares them.
        declared: Columns that the file declares to hold classes, whatever they are called.
        what: What the format calls a column: ``dataset``, ``key``, ``feature``.
    """
    others = {name: kind for name, kind in columns.items() if name != image}
    if requested:
        if requested not in columns:
            return no_labels(f"no {what} is called {safe_text(requested)}; {_listed(others, what)}")
        return _parsed(read, requested, count, (class_names or {}).get(requested, ()))
    tiers = _with_declared(candidates(others, image), [name for name in others if name in declared])
    refused: list[str] = []
    for place, tier in enumerate(tiers):
        parsed = {name: _parsed(read, name, count, (class_names or {}).get(name, ())) for name in tier}
        readable = {name: column for name, column in parsed.items() if column.numbers is not None}
        refused += [column.reason for column in parsed.values() if column.numbers is None]
        if not readable:
            continue
        first, *more = readable
        differing = [name for name in more if not _equal(readable[first], readable[name])]
        if differing and first.lower() not in {"label", "labels"}:
            listed = " and ".join(safe_text(name) for name in [first, *differing])
            return no_labels(f"{listed} may both be meant, and differ; name one with label={safe_text(first)}")
        named = readable[first]
        passed = [*differing, *(name for later in tiers[place + 1 :] for name in later)]
        for name in [name for name in passed if name.lower() in _NAME_TIER]:
            if words := _names_by(named, _parsed(read, name, count)):
                named = replace(named, names=words)
                passed.remove(name)
        notes = [f"labels are taken from {safe_text(first)}"] if passed or refused else []
        notes += [f"{', '.join(map(safe_text, passed))} not used"] if passed else []
        return replace(named, note="; ".join([*notes, *refused]))
    if refused:
        return no_labels("; ".join(refused))
    hint = "; label= names the one that is meant" if others else ""
    return no_labels(f"no {what} is called label or the like; {_listed(others, what)}{hint}")


def _with_declared(tiers: Sequence[tuple[str, ...]], declared: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the tiers with the columns that the file declares to hold classes and that have no usual name.

    They come before all but ``label`` and the like, unless a column with a usual name is declared, too.
    """
    usual = {name for tier in tiers for name in tier}
    rest = tuple(name for name in declared if name not in usual)
    if not rest:
        return list(tiers)
    if usual.intersection(declared):
        return [*tiers, rest]
    place = next((place for place, tier in enumerate(tiers) if not _is_label(tier[0])), len(tiers))
    return [*tiers[:place], rest, *tiers[place:]]


def _is_label(name: str) -> bool:
    return name.lower() in _TIERS[0]


def _parsed(read: Callable[[str], Any], name: str, count: int, names: Sequence[str] = ()) -> LabelColumn:
    try:
        values = read(name)
    except NoLabelsError as why:
        return no_labels(f"{safe_text(name)} {why}")
    return parse_labels(values, count, name, names)


def _names_by(labels: LabelColumn, words: LabelColumn) -> tuple[str, ...]:
    """Return the names of labels by a column that has a word for each image.

    Empty if labels have names already, or not exactly one word stands beside each of the labels 0, 1, ...
    """
    if labels.numbers is None or labels.texts or labels.names or words.numbers is None or not words.texts:
        return ()
    both = (labels.numbers != NO_LABEL) & (words.numbers != NO_LABEL)
    pairs = set(zip(labels.numbers[both].tolist(), words.numbers[both].tolist(), strict=True))
    names = {number: words.texts[position] for number, position in pairs}
    if len(names) < len(pairs) or sorted(names) != list(range(len(names))):
        return ()
    return tuple(names[number] for number in range(len(names)))


def _equal(one: LabelColumn, other: LabelColumn) -> bool:
    """Whether two columns say the same, be it in numbers and in words."""
    if one.numbers is None or other.numbers is None:
        return False
    return bool((one.numbers == other.numbers).all())


def _listed(columns: Mapping[str, str], what: str) -> str:
    if not columns:
        return f"there is no other {what}"
    shown = [f"{safe_text(name)} {kind}".strip() for name, kind in list(columns.items())[:_MOST_NAMED]]
    return (
        f"there {'is' if len(columns) == 1 else 'are'} {', '.join(shown)}{' ...' if len(columns) > _MOST_NAMED else ''}"
    )
