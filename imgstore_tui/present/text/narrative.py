"""A run told in sentences, as text that nothing reads as markup: its verdicts, its facts, notes on its methods."""

from __future__ import annotations

import re
import textwrap
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
from imgstore_tui.present.text.method_notes import claim_lines, measured_lines, method_summaries
from imgstore_tui.present.text.recommendation import TITLE, recommendation_lines

_LEAST = 24
"""Columns below which words are not folded beside what stands before them."""
MOST_NAMED = 4
"""Of methods that are slower, so many are named in a verdict that is read; the ranking has all."""
_FINDINGS = {
    "holds": "green", "holds in part": "yellow", "does not hold": "red", "cannot be told": "", "not measured": "dim",
}  # fmt: skip


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
        text.append("\n" if text else "").append_text(_said("warning ", "bold yellow", safe_text(warning), width))
    text.append("\n" if text else "")
    facts = fact_pairs(found.run)
    names = max(len(name) for name, _ in facts) + 1
    for name, value in facts:
        text.append_text(_said(f"{name:<{names}}", "bold", safe_text(value), width))
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
            text.append_text(_said("  ", "", said.text, width, indent=4))
    return text


def _said(head: str, style: str, words: str, width: int | None, *, indent: int | None = None, told: str = "") -> Text:
    """Return a line: its head, and words that go on below their own beginning where the width does not do.

    Args:
        head: What stands before the words.
        style: Its style.
        words: The words.
        width: Columns there are; None for as many as the words need.
        indent: Columns before what goes on; None for as many as the head has.
        told: Style of the words.
    """
    before = len(head) if indent is None else indent
    if width is None or width - before < _LEAST:
        return Text.assemble((head, style), (words, told), "\n")
    lines = textwrap.wrap(
        f"{'.' * len(head)}{words}", width, subsequent_indent=" " * before, break_on_hyphens=False
    ) or [head]  # names of methods, operations and commands stay whole
    return Text.assemble((head, style), ("\n".join([lines[0][len(head) :], *lines[1:]]), told), "\n")


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
            text.append_text(_said(f"  N={counts}  ", "dim", safe_text(sentence), width, indent=4, told=style))
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


def methods_text(found: RunResults | None, *, width: int | None = None) -> Text:
    """Return every storage method with its own words, what the article says of it, and its numbers.

    Args:
        found: The run; None before there is one.
        width: Columns there are; None: nothing is folded.
    """
    notes = () if found is None else method_summaries(found)
    if not notes:
        return Text("Nothing measured yet. This will show what speaks for each storage method.", style="dim")
    text = Text()
    for note in notes:
        text.append(f"{safe_text(note.spec.label)}", style="bold").append(f"  {safe_text(note.title)}\n", style="dim")
        text.append(f"{safe_text(note.when_to_choose)}\n")
        if note.caveats:
            text.append_text(_said("mind ", "bold", safe_text(note.caveats), width))
        for line in measured_lines(note):
            text.append_text(_said("here ", "bold green", safe_text(line), width))
        for claim, finding, because in claim_lines(note):
            text.append_text(_claimed(safe_text(claim), finding, safe_text(because), width))
        text.append("\n")
    told = "here: measured in this run; said: what the article says, judged by this run's numbers alone."
    text.append(told, style="dim italic")
    return text


def _claimed(claim: str, finding: str, because: str, width: int | None) -> Text:
    """Return a claim, what became of it, and by which numbers, folded as one sentence."""
    text = _said("said ", "bold", f"{claim}: {finding} ({because})", width)
    # Folding has put line ends in place of some spaces.
    parts = [r"\s+".join(map(re.escape, words.split())) for words in (f"{claim}:", finding, f"({because})")]
    if match := re.search(rf"{parts[0]}\s+({parts[1]})\s+({parts[2]})", text.plain):
        text.stylize(_FINDINGS.get(finding, ""), *match.span(1))
        text.stylize("dim", *match.span(2))
    return text
