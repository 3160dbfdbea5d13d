"""Lists the contents of a sheet with all charts of a run: the charts, and the caption below them."""

from __future__ import annotations

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.article import article_report, further_charts
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import fact_pairs, interval_caption


def sheet_charts(results: RunResults) -> tuple[Chart, ...]:
    """Return the charts of a run that are not empty, those of the article's report first."""
    reported = (item for item in article_report(results) if isinstance(item, Chart))
    return tuple(chart for chart in (*reported, *further_charts(results)) if not chart.figure.empty)


def sheet_caption(results: RunResults) -> str:
    """Return data, machine, scratch, levels, plan and intervals of a run as one harmless paragraph."""
    facts = dict(fact_pairs(results.run))
    parts = [f"{name}: {facts[name]}." for name in ("Data", "Machine", "Work folder", "Levels", "Plan")]
    intervals = interval_caption(results.summaries)
    return safe_text(" ".join([*parts, f"Bars: {intervals}." if intervals else ""])).strip()
