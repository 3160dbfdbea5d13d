"""Shows the active keys in the bottom line."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

_ALWAYS = ("question_mark", "q")
"""Keys that are shown even on a narrow terminal; the help lists the others."""


class KeyBar(Widget):
    """The active bindings with ``show``, in one line.

    Textual's own footer has a widget per key and a new layout at every change of focus; this one repaints a line.
    """

    DEFAULT_CSS = """
    KeyBar { height: 1; padding: 0 1; background: $panel; color: $text-muted; }
    KeyBar > .key-bar--key { color: $primary; text-style: bold; }
    """
    COMPONENT_CLASSES = {"key-bar--key"}  # noqa: RUF012 - Textual's own convention

    keys: reactive[tuple[tuple[str, str, str], ...]] = reactive(())
    """Key as shown, description in a word, key as pressed."""

    def on_mount(self) -> None:
        """Subscribe to changes of the bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._bindings_changed(self.screen)

    def _bindings_changed(self, screen: Screen[Any]) -> None:
        if not self.is_attached or screen is not self.screen:
            return
        shown = {
            active.binding.action: (
                self.app.get_key_display(active.binding),
                active.binding.description,
                active.binding.key,
            )
            for active in reversed(screen.active_bindings.values())
            if active.binding.show and active.enabled
        }
        self.keys = tuple(reversed(shown.values()))

    def render(self) -> Text:
        """Draw as many keys as fit; help and quit are always among them."""
        line, _ = self._laid_out()
        return line

    def _laid_out(self) -> tuple[Text, list[tuple[int, str]]]:
        style: Style = self.get_component_rich_style("key-bar--key")
        line, ends = Text(no_wrap=True), []
        parts = [(Text.assemble((shown, style), f" {description}", "  "), key) for shown, description, key in self.keys]
        while parts and sum(part.cell_len for part, _ in parts) - 2 > self.size.width:
            optional = [index for index, (_, key) in enumerate(parts) if key not in _ALWAYS]
            del parts[optional[-1] if optional else -1]
        for part, key in parts:
            line.append_text(part)
            ends.append((line.cell_len, key))
        return line, ends

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        for end, key in self._laid_out()[1]:
            if event.x - self.styles.padding.left < end:
                self.app.simulate_key(key)
                return
