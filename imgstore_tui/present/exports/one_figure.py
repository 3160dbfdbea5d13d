"""Exports one chart of a run alone, in the size of its place in a paper."""

from __future__ import annotations

from imgstore_tui.core.errors import UsageError, unknown_name
from imgstore_tui.core.model import Run
from imgstore_tui.plugins.catalogue import check_installed
from imgstore_tui.present import exports
from imgstore_tui.present.charts.chart_list import Chart, chart_views
from imgstore_tui.present.charts.figure_size import FigureSize
from imgstore_tui.present.charts.figures import ChartKind, chart_kinds, make_figure
from imgstore_tui.present.charts.svg import standalone_svg
from imgstore_tui.present.results import build_results

FORMATS = ("svg", "png", "pdf")


def export_figure(run: Run, kind: str, form: str, size: str | None = None) -> bytes:
    """Return one chart of a run as a file.

    Args:
        run: The run.
        kind: The kind of chart, and after a colon a level: ``read-many:cold``; the first level without one.
        form: ``svg``, ``png`` or ``pdf``.
        size: ``column`` or ``page``, for a chart without a title; None for a sheet.

    Raises:
        UsageError: If the run has no such chart or level, or it cannot be drawn in this format or size.
        UnavailableError: If what draws the format is not installed.
    """
    if form not in FORMATS:
        raise UsageError(f"One chart alone is exported as {', '.join(FORMATS)}, not as {form}.")
    if size is not None and size not in list(FigureSize):
        raise unknown_name("size", size, list(FigureSize))
    chart, place = _chart(run, kind), None if size is None else FigureSize(size)
    if chart.figure.empty:
        raise UsageError(f"Nothing was measured that the chart {kind} shows.")
    if form == "svg":
        return standalone_svg(chart.figure, scales=chart.scales, size=place).encode()
    check_installed(exports.catalogue.get(form))
    from imgstore_tui.present.charts.matplotlib_sheet import draw_chart

    return draw_chart(chart, run, form, size=place)


def _chart(run: Run, text: str) -> Chart:
    name, _, level = text.partition(":")
    kinds = [kind.value for kind in chart_kinds(run)]
    if name not in kinds:
        raise unknown_name("chart", name, kinds)
    kind = ChartKind(name)
    views = chart_views(run, kind)
    words = set(level.replace(",", " ").split())
    named = [view for view in views if words <= set(view.text.replace(",", " ").split())]
    if not named:
        levels = "; ".join(view.text for view in views)
        raise UsageError(f"The chart {name} has no level '{level}'. It has: {levels or 'one only'}.")
    view = named[0]
    figure = make_figure(
        build_results(run), kind, sync=view.sync, cache=view.cache, against=view.against, contest=view.contest
    )
    return Chart(figure)
