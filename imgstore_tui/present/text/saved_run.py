"""Writes saved runs as text: start, status, completeness, content; for the lists of screen and command line."""

from __future__ import annotations

from imgstore_tui.bench.results.saved_runs import SavedRun
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count, format_count_short
from imgstore_tui.present.text.captions import plan_word, status_word


def started_text(run: Run | None) -> str:
    """Return when a run started: ``2026-01-02 03:04``, UTC."""
    return "" if run is None else safe_text(run.started_at[:16].replace("T", " "))


def status_text(saved: SavedRun) -> str:
    """Return the status of a run in a word or two."""
    return status_word(saved.status)


def completed_text(saved: SavedRun) -> str:
    """Return the number of trials measured: ``306``, or ``41 of 306``."""
    if saved.run is None:
        return ""
    if saved.measured >= saved.trials:
        return format_count(saved.measured)
    return f"{format_count(saved.measured)} of {format_count(saved.trials)}"


def failed_text(saved: SavedRun) -> str:
    """Return the number of failed trials, or ``none``."""
    return "" if saved.run is None else format_count(saved.failed) if saved.failed else "none"


def name_text(saved: SavedRun) -> str:
    """Return the title that the user gave a run, if any, and its datasets as the plan spells them."""
    if saved.run is None:
        return ""
    title = f"'{saved.run.title}' " if saved.run.title else ""
    return safe_text(f"{title}{', '.join(saved.run.plan.datasets)}")


def description_text(saved: SavedRun) -> str:
    """Return title, methods, data and cutoffs of a run; of an unreadable one the reason."""
    if saved.run is None:
        return safe_text(saved.problem)
    plan = saved.run.plan
    specs = ", ".join(spec.label for spec in plan.specs)
    data = ", ".join(facts.summary for facts in saved.run.datasets) or ", ".join(plan.datasets)
    title = f"'{saved.run.title}': " if saved.run.title else ""
    return safe_text(f"{title}{specs} on {data}, N={','.join(map(format_count_short, plan.cutoffs))}")


def details_text(saved: SavedRun) -> str:
    """Return the id of a run (which commands take), its plan, failures and size."""
    parts = [saved.id]
    if saved.run is not None:
        parts += [f"plan {plan_word(saved.run.plan)}", f"{failed_text(saved)} failed"]
    return safe_text(", ".join([*parts, format_bytes(saved.size_bytes)]))


def deletion_question(saved: SavedRun) -> str:
    """Return the question asked before a run is deleted: what is deleted, and what stays."""
    if saved.run is None:
        what = f"the unreadable file {saved.id} ({format_bytes(saved.size_bytes)})"
    else:
        name = saved.id if saved.name == saved.id else f"'{saved.name}' ({saved.id})"
        trials = "its one trial" if saved.measured == 1 else f"all its {format_count(saved.measured)} trials"
        what = f"{name}, {trials} ({format_bytes(saved.size_bytes)})"
    return safe_text(f"Delete {what}? Exports of it stay.")
