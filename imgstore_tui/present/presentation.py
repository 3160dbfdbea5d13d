"""Splits a run into pages for a lecture: one figure or table each, and what the run says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text

from imgstore_tui.analysis.article.claims import JudgedClaim, check_claims
from imgstore_tui.analysis.article.evidence import ClaimResult
from imgstore_tui.analysis.scaling import scaling_curves
from imgstore_tui.core.text import safe_text
from imgstore_tui.present.article import article_report, is_article
from imgstore_tui.present.charts.chart_list import Chart, run_charts
from imgstore_tui.present.charts.figures import ChartKind
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.present.text.clients import client_sentences, contest_text
from imgstore_tui.present.text.narrative import chart_verdict_lines
from imgstore_tui.present.text.text_page import folded_line

_CLAIMS_OF = {
    "1": ("one-fast",), "2": ("store-png", "store-start", "store-end"), "3": ("store-png", "store-start", "store-end"),
    "4": ("one-fast",), "5": ("read-png", "read-start", "read-end"), "6": ("read-png", "read-start", "read-end"),
    "7": ("epochs", "larger"), "8": ("disk-more", "disk-grows", "disk-pages"),
}  # fmt: skip
"""Keys of the claims that each of the article's eight items bears on, by the number of the item."""
_STYLES = {ClaimResult.HOLDS: "bold green", ClaimResult.PARTLY: "bold yellow", ClaimResult.FAILS: "bold red"}


@dataclass(frozen=True, slots=True)
class Page:
    """One figure or table, and the text beside it."""

    item: Table | Chart
    claims: tuple[JudgedClaim, ...] = ()
    """The article's claims that it bears on."""
    sentences: tuple[str, ...] = ()
    """The verdicts on what it shows, for a run that is not the article's experiment."""

    def text(self, width: int | None) -> Text:
        """Return what stands beside the figure.

        Args:
            width: Columns available; None folds nothing.
        """
        text = Text()
        for judged in self.claims:
            text.append("\n" if text else "")
            text.append_text(folded_line("The article: ", "dim", safe_text(judged.claim.text), width, indent=0))
            style = _STYLES.get(judged.result, "bold")
            text.append_text(folded_line("Here: ", "dim", judged.result.words, width, indent=0, style=style))
            if judged.result is not ClaimResult.UNMEASURED:
                text.append_text(folded_line("", "", safe_text(judged.text), width, indent=0))
        for sentence in self.sentences:
            text.append("\n" if text else "")
            text.append_text(folded_line("", "", sentence, width, indent=0))
        return text


def presentation_pages(results: RunResults) -> tuple[Page, ...]:
    """Return the pages of a run: the article's eight items in its order, or every chart of another run."""
    return tuple(_article_pages(results) if is_article(results.run) else _chart_pages(results))


def _article_pages(results: RunResults) -> Iterator[Page]:
    claims = {judged.claim.key: judged for judged in check_claims(results.run, results.summaries)}
    for item in article_report(results):
        number = (item.title if isinstance(item, Table) else item.heading).partition(".")[0]
        if number in _CLAIMS_OF and not (isinstance(item, Chart) and item.figure.empty):
            yield Page(item, tuple(claims[key] for key in _CLAIMS_OF[number]))


def _chart_pages(results: RunResults) -> Iterator[Page]:
    charts: Sequence[Chart] = run_charts(results)
    for chart in charts:
        if not chart.figure.empty:
            yield Page(chart, sentences=_sentences(chart, results))


def _sentences(chart: Chart, results: RunResults) -> tuple[str, ...]:
    """Return what the run says of what a chart shows."""
    if chart.figure.kind is not ChartKind.CLIENTS:
        return tuple(chart_verdict_lines(results, chart.figure.kind.operations))
    shown = {line.name for line in chart.figure.series}
    return tuple(
        safe_text(sentence)
        for curve in scaling_curves(results.run)
        if curve.row.spec in shown and contest_text(curve) in chart.figure.title
        for _, sentence, _ in client_sentences(curve)
    )
