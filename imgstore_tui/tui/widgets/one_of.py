"""Shows a few choices in a line, the chosen one in brackets, readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.core.text import safe_text


class OneOf(Widget, can_focus=True):
    """Choices of which exactly one is chosen; they take as many lines as they need."""

    DEFAULT_CSS = """
    OneOf { height: auto; width: 1fr; color: $text-muted; }
    OneOf > .one-of--chosen { color: $foreground; text-style: bold; }
    OneOf:focus > .one-of--chosen {
        color: $block-cursor-foreground; background: $block-cursor-background; text-style: bold;
    }
    """
    COMPONENT_CLASSES = {"one-of--chosen"}  # noqa: RUF012 - Textual's own convention
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "Next", key_display="←/→", tooltip="In a form: choose the next word"),
        Binding("left", "step(-1)", "Previous", show=False, tooltip="In a form: choose the word before"),
    ]

    value: reactive[str] = reactive("")
    """The chosen value."""

    @dataclass
    class Changed(Message):
        """Another value was chosen."""

        one_of: OneOf
        value: str

        @property
        def control(self) -> OneOf:
            """The widget it comes from."""
            return self.one_of

    def __init__(self, choices: Sequence[str], value: str) -> None:
        super().__init__()
        self._choices = tuple(choices)
        self.set_reactive(OneOf.value, value)

    def _laid_out(self, width: int) -> list[list[str]]:
        """Return the choices by lines; each takes two more columns, for brackets or spaces."""
        lines: list[list[str]] = [[]]
        room = width
        for choice in self._choices:
            need = cell_len(safe_text(choice)) + 2
            if lines[-1] and need > room:
                lines.append([])
                room = width
            lines[-1].append(choice)
            room -= need
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines the choices take."""
        return len(self._laid_out(width))

    def render(self) -> Text:
        """Draw the choices."""
        chosen = self.get_component_rich_style("one-of--chosen")
        lines = []
        for choices in self._laid_out(self.size.width):
            line = Text(no_wrap=True)
            for choice in choices:
                shown = safe_text(choice)
                if choice == self.value:
                    line.append(f"[{shown}]", style=chosen)
                else:
                    line.append(f" {shown} ")
            lines.append(line)
        return Text("\n", no_wrap=True).join(lines)

    def choose(self, choice: str) -> None:
        """Choose a value and post a message."""
        if choice != self.value:
            self.value = choice
            self.post_message(self.Changed(self, choice))

    def action_step(self, by: int) -> None:
        """Choose the next value, or the one before; after the last comes the first."""
        index = self._choices.index(self.value) if self.value in self._choices else -1
        self.choose(self._choices[(index + by) % len(self._choices)])

    def on_click(self, event: events.Click) -> None:
        """Choose the value that was clicked."""
        lines = self._laid_out(self.size.width)
        if event.y >= len(lines):
            return
        right = 0
        for choice in lines[event.y]:
            right += cell_len(safe_text(choice)) + 2
            if event.x < right:
                self.choose(choice)
                return
