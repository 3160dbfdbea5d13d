"""Saves the last choice and loads it at the next start."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from imgstore_tui.bench.plan.plans import dump_plan, parse_plan
from imgstore_tui.bench.system.app_folders import last_choice_file, make_private
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.spec import Spec
from imgstore_tui.jobs.plans import name_if_unchanged, with_absolute_paths
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.atomic_write import write_atomic
from imgstore_tui.tui.forms.choice import Choice

KIND = "imgstore-tui choice"
VERSION = 1
MAX_BYTES = 1 << 20
"""A larger file was not written by this program."""


def save_choice(choice: Choice) -> None:
    """Save a choice for the next start.

    Raises:
        ImgstoreError: If it cannot be written; the previous file is kept then.
    """
    plan = choice.plan
    values = {
        "kind": KIND,
        "version": VERSION,
        # Specs apart, so that one that is no longer installed does not invalidate the others.
        "plan": dump_plan(replace(with_absolute_paths(plan), specs=())),
        "ticked": [spec.label for spec in plan.specs],
        "offered": [spec.label for spec in choice.offered],
        "cutoffs_offered": list(choice.cutoffs_offered),
    }
    path = last_choice_file()
    try:
        make_private(path.parent)
    except OSError as error:
        raise ImgstoreError(f"The choice cannot be kept in {path.parent}: {error.strerror}.") from None
    write_atomic(path, json.dumps(values, indent=1).encode(), overwrite=True)


def load_choice() -> tuple[Choice | None, str]:
    """Return the saved choice, None if there is none, and the problem with it in a sentence."""
    path = last_choice_file()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("it is too large")
        values = json.loads(path.read_bytes())
        if not isinstance(values, dict) or values.get("kind") != KIND:
            raise ValueError("it is not of this program")
        if values.get("version") != VERSION:
            raise ValueError("it is of another version")
        return _choice(values)
    except FileNotFoundError:
        return None, ""
    except OSError as error:
        why = error.strerror or str(error)
    except (ImgstoreError, ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        why = str(error).rstrip(".")
    return None, f"The last choice in {path} was left aside: {why}."


def _choice(values: dict[str, Any]) -> tuple[Choice, str]:
    lost: list[str] = []
    ticked = _specs(values["ticked"], lost)
    plan = replace(parse_plan(str(values["plan"])), specs=tuple(ticked))
    plan = replace(plan, name="custom" if lost else name_if_unchanged(plan))
    choice = Choice.of(plan)
    offered = {spec.label: spec for spec in (*_specs(values["offered"], lost), *choice.offered)}
    cutoffs = {int(cutoff) for cutoff in values["cutoffs_offered"] if int(cutoff) > 0}
    choice = replace(
        choice,
        offered=tuple(offered.values()),
        cutoffs_offered=tuple(sorted({*choice.cutoffs_offered, *cutoffs})),
    )
    note = f"Of the last choice, this was left out: {', '.join(dict.fromkeys(lost))}." if lost else ""
    return choice.with_field("dataset", choice.dataset), note


def _specs(labels: Any, lost: list[str]) -> list[Spec]:
    specs = []
    for label in labels:
        try:
            specs.append(registry.resolve_spec(str(label)))
        except ImgstoreError:
            lost.append(str(label))
    return specs
