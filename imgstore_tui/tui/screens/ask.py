"""Asks yes or no before something that cannot be undone."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar


class AskScreen(Dialog[bool]):
    """A question; yes has a key of its own, and enter means no."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", tooltip="Do it"),
        Binding("escape,n,enter", "answer(False)", "No", key_display="esc", tooltip="Leave everything as it is"),
    ]

    def __init__(self, title: str, question: str) -> None:
        """Create the dialog.

        Args:
            title: The subject, in a word.
            question: The question, as safe text.
        """
        super().__init__()
        self._title = title
        self._question = question

    def compose(self) -> ComposeResult:
        """Lay out the question."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = self._title
            yield Static(Text(self._question), classes="message")
            yield KeyBar()

    def action_answer(self, sure: bool) -> None:
        """Take the answer."""
        self.dismiss(sure)
