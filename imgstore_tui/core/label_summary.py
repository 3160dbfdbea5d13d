"""Puts the labels of a dataset into words: their names, or that there are none, and why."""

from __future__ import annotations

from collections.abc import Sequence

from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count


def label_summary(dataset: Dataset, most: int = 100) -> str:
    """Return the labels of a dataset in a phrase; empty where nothing is to be said of them.

    E.g. ``labels: 0 cat, 1 dog`` or ``labels: none (label is float32 of shape (6, 4))``.

    Args:
        dataset: The dataset, scanned.
        most: How many labels are named.
    """
    if not dataset.has_labels:
        return f"labels: none ({safe_text(dataset.label_note)})" if dataset.label_note else "labels: none"
    note = f" ({safe_text(dataset.label_note)})" if dataset.label_note else ""
    if dataset.label_names:
        return f"labels: {class_names_text(dataset.label_names, most)}{note}"
    return f"labels: numbers{note}" if note else ""


def class_names_text(names: Sequence[str], most: int = 100) -> str:
    """Return classes with their numbers: ``0 cat, 1 dog``.

    Args:
        names: Names of the labels 0, 1, ...
        most: How many of them are named.
    """
    shown = ", ".join(f"{number} {name}" for number, name in enumerate(names[:most]))
    more = f" and {format_count(len(names) - most)} more" if len(names) > most else ""
    return safe_text(f"{shown}{more}")
