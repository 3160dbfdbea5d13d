"""Shows an input line with its name before it and the problem with it below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from imgstore_tui.core.text import safe_text


class Line(Input):
    """An input whose text never holds control characters, whether pasted or from a plan."""

    KEYS_OF: ClassVar[str] = "In a line that is written in"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Take", key_display="enter", tooltip="Take what was written in a line"),
    ]

    def validate_value(self, value: str) -> str:
        """Return the text with control characters spelled out."""
        return safe_text(value)


class CompletingLine(Line):
    """A line with suggestions, which tab takes as in a shell; without one, tab goes to the next field."""

    KEYS_OF: ClassVar[str] = "In a line with a path"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete", "Complete", key_display="tab", tooltip="Complete the path, or go to the next field"),
    ]

    def action_complete(self) -> None:
        """Take what is suggested; without a suggestion, go to the next field."""
        before = self.value
        if self.cursor_at_end:
            self.action_cursor_right()
        if self.value == before:
            self.screen.focus_next()


class Field(Vertical):
    """A named input line; the receiver of its messages checks the text and sets ``problem``."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field > Horizontal { height: 1; }
    Field .field--name { width: auto; padding: 0 1 0 0; color: $text-muted; }
    Field Input { width: 1fr; background: $boost; }
    Field .field--problem { height: auto; color: $text-error; display: none; }
    Field.-wrong .field--problem { display: block; }
    """

    problem: reactive[str] = reactive("")
    """The problem with the text, shown below; empty if there is none."""

    input = getters.query_one(Input)

    @dataclass
    class Changed(Message):
        """The text changed."""

        field: Field
        text: str

        @property
        def control(self) -> Field:
            """The field it comes from."""
            return self.field

    @dataclass
    class Submitted(Message):
        """Enter was pressed in the line."""

        field: Field
        text: str

        @property
        def control(self) -> Field:
            """The field it comes from."""
            return self.field

    def __init__(
        self,
        name: str,
        value: str = "",
        *,
        hint: str = "",
        hidden: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's own word
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._name_shown = name
        self._value = value
        self._hint = hint
        self._hidden = hidden

    def compose(self) -> ComposeResult:
        """Lay out name, input and problem."""
        with Horizontal():
            if self._name_shown:
                yield Static(Text(self._name_shown), classes="field--name")
            line = Line(
                safe_text(self._value), placeholder=self._hint, compact=True, select_on_focus=False,
                password=self._hidden,
            )  # fmt: skip
            # A blinking cursor would repaint twice per second, also during a measurement.
            line.cursor_blink = False
            yield line
        yield Static(classes="field--problem")

    @property
    def text(self) -> str:
        """The text in the line."""
        return self.input.value

    def write(self, text: str) -> None:
        """Set the text without a message."""
        with self.input.prevent(Input.Changed):
            self.input.value = text

    def watch_problem(self, problem: str) -> None:
        """Show the problem."""
        self.set_class(bool(problem), "-wrong")
        if self.is_mounted:
            self.query_one(".field--problem", Static).update(Text(problem))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self, event.value))
