"""The panes by name and key, where only one of them fits."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.tui.panes import PaneName


class TabStrip(Widget):
    """A line of tabs; the one in front stands in brackets, so that it needs no colour."""

    DEFAULT_CSS = """
    TabStrip { height: 1; padding: 0 1; color: $text-muted; }
    TabStrip > .tab-strip--front { color: $primary; text-style: bold; }
    TabStrip > .tab-strip--key { color: $text-muted; }
    """
    COMPONENT_CLASSES = {"tab-strip--front", "tab-strip--key"}  # noqa: RUF012 - Textual's own convention

    pane: reactive[PaneName] = reactive(PaneName.CHOOSE)

    @dataclass
    class Chosen(Message):
        """A tab was clicked."""

        pane: PaneName

    def render(self) -> Text:
        """Draw the tabs."""
        line = Text(no_wrap=True)
        for pane in PaneName:
            front = pane is self.pane
            style = self.get_component_rich_style("tab-strip--front" if front else "tab-strip--key")
            word = f"{pane.key} {pane.title()}"
            line.append(f"[{word}]" if front else f" {word} ", style=style).append(" ")
        return line

    def on_click(self, event: events.Click) -> None:
        """Say which tab was clicked."""
        right = self.styles.padding.left
        for pane in PaneName:
            right += len(pane.key) + len(pane) + 4
            if event.x < right:
                self.post_message(self.Chosen(pane))
                return
