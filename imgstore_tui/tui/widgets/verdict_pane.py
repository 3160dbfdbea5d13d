"""What the numbers say so far, in sentences, and what they stand on; or what speaks for each storage method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from imgstore_tui.present.results import RunResults
from imgstore_tui.present.tables.ranking import cutoff_text, measured_cutoffs
from imgstore_tui.present.text.methods import methods_text
from imgstore_tui.present.text.narrative import verdict_text


class VerdictPane(VerticalScroll):
    """The verdict of every contest, then the facts of the run; or notes on its storage methods."""

    KEYS_OF: ClassVar[str] = "In the verdict"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "toggle_notes", "Notes", tooltip="Notes on storage methods and what the article says of them"),
        Binding(
            "enter", "open_report", "Report", key_display="enter",
            tooltip="Read the whole run: the article's items and claims, ranking, verdicts, notes",
        ),
    ]  # fmt: skip

    @dataclass
    class ReportRequested(Message):
        """The user wants to read the whole run."""

    found: reactive[RunResults | None] = reactive(None, repaint=False)
    cutoff: reactive[int | None] = reactive(None, repaint=False)
    """The number of images that is judged; None for all."""
    notes: reactive[bool] = reactive(False, repaint=False)
    """Whether notes are shown in place of verdicts."""
    body = getters.query_one(Static)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "5 Verdict"
        self.add_class("-empty")
        self._said = Text()

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static()

    def watch_found(self) -> None:
        """Say what is known now."""
        self._say()

    def watch_cutoff(self) -> None:
        """Judge at another number of images."""
        self._say()

    def watch_notes(self) -> None:
        """Show the other text, from its top."""
        self._say()
        if self.is_mounted:
            self.scroll_home(animate=False)

    def on_mount(self) -> None:
        """Say that nothing is known yet."""
        self._say()

    def on_show(self) -> None:
        """Say what became known while the pane was out of sight."""
        self._say()

    def on_resize(self) -> None:
        """Fold it anew."""
        self._say()

    def action_toggle_notes(self) -> None:
        """Show notes in place of verdicts, or verdicts again."""
        self.notes = not self.notes

    def action_open_report(self) -> None:
        """Ask for the whole run to be shown."""
        self.post_message(self.ReportRequested())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no report before there is a run."""
        return action != "open_report" or self.found is not None

    def _say(self) -> None:
        if not self.is_mounted or not self.display:
            return
        width = self.scrollable_content_region.width
        found = self.found
        if (found is None) is not self.has_class("-empty"):
            self.set_class(found is None, "-empty")
        text = methods_text(found, width=width) if self.notes else verdict_text(found, self.cutoff, width=width)
        cutoffs = () if self.found is None else measured_cutoffs(self.found)
        subtitle = "n: verdicts" if self.notes else f"{cutoff_text(self.cutoff, cutoffs)}  n: notes".strip()
        if self.found is not None and self.border_subtitle != subtitle:
            self.border_title = "5 Verdict: notes on methods" if self.notes else "5 Verdict"
            self.border_subtitle = Text(subtitle)
        if text != self._said:
            self._said = text
            self.body.update(text)
