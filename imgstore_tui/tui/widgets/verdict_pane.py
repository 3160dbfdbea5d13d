"""What the numbers say so far, in sentences, and what they stand on."""

from __future__ import annotations

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.sections import Digest, verdict_lines
from imgstore_tui.present.words import fact_pairs


class VerdictPane(VerticalScroll):
    """The verdict of every contest, then the facts of the run: data, machine, place, plan."""

    BORDER_TITLE = "5 Verdict"

    found: reactive[Digest | None] = reactive(None)
    body = getters.query_one(Static)

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static()

    def watch_found(self) -> None:
        """Say what is known now."""
        if self.is_mounted:
            self.body.update(verdict_text(self.found))

    def on_mount(self) -> None:
        """Say that nothing is known yet."""
        self.body.update(verdict_text(self.found))


def verdict_text(found: Digest | None) -> Text:
    """Return verdicts and facts of a run as text that nothing reads as markup."""
    if found is None:
        return Text("Nothing measured yet. A verdict needs 6 rounds.", style="dim")
    text = Text()
    for line in verdict_lines(found):
        contest, _, sentence = line.partition(": ")
        decided = not sentence.startswith("No verdict")
        text.append(f"{contest}\n", style="dim")
        text.append(f"  {sentence}\n", style="" if decided else "dim")
    for warning in found.run.warnings:
        text.append("\nwarning ", style="bold yellow").append(safe_text(warning))
    text.append("\n")
    for name, value in fact_pairs(found.run):
        text.append(f"{name:<9}", style="bold").append(f"{safe_text(value)}\n")
    return text
