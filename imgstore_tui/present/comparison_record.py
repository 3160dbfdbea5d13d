"""Turns the comparison of runs into JSON values, for programs."""

from __future__ import annotations

from typing import Any

from imgstore_tui.analysis.compare import CellComparison, RunComparison
from imgstore_tui.core.json_values import to_json
from imgstore_tui.present.tables.comparison import comparison_verdict
from imgstore_tui.stats.intervals import Interval


def comparison_record(comparison: RunComparison) -> dict[str, Any]:
    """Return a comparison as JSON values: runs, margin, spread, the run as a whole, and one object a cell.

    Ratios are of seconds after to seconds before; spreads are standard deviations as a part of 1, null where they are
    assumed.
    """
    shift = comparison.shift
    return {
        "run": comparison.run.id,
        "bases": [base.id for base in comparison.bases],
        "margin": comparison.margin,
        "bound": comparison.bound,
        "spread": None if shift is None else {"run": shift.whole_spread, "cell": shift.cell_spread},
        "whole": None if shift is None or shift.whole is None else _interval(shift.whole),
        "whole_result": comparison.whole_result,
        "worse": comparison.worse,
        "verdict": comparison_verdict(comparison),
        "obstacles": list(comparison.obstacles),
        "changes": list(comparison.changes),
        "only_base": comparison.only_base,
        "only_run": comparison.only_run,
        "cells": [_cell(pair) for pair in comparison.cells],
    }


def _cell(pair: CellComparison) -> dict[str, Any]:
    return {
        **to_json(pair.cell),
        "before": pair.seconds_before,
        "after": pair.after.seconds,
        "ratio": _interval(pair.ratio),
        "relative": _interval(pair.relative),
        "result": pair.result,
    }


def _interval(ratio: Interval | None) -> dict[str, Any] | None:
    if ratio is None:
        return None
    return {
        "ratio": ratio.median, "low": ratio.low, "high": ratio.high, "coverage": ratio.coverage, "n": ratio.n,
        "basis": None if ratio.is_range else ratio.basis,
    }  # fmt: skip
