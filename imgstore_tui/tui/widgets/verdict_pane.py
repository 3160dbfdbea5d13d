"""Shows the verdicts in sentences and the facts of the run, or notes on the storage methods."""

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
from imgstore_tui.tui.widgets.method_marks import MethodMarks


class VerdictPane(VerticalScroll):
    """The verdict of every comparison, then the facts of the run; or notes on its storage methods."""

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
        """The user opens the full report."""

    results: reactive[RunResults | None] = reactive(None, repaint=False)
    cutoff: reactive[int | None] = reactive(None, repaint=False)
    """The number of images of the verdicts; None for all."""
    marks: reactive[MethodMarks] = reactive(MethodMarks(), repaint=False)
    notes: reactive[bool] = reactive(False, repaint=False)
    """Whether notes are shown and not verdicts."""
    body = getters.query_one(Static)

    def __init__(self) -> None:
        super().__init__()
        self.border_title = "5 Verdict"
        self.add_class("-empty")
        self._shown = Text()

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static()

    def watch_results(self) -> None:
        """Show new results."""
        self._show_text()

    def watch_cutoff(self) -> None:
        """Show verdicts at another number of images."""
        self._show_text()

    def watch_marks(self) -> None:
        """Show the new colours."""
        self._show_text()

    def watch_notes(self) -> None:
        """Show the other text, from its top."""
        self._show_text()
        if self.is_mounted:
            self.scroll_home(animate=False)

    def on_mount(self) -> None:
        """Show the text of an empty pane."""
        self._show_text()

    def on_show(self) -> None:
        """Show what changed while the pane was hidden."""
        self._show_text()

    def on_resize(self) -> None:
        """Wrap the text again."""
        self._show_text()

    def action_toggle_notes(self) -> None:
        """Switch between verdicts and notes."""
        self.notes = not self.notes

    def action_open_report(self) -> None:
        """Open the full report."""
        self.post_message(self.ReportRequested())

    def copied_text(self) -> str:
        """Return the text that is shown; empty before there is a run."""
        return "" if self.results is None else self._shown.plain

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow the report only with results."""
        return action != "open_report" or self.results is not None

    def _show_text(self) -> None:
        if not self.is_mounted or not self.display:
            return
        width = self.scrollable_content_region.width
        results = self.results
        if (results is None) is not self.has_class("-empty"):
            self.set_class(results is None, "-empty")
        text = (
            methods_text(results, width=width)
            if self.notes
            else verdict_text(results, self.cutoff, width=width, colours=self.marks.palette)
        )
        cutoffs = () if self.results is None else measured_cutoffs(self.results)
        subtitle = "n: verdicts" if self.notes else f"{cutoff_text(self.cutoff, cutoffs)}  n: notes".strip()
        if self.results is not None and self.border_subtitle != subtitle:
            self.border_title = "5 Verdict: notes on methods" if self.notes else "5 Verdict"
            self.border_subtitle = Text(subtitle)
        if text != self._shown:
            self._shown = text
            self.body.update(text)
