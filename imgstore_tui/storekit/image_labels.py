"""Joins the labels of several files into those of all images, and says which images have none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.storekit.label_column import LabelColumn

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

_TWO_CLASSES = frozenset({NO_LABEL, 1})
"""Numbers of two classes as support vector machines have them, of which -1 is one."""


@dataclass(frozen=True, slots=True)
class ImageLabels:
    """The labels of all images, or the reason why there are none."""

    numbers: Labels | None
    """int64 array (n,); None if there are no labels."""
    names: tuple[str, ...] = ()
    """Names of the labels 0, 1, ...; empty where labels have none."""
    reason: str = ""
    """Why there are no labels; empty where there are."""
    note: str = ""
    """What else the user should know; often empty."""
    count: int = 0
    """Number of images."""

    def or_none(self) -> Labels:
        """Return the labels, or ``NO_LABEL`` for every image."""
        return np.full(self.count, NO_LABEL, np.int64) if self.numbers is None else self.numbers


def join_labels(columns: Sequence[LabelColumn], counts: Sequence[int], files: Sequence[str]) -> ImageLabels:
    """Return the labels of several files as one: text is numbered over all of them.

    Args:
        columns: One column per file.
        counts: Number of images in each file.
        files: Names of the files, for the reason.

    Returns:
        The labels of all images in the order of the files, or the reason why there are none.
    """
    total = sum(counts)
    used = [(column, file) for column, count, file in zip(columns, counts, files, strict=True) if count]
    note = "; ".join(dict.fromkeys(column.note for column, _ in used if column.note))
    without = [(column, file) for column, file in used if column.numbers is None]
    if without:
        column, file = without[0]
        reason = column.reason
        if len(without) < len(used):
            number = f"{format_count(len(without))} of {format_count(len(used))} files have"
            reason = f"{number} none, the first is {safe_text(file)}: {reason}"
        return ImageLabels(None, reason=reason, note=note, count=total)
    numbered = [column for column, _ in used if not column.texts]
    texts = [column for column, _ in used if column.texts]
    if numbered and texts:
        return ImageLabels(None, reason="labels are text in some files and numbers in others", note=note, count=total)
    if texts:
        names = tuple(sorted({text for column in texts for text in column.texts}))
        position = {name: number for number, name in enumerate(names)}
        parts = [
            np.array([*(position[text] for text in column.texts), NO_LABEL], np.int64)[column.numbers]
            for column in texts
        ]  # NO_LABEL, which is -1, is the last of them
        return _joined(np.concatenate(parts), names, note)
    if len({column.names for column in numbered}) > 1:
        return ImageLabels(None, reason="the files give different names to their classes", note=note, count=total)
    numbers = [column.numbers for column in numbered if column.numbers is not None]
    return _joined(np.concatenate([np.zeros(0, np.int64), *numbers]), next(iter(c.names for c in numbered), ()), note)


def _joined(numbers: Labels, names: tuple[str, ...], note: str) -> ImageLabels:
    """Return labels, with a note on images that have none; no labels if no image has one."""
    any_label, without = missing_labels(numbers, names)
    if not any_label:
        return ImageLabels(None, reason=without, note=note, count=len(numbers))
    return ImageLabels(numbers, names, note="; ".join(filter(None, (note, without))))


def missing_labels(numbers: Labels, names: Sequence[str] = ()) -> tuple[bool, str]:
    """Return whether any image has a label, and a note on those that have none; -1 beside 1 alone is a class.

    Args:
        numbers: int64 array (n,) of labels, ``NO_LABEL`` for an image without.
        names: Names of the labels 0, 1, ...; empty where they have none.
    """
    without = int((numbers == NO_LABEL).sum())
    if not without or (not names and set(np.unique(numbers).tolist()) == _TWO_CLASSES):
        return True, ""
    if without == len(numbers):
        return False, f"every label is {NO_LABEL}, which stands for no label"
    of = f"{format_count(without)} of {format_count(len(numbers))} images have"
    return True, f"{of} the label {NO_LABEL}, which stands for no label"
