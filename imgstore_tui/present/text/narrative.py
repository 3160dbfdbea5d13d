"""A run told in sentences, as text that nothing reads as markup: its verdicts, its facts, notes on its methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby

from rich.text import Text

from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count, format_count_short
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.captions import contest_title, fact_pairs
from imgstore_tui.present.text.recommendation import TITLE, recommendation_lines
from imgstore_tui.present.text.text_page import folded_line

MOST_NAMED = 4
"""Of methods that are slower, so many are named in a verdict that is read; the ranking has all."""


def verdict_text(found: RunResults | None, cutoff: int | None = None, *, width: int | None = None) -> Text:
    """Return which to take, the verdicts it follows from, and the facts of a run.

    Args:
        found: The run; None before there is one.
        cutoff: Only what was judged at this number of images; None for all.
        width: Columns there are: what is longer goes on below its own beginning. None: nothing is folded.
    """
    if found is None:
        return Text("Nothing measured yet.\nA verdict needs 6 rounds, and 2 methods that got through.", style="dim")
    text = recommendation_text(found, cutoff, width=width)
    text.append("\n" if text else "").append_text(operation_verdicts_text(found, cutoff, width=width))
    for warning in found.run.warnings:
        text.append("\n" if text else "").append_text(folded_line("warning ", "bold yellow", safe_text(warning), width))
    text.append("\n" if text else "")
    facts = fact_pairs(found.run)
    names = max(len(name) for name, _ in facts) + 1
    for name, value in facts:
        text.append_text(folded_line(f"{name:<{names}}", "bold", safe_text(value), width))
    return text


def recommendation_text(found: RunResults, cutoff: int | None = None, *, width: int | None = None) -> Text:
    """Return which to take, below a title; nothing where there is no saying. Commands are never folded.

    Args:
        found: The run.
        cutoff: Only what was judged at this number of images; None for the most.
        width: Columns there are; None: nothing is folded.
    """
    text = Text()
    for said in recommendation_lines(found, cutoff):
        # A text of its own style would give it to all that is appended.
        text = text or Text.assemble((f"{TITLE}\n", "bold green"))
        if said.command:
            text.append(f"    {said.text}\n", style="bold")
        else:
            text.append_text(folded_line("  ", "", said.text, width, indent=4))
    return text


def operation_verdicts_text(found: RunResults, cutoff: int | None = None, *, width: int | None = None) -> Text:
    """Return the verdicts of a run, operation by operation; numbers of images with one verdict share a line.

    Args:
        found: The run.
        cutoff: Only what was judged at this number of images; None for all.
        width: Columns there are; None: nothing is folded.
    """
    text = Text()
    here = [verdict for verdict in found.verdicts if cutoff in (None, verdict.contest.cutoff)]
    if not here and cutoff is not None:
        text.append(f"Nothing was measured at {counted(cutoff, 'image')}.\n", style="dim")
    for words, group in groupby(_judged(here, found.run, MOST_NAMED), key=lambda entry: entry[0]):
        text.append(f"{safe_text(words)}\n", style="bold")
        for _, cutoffs, sentence in group:
            counts = ", ".join(map(format_count_short, cutoffs))
            style = "dim" if sentence.startswith("No verdict") else ""
            text.append_text(folded_line(f"  N={counts}  ", "dim", safe_text(sentence), width, indent=4, style=style))
    return text


def verdict_lines(found: RunResults) -> list[str]:
    """Return the verdicts as lines of harmless text; numbers of images with one verdict share a line."""
    return [
        safe_text(f"{words}, {_counts_words(cutoffs)}: {sentence}")
        for words, cutoffs, sentence in _judged(found.verdicts, found.run, None)
    ]


def _judged(verdicts: Sequence[Verdict], run: Run, most: int | None) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Yield contests that differ in nothing but the number of images and have one verdict: words, numbers, sentence."""
    for words, group in groupby(verdicts, key=lambda verdict: contest_title(verdict.contest, run)):
        for sentence, same in groupby(group, key=partial(_sentence, running=run.status == "running", most=most)):
            yield words, tuple(verdict.contest.cutoff for verdict in same), sentence


def _counts_words(cutoffs: Sequence[int]) -> str:
    """Return numbers of images: ``1 image``, ``1, 10 and 1,000 images``."""
    *first, last = cutoffs
    return f"{', '.join(map(format_count, first))} and {counted(last, 'image')}" if first else counted(last, "image")


def _sentence(verdict: Verdict, *, running: bool, most: int | None) -> str:
    if running and verdict.reason:
        # Why there is none yet changes with every trial, and what is missing may still come.
        return "No verdict yet."
    left_out = "".join(f" Left out: {spec} ({why})." for spec, why in verdict.left_out)
    return verdict.describe(most) + left_out
