"""Puts into words what is in a folder beside pictures, or in their place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count
from imgstore_tui.datasets.folder.scan import LINKED_FOLDER, TreeRules

_MOST_SUFFIXES = 6
"""Suffixes of other files that are named."""
_SYSTEM_SUFFIXES = frozenset({".db", ".ini"})
"""Suffixes of files that Windows puts into folders of pictures."""
_NOTES = frozenset(
    {"", ".cfg", ".csv", ".html", ".json", ".md", ".pdf", ".py", ".rst", ".txt", ".xml", ".yaml", ".yml"}
)
"""Suffixes of files that hold no pictures, but are written beside them."""


def others_text(others: Counter[str]) -> str:
    """Return a sentence on the files of a tree that are no pictures; empty if there are none to be named.

    Args:
        others: Their numbers by suffix.
    """
    named = others - Counter(dict.fromkeys(_SYSTEM_SUFFIXES, others.total()))
    if not named:
        return ""
    files = "1 other file is not a picture" if named.total() == 1 else (
        f"{format_count(named.total())} other files are not pictures"
    )  # fmt: skip
    return f"In the folder, {files}: {_suffixes(named)}."


def _suffixes(others: Counter[str]) -> str:
    shown = others.most_common(_MOST_SUFFIXES)
    kinds = [f"{safe_text(suffix) or 'without an ending'} ({format_count(number)})" for suffix, number in shown]
    rest = others.total() - sum(number for _, number in shown)
    return ", ".join([*kinds, *([f"others ({format_count(rest)})"] if rest else [])])


def no_pictures_text(root: Path, rules: TreeRules, excluded: Sequence[Excluded]) -> str:
    """Return why no picture of a tree can be used, and what there is in their place.

    Args:
        root: The folder.
        rules: What was taken, with what the walk has counted.
        excluded: The files and links that look like pictures.
    """
    where = f"'{safe_text(str(root))}'"
    if not excluded:
        endings = f": files that end in {', '.join(sorted(rules.suffixes))}"
        return f"There are no pictures in {where} or below it{_packed(root, rules) or endings}."
    linked = [entry for entry in excluded if entry.reason == LINKED_FOLDER]
    if len(linked) == len(excluded):
        return (
            f"{where} holds no pictures but {counted(len(linked), 'link')} to folders, for example "
            f"'{safe_text(linked[0].name)}', which are not followed. Add links=follow."
        )
    first, number = excluded[0], len(excluded)
    files = "1 file, but it cannot" if number == 1 else f"{format_count(number)} files, but none can"
    return (
        f"{where} holds {files} be used, for example '{safe_text(first.name)}': "
        f"{first.reason.rstrip('.')}. Name a folder with pictures."
    )


def _packed(root: Path, rules: TreeRules) -> str:
    """Return how to name files in which a program may have packed pictures; empty if there are none."""
    packed = [entry for entry in rules.others.most_common() if entry[0] not in _NOTES | _SYSTEM_SUFFIXES]
    if not packed:
        return ""
    (suffix, number), folder = packed[0], root / rules.places[packed[0][0]]
    files = f"{counted(number, 'file')} ending in {safe_text(suffix)}"
    return f", but {files}; if pictures are packed in them, name their folder: store:{safe_text(str(folder))}"
