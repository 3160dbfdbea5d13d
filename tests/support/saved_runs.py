"""Saves runs as journals, as the instrument does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.core.model import Run


def save_journal(run: Run, *, end: bool = True) -> Path:
    """Save a run and return the path of its journal.

    Args:
        run: The run, with rounds counted from 1.
        end: Whether the journal says how the run ended; without it the run counts as interrupted.
    """
    journal = Journal.begin(replace(run, measurements=(), finished_at=None, status="running"))
    for measurement in run.measurements:
        # The instrument counts rounds from 0.
        journal.add(replace(measurement, round=measurement.round - 1))
    for entry in run.client_rounds:
        journal.add_client_round(replace(entry, round=entry.round - 1))
    if end:
        journal.end(run.status, run.finished_at or "")
    journal.close()
    return journal.path
