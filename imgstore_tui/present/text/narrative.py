"""Writes the recommendation, the verdicts and the facts of a run as text without markup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import groupby

from rich.text import Text

from imgstore_tui.analysis.verdict import Verdict, coverage_clause
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count, format_count_short
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import contest_title, fact_pairs, sign_word
from imgstore_tui.present.text.recommendation import TITLE, recommendation_lines
from imgstore_tui.present.text.shared_options import short_names
from imgstore_tui.present.text.standings import standings_text
from imgstore_tui.present.text.text_page import folded_line
from imgstore_tui.stats.intervals import MIN_ROUNDS

MOST_NAMED = 4
"""Most slower methods that a verdict on the screen names; the ranking has all."""


def verdict_text(
    results: RunResults | None,
    cutoff: int | None = None,
    *,
    width: int | None = None,
    colours: ChartColours | None = None,
) -> Text:
    """Return the recommendation, the standings, the verdicts, the warnings and the facts of a run.

    Args:
        results: The run; None before there is one.
        cutoff: Number of images whose verdicts are shown; None for all.
        width: Columns available; None folds nothing.
        colours: Styles of the methods; None for none.
    """
    if results is None:
        needs = f"A verdict needs {MIN_ROUNDS} rounds or more of 2 verified methods."
        return Text(f"Nothing measured yet.\n{needs}", style="dim")
    text = recommendation_text(results, cutoff, width=width)
    for part in (
        standings_text(results, cutoff, width=width, colours=colours),
        operation_verdicts_text(results, cutoff, width=width),
    ):
        text.append("\n" if text and part else "").append_text(part)
    for warning in results.run.warnings:
        text.append("\n" if text else "").append_text(folded_line("warning ", "bold yellow", safe_text(warning), width))
    text.append("\n" if text else "")
    facts = fact_pairs(results.run)
    names = max(len(name) for name, _ in facts) + 1
    for name, value in facts:
        text.append_text(folded_line(f"{name:<{names}}", "bold", safe_text(value), width))
    return text


def warnings_text(results: RunResults, width: int) -> Text:
    """Return the warnings of the run, and in one line which signs of noise its cells have; empty where none.

    Args:
        results: The run.
        width: Columns available.
    """
    text = Text()
    for warning in results.run.warnings:
        text.append_text(folded_line("warning ", "bold yellow", safe_text(warning), width))
    kinds = [kind for entry in results.summaries for kind in {warning.kind for warning in entry.warnings}]
    cells = Counter(sign_word(kind.value) for kind in kinds)
    if cells:
        signs = ", ".join(f"{sign} in {counted(count, 'cell')}" for sign, count in cells.most_common())
        text.append_text(folded_line("warning ", "bold yellow", f"{signs}; the part tables says what to do.", width))
    return text


def recommendation_text(
    results: RunResults, cutoff: int | None = None, *, width: int | None = None, brief: bool = False
) -> Text:
    """Return the recommendation below its title; empty where there is none. Commands are never folded.

    Args:
        results: The run.
        cutoff: Number of images it is based on; None for the most.
        width: Columns available; None folds nothing.
        brief: Whether the list of the fastest is left out, and what is the same for several datasets stands once.
    """
    text = Text()
    lines = recommendation_lines(results, cutoff)
    for line in dict.fromkeys(line for line in lines if not line.fastest) if brief else lines:
        # Assembled, as the style of a Text itself would apply to everything appended.
        text = text or Text.assemble((f"{TITLE}\n", "bold green"))
        if line.command:
            text.append(f"    {line.text}\n", style="bold")
        elif line.headline:
            text.append_text(folded_line("  ", "", line.text, width, indent=2, style="bold green"))
        else:
            text.append_text(folded_line("  ", "", line.text, width, indent=4))
    return text


def operation_verdicts_text(results: RunResults, cutoff: int | None = None, *, width: int | None = None) -> Text:
    """Return the verdicts of a run, operation by operation; numbers of images with one verdict share a line.

    Args:
        results: The run.
        cutoff: Number of images whose verdicts are shown; None for all.
        width: Columns available; None folds nothing.
    """
    text = Text()
    verdicts = [
        verdict
        for verdict in results.verdicts
        if cutoff in (None, verdict.contest.cutoff) and not _is_in_standings(verdict, results)
    ]
    if cutoff is not None and all(verdict.contest.cutoff != cutoff for verdict in results.verdicts):
        text.append(f"Nothing was measured at {counted(cutoff, 'image')}.\n", style="dim")
    for title, group in groupby(_sentences(verdicts, results.run, MOST_NAMED), key=lambda entry: entry[0]):
        text.append(f"{safe_text(title)}\n", style="bold")
        for _, cutoffs, sentence in group:
            counts = ", ".join(map(format_count_short, cutoffs))
            style = "dim" if sentence.startswith("No verdict") else ""
            text.append_text(folded_line(f"  N={counts}  ", "dim", safe_text(sentence), width, indent=4, style=style))
    for clause in (_left_out_clause(verdicts), coverage_clause(verdicts)):
        if clause:
            text.append_text(folded_line("  ", "", safe_text(clause), width, indent=2, style="dim"))
    return text


def _is_in_standings(verdict: Verdict, results: RunResults) -> bool:
    """Return whether the standings of a running run say more of a contest than that it has no verdict yet."""
    return results.run.status == "running" and verdict.reason is not None and len(verdict.standings) > 1


def verdict_lines(results: RunResults) -> list[str]:
    """Return the verdicts as lines of harmless text; numbers of images with one verdict share a line."""
    clauses = (_left_out_clause(results.verdicts), coverage_clause(results.verdicts))
    return [
        *(
            safe_text(f"{title}, {_counts_text(cutoffs)}: {sentence}")
            for title, cutoffs, sentence in _sentences(results.verdicts, results.run, None)
        ),
        *(safe_text(text) for text in clauses if text),
    ]


def chart_verdict_lines(results: RunResults, operations: Collection[Operation]) -> list[str]:
    """Return the verdicts on some operations at the most images, as lines of harmless text.

    Args:
        results: The run.
        operations: The operations that a chart shows.
    """
    own = [verdict for verdict in results.verdicts if verdict.contest.operation in operations]
    most = max((verdict.contest.cutoff for verdict in own), default=0)
    return [
        safe_text(f"{title}, {_counts_text(cutoffs)}: {sentence}")
        for title, cutoffs, sentence in _sentences(
            [verdict for verdict in own if verdict.contest.cutoff == most], results.run, MOST_NAMED
        )
    ]


def _sentences(verdicts: Sequence[Verdict], run: Run, most: int | None) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Yield title, numbers of images and sentence of verdicts; contests with the same sentence are merged."""
    everywhere = frozenset(_left_out_everywhere(verdicts))
    sentence_of = partial(_sentence, plan=run.plan, running=run.status == "running", most=most, elsewhere=everywhere)
    for title, group in groupby(verdicts, key=lambda verdict: contest_title(verdict.contest, run)):
        for sentence, same in groupby(group, key=sentence_of):
            yield title, tuple(verdict.contest.cutoff for verdict in same), sentence


def _counts_text(cutoffs: Sequence[int]) -> str:
    """Return numbers of images: ``1 image``, ``1, 10 and 1,000 images``."""
    *first, last = cutoffs
    return f"{', '.join(map(format_count, first))} and {counted(last, 'image')}" if first else counted(last, "image")


def _left_out_everywhere(verdicts: Sequence[Verdict]) -> tuple[tuple[str, str], ...]:
    """Return the methods, with the reasons, that more than one verdict leaves out, and no verdict does not."""
    first = verdicts[0].left_out if len(verdicts) > 1 else ()
    return tuple(entry for entry in first if all(entry in verdict.left_out for verdict in verdicts))


def _left_out_clause(verdicts: Sequence[Verdict]) -> str:
    left_out = ", ".join(f"{spec} ({why})" for spec, why in _left_out_everywhere(verdicts))
    return f"Left out of every verdict: {left_out}." if left_out else ""


def _sentence(
    verdict: Verdict, *, plan: Plan, running: bool, most: int | None, elsewhere: Collection[tuple[str, str]] = ()
) -> str:
    """Return a verdict in words, without the methods left out that are named elsewhere."""
    if running and verdict.reason:
        # The reason changes with every trial, and missing trials may still come.
        return "No verdict yet."
    here = [entry for entry in verdict.left_out if entry not in elsewhere]
    return short_names(verdict.describe(most), plan) + "".join(f" Left out: {spec} ({why})." for spec, why in here)
