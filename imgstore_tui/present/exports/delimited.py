"""Turns trials into rows of text: what the exports CSV and TSV share."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import fields
from operator import attrgetter
from typing import Any

from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.text import safe_text

_AFTER = {"cache_proof": "cache", "sync_count": "sync", "batch": "retries", "scratch": "dirty_before"}
"""Fields whose column follows another one than in ``Measurement``."""
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the start of a formula, wide forms included (OWASP, CSV injection)."""


def _trial_fields() -> tuple[str, ...]:
    names = [field.name for field in fields(Measurement) if field.name not in _AFTER]
    for name, previous in _AFTER.items():
        names.insert(names.index(previous) + 1, name)
    return tuple(names)


TRIAL_FIELDS = _trial_fields()
"""Every field of a measurement, in the order of columns."""
_TRIAL_VALUES = attrgetter(*TRIAL_FIELDS)


def trial_rows(run: Run) -> Iterator[tuple[str, ...]]:
    """Yield the head row, then one row of text per trial: the run's id and ``TRIAL_FIELDS`` in order."""
    yield ("run", *TRIAL_FIELDS)
    name = cell_text(run.id)
    for measurement in run.measurements:
        yield (name, *[_TEXT_OF.get(type(value), cell_text)(value) for value in _TRIAL_VALUES(measurement)])


def cell_text(value: object) -> str:
    """Return a JSON value as the text of a cell.

    Numbers are written as Python writes them, booleans as true or false, lists and objects as compact JSON; None and
    empty lists are empty. Text is made harmless, so it has neither line breaks nor tabs; where a spreadsheet would read
    it as a formula, an apostrophe stands before it.
    """
    if text_of := _TEXT_OF.get(type(value)):
        return text_of(value)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _harmless(value)
    return _harmless(_compact(value)) if value else ""


_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@functools.lru_cache(1024)
def _harmless(text: str) -> str:
    text = safe_text(text)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text


_TEXT_OF: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    int: repr,
    float: repr,
    str: _harmless,
}
"""What ``cell_text`` does with the plain kinds, of which a run may have fifty million values."""
