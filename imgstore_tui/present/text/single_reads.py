"""Writes what a program that asks for one image at a time has to expect, beside a figure of calls of many."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import SHUFFLE_BATCH, CacheState, Operation
from imgstore_tui.core.units import format_number, format_seconds
from imgstore_tui.present.results import RunResults

ALIKE = 1.5
"""Ratio of two times of an image up to which they count as the same."""
SHORT_S = 20e-6
"""Below so many seconds what the instrument does for each call is a large part of the time of a single read."""


def single_reads_sentence(results: RunResults, cell: Cell) -> str:
    """Return what is to be said of single reads beside the figure of a method, empty if none is due.

    Args:
        results: The run.
        cell: The reading cell of the method that is recommended.
    """
    if cell.cache is not CacheState.HOT:
        return ""
    single = _measured(results, replace(cell, operation=Operation.GET_ONE))
    if cell.operation in (Operation.READ_RANDOM, Operation.READ_MANY):
        batch = results.run.plan.batch
        most = min(SHUFFLE_BATCH, batch) if cell.operation is Operation.READ_RANDOM else batch
        calls = f"calls of up to {most} images"
        if single is None:
            return f"Read by {calls}. What a loop over single images takes is measured by -o get-one."
        return " ".join(filter(None, (_beside(single, _measured(results, cell), calls), _short(single))))
    return _short(single) if cell.operation is Operation.GET_ONE else ""


def _measured(results: RunResults, cell: Cell) -> CellSummary | None:
    summary = next((summary for summary in results.summaries if summary.cell == cell), None)
    return summary if summary is not None and summary.seconds is not None else None


def _beside(single: CellSummary, many: CellSummary | None, calls: str) -> str:
    each = None if many is None else many.seconds_per_image
    if single.seconds is None or not each:
        return ""
    ratio = single.seconds / each
    text = f"Asked for one by one an image takes {format_seconds(single.seconds)} (get-one)"
    if 1 / ALIKE <= ratio <= ALIKE:
        return f"{text}, about as long as by {calls}."
    if ratio < 1:  # opening the store is in the figure of the calls, and not in that of single reads
        return f"{text}; by {calls}, opening the store included, {format_number(1 / ratio)} times as long."
    return f"{text}, {format_number(ratio)} times as long as by {calls}."


def _short(single: CellSummary | None) -> str:
    if single is None or single.seconds is None or single.seconds >= SHORT_S:
        return ""
    return "Single reads are timed each by itself, with label and checks: microseconds that a bare loop does not have."
