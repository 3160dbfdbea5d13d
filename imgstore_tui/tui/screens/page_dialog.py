"""Provides a dialog that shows one long text: laid out for its width, and scrolled."""

from __future__ import annotations

from abc import abstractmethod

from rich.console import RenderableType
from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.widgets import Static

from imgstore_tui.core.text import safe_text
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar


class PageDialog(Dialog[None]):
    """One text in a frame. A subclass binds the keys that close it, and gives the text."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "VerticalScroll"

    body = getters.query_one(".report", Static)
    page = getters.query_one(VerticalScroll)

    def __init__(self, title: str, subtitle: str = "") -> None:
        """Name the dialog.

        Args:
            title: Text in the upper edge of the frame; made harmless here.
            subtitle: Text in the lower edge.
        """
        super().__init__()
        self._frame_title, self._frame_subtitle = title, subtitle
        self._width = 0

    @abstractmethod
    def page_text(self, width: int) -> RenderableType:
        """Return the text for a number of columns."""

    def compose(self) -> ComposeResult:
        """Lay out the text and the keys."""
        with Vertical(classes="dialog page") as dialog:
            dialog.border_title = Text(safe_text(self._frame_title))
            dialog.border_subtitle = self._frame_subtitle
            with VerticalScroll():
                yield Static(classes="report")
            yield KeyBar()

    def on_mount(self) -> None:
        """Show the text once the width is known."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Show the text for another width."""
        self.call_after_refresh(self._show)

    def action_close(self) -> None:
        """Close the dialog."""
        self.dismiss()

    def _show(self) -> None:
        width = self.page.scrollable_content_region.width - 1 if self.is_mounted else 0
        if width > 0 and width != self._width:
            self._width = width
            self.body.update(self.page_text(width))
