"""Edits one declared option in a form: shows its name, value, summary and problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from imgstore_tui.core.options import Option, option_text
from imgstore_tui.core.text import safe_text
from imgstore_tui.tui.widgets.field import CompletingLine, Line
from imgstore_tui.tui.widgets.one_of import OneOf


class OptionField(Vertical):
    """A field for one option: a line of choices if they are few, else an input line."""

    DEFAULT_CSS = """
    OptionField { height: auto; margin-bottom: 1; }
    OptionField > Horizontal { height: auto; }
    OptionField .option--name { width: 13; color: $foreground; }
    OptionField Input { width: 1fr; }
    OptionField Input:focus { background-tint: $background 0%; }
    OptionField Input > .input--placeholder { color: $text-muted; text-style: italic; }
    OptionField .option--summary { color: $text-muted; height: auto; padding-left: 13; }
    OptionField .option--problem { color: $text-error; height: auto; padding-left: 13; display: none; }
    OptionField.-wrong .option--problem { display: block; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "to_field(1)", "Field", key_display="↓", tooltip="In a form: go to the next field"),
        Binding("up", "to_field(-1)", "Field before", show=False, tooltip="In a form: go to the field before"),
    ]

    problem: reactive[str] = reactive("")
    """The problem with the value; empty if there is none."""

    @dataclass
    class Changed(Message):
        """The value was changed."""

        field: OptionField
        text: str

        @property
        def control(self) -> OptionField:
            """The field it comes from."""
            return self.field

    @dataclass
    class Submitted(Message):
        """Enter was pressed in the line."""

        field: OptionField

        @property
        def control(self) -> OptionField:
            """The field it comes from."""
            return self.field

    def __init__(
        self,
        key: str,
        option: Option,
        text: str,
        *,
        choices: Sequence[str] = (),
        hint: str = "",
        suggester: Suggester | None = None,
    ) -> None:
        """Create a field.

        Args:
            key: Identifies the field in messages.
            option: The declared option.
            text: The value, as written.
            choices: The values to choose from; empty for those that the option declares.
            hint: Shown in an empty line.
            suggester: Completes the text.
        """
        super().__init__()
        self.key = key
        self._option = option
        self._text = text
        self._choices = tuple(choices) or option.allowed_values
        self._hint = hint
        self._suggester = suggester

    def compose(self) -> ComposeResult:
        """Lay out name, editor, summary and problem."""
        with Horizontal():
            yield Static(Text(safe_text(self._option.name)), classes="option--name")
            yield self._editor()
        yield Static(Text(self._sentence()), classes="option--summary")
        yield Static(classes="option--problem")

    def _editor(self) -> Widget:
        if self._choices:
            return OneOf(self._choices, self._text)
        line = (Line if self._suggester is None else CompletingLine)(
            safe_text(self._text), placeholder=self._hint, compact=True, select_on_focus=False,
            suggester=self._suggester,
        )  # fmt: skip
        line.cursor_blink = False
        return line

    def _sentence(self) -> str:
        option, parts = self._option, [safe_text(self._option.summary)]
        if option.default != "":
            default = f"{option.default:,}" if type(option.default) is int else option_text(option.default)
            parts.append(f"Default {safe_text(default)}{_bounds(option)}.")
        return " ".join(parts)

    @property
    def editor(self) -> Widget:
        """The widget that takes the keys."""
        return self.query_one(OneOf) if self._choices else self.query_one(Input)

    def take_focus(self) -> None:
        """Focus the editor if it is mounted: the form may be closed or replaced at any moment."""
        for editor in self.query("OneOf, Input"):
            editor.focus()

    def action_to_field(self, by: int) -> None:
        """Go to the field after this one, or to the one before."""
        if by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def show(self, option: Option, choice: str) -> None:
        """Choose a value without a message, and show the summary of the option."""
        self._option = option
        self.query_one(OneOf).value = choice
        self.query_one(".option--summary", Static).update(Text(self._sentence()))

    def watch_problem(self, problem: str) -> None:
        """Show the problem."""
        self.set_class(bool(problem), "-wrong")
        if self.is_mounted:
            self.query_one(".option--problem", Static).update(Text(safe_text(problem)))

    def on_mount(self) -> None:
        """Show a problem that was set before mounting."""
        self.watch_problem(self.problem)

    @on(OneOf.Changed)
    def _chosen(self, event: OneOf.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    @on(Input.Changed)
    def _written(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != safe_text(self._text):
            # The value of the plan stays until it is edited; the line shows its safe spelling.
            self._text = event.value
            self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self))


def _bounds(option: Option) -> str:
    low, high = option.minimum, option.maximum
    if low is None or high is None or high >= 10**12:
        return "" if low is None else f", at least {option.bound_text(low)}"
    return f", {option.bound_text(low)} to {option.bound_text(high)}"
