"""What the numbers say so far, in sentences, and what they stand on."""

from __future__ import annotations

from functools import partial
from itertools import groupby

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count_short
from imgstore_tui.present.sections import Digest
from imgstore_tui.present.words import contest_words, fact_pairs


class VerdictPane(VerticalScroll):
    """The verdict of every contest, then the facts of the run: data, machine, place, plan."""

    found: reactive[Digest | None] = reactive(None, repaint=False)
    body = getters.query_one(Static)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "5 Verdict"
        self._said = Text()

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static()

    def watch_found(self) -> None:
        """Say what is known now."""
        self._say()

    def on_mount(self) -> None:
        """Say that nothing is known yet."""
        self._say()

    def on_show(self) -> None:
        """Say what became known while the pane was out of sight."""
        self._say()

    def _say(self) -> None:
        if not self.is_mounted or not self.display:
            return
        text = verdict_text(self.found)
        if text != self._said:
            self._said = text
            self.body.update(text)


def verdict_text(found: Digest | None) -> Text:
    """Return verdicts and facts of a run as text that nothing reads as markup."""
    if found is None:
        return Text("Nothing measured yet.\nA verdict needs 6 rounds, and 2 methods that got through.", style="dim")
    text = Text()
    for words, group in groupby(found.verdicts, key=lambda verdict: contest_words(verdict.contest, found.run)):
        text.append(f"{safe_text(words)}\n", style="bold")
        for sentence, same in groupby(group, key=partial(_sentence, running=found.run.status == "running")):
            counts = ", ".join(format_count_short(verdict.contest.cutoff) for verdict in same)
            style = "dim" if sentence.startswith("No verdict") else ""
            text.append(f"  N={counts}  ", style="dim").append(f"{safe_text(sentence)}\n", style=style)
    for warning in found.run.warnings:
        text.append("\nwarning ", style="bold yellow").append(f"{safe_text(warning)}\n")
    text.append("\n")
    for name, value in fact_pairs(found.run):
        text.append(f"{name:<9}", style="bold").append(f"{safe_text(value)}\n")
    return text


def _sentence(verdict: Verdict, *, running: bool) -> str:
    if running and verdict.reason:
        # Why there is none yet changes with every trial, and what is missing may still come.
        return "No verdict yet."
    left_out = "".join(f" Left out: {spec} ({why})." for spec, why in verdict.left_out)
    return verdict.describe() + left_out
