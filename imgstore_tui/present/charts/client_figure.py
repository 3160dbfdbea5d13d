"""Builds the figure of several clients of one store: throughput over their number, beside the ideal line."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgstore_tui.analysis.scaling import ScalingCurve, scaling_curves
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.charts.figures import ChartKind, Figure, Point, Series, method_indexes
from imgstore_tui.present.text.captions import dataset_names
from imgstore_tui.present.text.clients import contest_text


def client_contests(run: Run, dataset: str | None = None) -> tuple[str, ...]:
    """Return what the clients of a run did, in words: one text for each chart of clients.

    Args:
        run: The run.
        dataset: Only on this dataset; None for all.
    """
    curves = (curve for curve in scaling_curves(run) if dataset in (None, curve.row.dataset))
    return tuple(dict.fromkeys(map(contest_text, curves)))


def client_figure(run: Run | None, *, dataset: str | None, contest: str) -> Figure:
    """Return throughput over the number of clients, with the line of what each client alone would reach."""
    curves = () if run is None else scaling_curves(run)
    if dataset is None and curves:
        dataset = curves[0].row.dataset
    own = [curve for curve in curves if curve.row.dataset == dataset]
    contest = contest or (contest_text(own[0]) if own else "")
    shown = [curve for curve in own if contest_text(curve) == contest]
    indexes = method_indexes(run, (curve.row.spec for curve in curves))
    shown.sort(key=lambda curve: indexes[curve.row.spec])
    named = dataset if run is None or dataset is None else dataset_names(run).get(dataset, dataset)
    data = f" ({safe_text(named)})" if named and run is not None and len(run.plan.datasets) > 1 else ""
    return Figure(
        ChartKind.CLIENTS,
        f"{ChartKind.CLIENTS.menu_text}{contest and f': {contest}'}{data}",
        tuple(line for curve in shown for line in _client_lines(curve, indexes[curve.row.spec])),
        upward="images/s of all clients",
        strokes=("measured", "ideal"),
        across="clients",
        is_rate=True,
    )


def _client_lines(curve: ScalingCurve, index: int) -> Iterator[Series]:
    """Yield what was measured, and in proportion to one client; not that where no scaling is claimed at all."""
    name = safe_text(curve.row.spec)
    points = []
    for entry in curve.figures:
        rate = entry.throughput
        values = (math.nan,) * 3 if rate is None else (rate.median, rate.low, rate.high)
        points.append(Point(entry.clients, *values))
    yield Series(name, tuple(points), index)
    if curve.one is not None and curve.one.throughput is not None and not curve.shares_cores:
        one = curve.one.throughput.median
        ideal = [Point(point.n, value, value, value) for point in points for value in [one * point.n]]
        yield Series(name, tuple(ideal), index, dotted=True, is_guide=True)
