"""Describes each storage method: when to choose it, its caveats, what was measured, what the article says."""

from __future__ import annotations

import re

from rich.text import Text

from imgstore_tui.analysis.methods import MethodResult, MethodSummary, summarise_methods
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_bytes, format_seconds
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.table_model import ratio_interval_text, ratio_text
from imgstore_tui.present.text.text_page import folded_line
from imgstore_tui.stats.ranking import Placement

_RESULT_STYLES = {
    "holds": "green", "holds in part": "yellow", "does not hold": "red", "too close to call": "", "not measured": "dim",
}  # fmt: skip


def method_summaries(results: RunResults) -> tuple[MethodSummary, ...]:
    """Return a summary of every storage method of a run that was measured."""
    return summarise_methods(results.run, results.summaries, results.verdicts)


def measured_lines(method: MethodSummary) -> list[str]:
    """Return what was measured for a method: a line per operation and level, then the disk use of its largest store."""
    lines = [_result_line(result) for result in method.results]
    largest = method.largest_store
    if largest is not None and largest.disk is not None and largest.disk.allocated_bytes is not None:
        size, raw = largest.disk.allocated_bytes, largest.store_pixel_bytes
        share = f", {size / raw:,.2f}x the bare pixels" if raw else ""
        files = "" if largest.disk.files is None else f" in {counted(largest.disk.files, 'file')}"
        lines.append(f"disk, {counted(largest.cell.cutoff, 'image')}: {format_bytes(size)}{files}{share}")
    return lines


def _result_line(result: MethodResult) -> str:
    summary = result.summary
    cell = summary.cell
    level = f" {cell.cache or cell.sync}" if cell.cache or cell.sync else ""
    head = f"{cell.operation}{level}, {counted(cell.cutoff, 'image')}"
    if summary.interval is None:
        return f"{head}: {summary.invalid_reason}"
    return f"{head}: {format_seconds(summary.seconds)}{_standing_text(result)}"


def _standing_text(result: MethodResult) -> str:
    standing = result.standing
    if standing is None:
        return ", not ranked"
    if result.competitors < 2:
        return ""
    if standing.placement is Placement.NONE:
        return ", no verdict"
    if standing.placement is Placement.SLOWER and standing.ratio is not None:
        return f", {ratio_text(standing.ratio)} ({ratio_interval_text(standing.ratio)}) as long as {result.best[0]}"
    if len(result.best) > 1:
        others = [name for name in result.best if name != standing.name]
        return f", tied with or too close to {', '.join(others)}"
    return f", the fastest of {result.competitors}"


def claim_lines(method: MethodSummary) -> list[tuple[str, str, str]]:
    """Return the article's claims about a method: the claim, its result in this run, and the numbers behind it."""
    return [(judged.claim.text, str(judged.result), judged.text) for judged in method.claims]


def methods_text(results: RunResults | None, *, width: int | None = None) -> Text:
    """Return every storage method with its own description, its numbers, and the article's claims about it.

    Args:
        results: The run; None before there is one.
        width: Columns available; None folds nothing.
    """
    methods = () if results is None else method_summaries(results)
    if not methods:
        return Text("Nothing measured yet. This will show what speaks for each storage method.", style="dim")
    text = Text()
    for method in methods:
        text.append(f"{safe_text(method.spec.label)}", style="bold")
        text.append(f"  {safe_text(method.title)}\n", style="dim")
        text.append(f"{safe_text(method.when_to_choose)}\n")
        if method.caveats:
            text.append_text(folded_line("caution ", "bold", safe_text(method.caveats), width))
        for line in measured_lines(method):
            text.append_text(folded_line("here ", "bold green", safe_text(line), width))
        for claim, result, because in claim_lines(method):
            text.append_text(_claim_line(safe_text(claim), result, safe_text(because), width))
        text.append("\n")
    legend = "here: measured in this run; article: what the article says, judged by this run's numbers alone."
    text.append(legend, style="dim italic")
    return text


def _claim_line(claim: str, result: str, because: str, width: int | None) -> Text:
    """Return a claim, its result and the numbers behind it, folded as one sentence."""
    text = folded_line("article ", "bold", f"{claim}: {result} ({because})", width)
    # Folding has put line ends in place of some spaces.
    parts = [r"\s+".join(map(re.escape, part.split())) for part in (f"{claim}:", result, f"({because})")]
    if match := re.search(rf"{parts[0]}\s+({parts[1]})\s+({parts[2]})", text.plain):
        text.stylize(_RESULT_STYLES.get(result, ""), *match.span(1))
        text.stylize("dim", *match.span(2))
    return text
