"""One declared option in a form: its name, what it is set to, what it means, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from imgstore_tui.core.options import Option, option_text
from imgstore_tui.core.text import safe_text
from imgstore_tui.tui.widgets.field import Line
from imgstore_tui.tui.widgets.one_of import OneOf


class OptionField(Vertical):
    """Edits one option: a choice of words where they are few, else a line to write in."""

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

    problem: reactive[str] = reactive("")
    """What is wrong with the value; empty where nothing is."""

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
        words: Sequence[str] = (),
        hint: str = "",
        suggester: Suggester | None = None,
    ) -> None:
        """Make a field.

        Args:
            key: What it stands for, for whoever listens.
            option: The declared option.
            text: The value, as written.
            words: The words to choose from; none for those that the option declares.
            hint: Shown in a line that is empty.
            suggester: Completes what is written.
        """
        super().__init__()
        self.key = key
        self._option = option
        self._text = text
        self._words = tuple(words) or option.words
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
        if self._words:
            return OneOf(self._words, self._text)
        line = Line(
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
        """What takes the keys."""
        return self.query_one(OneOf) if self._words else self.query_one(Input)

    def take_focus(self) -> None:
        """Give the keys to the editor, if it is there: the form may be closed, or laid out anew, at any moment."""
        for editor in self.query("OneOf, Input"):
            editor.focus()

    def show(self, option: Option, word: str) -> None:
        """Choose one of the words, without a message about it, and describe it."""
        self._option = option
        self.query_one(OneOf).value = word
        self.query_one(".option--summary", Static).update(Text(self._sentence()))

    def watch_problem(self, problem: str) -> None:
        """Say what is wrong."""
        self.set_class(bool(problem), "-wrong")
        if self.is_mounted:
            self.query_one(".option--problem", Static).update(Text(safe_text(problem)))

    def on_mount(self) -> None:
        """Say what was wrong from the beginning."""
        self.watch_problem(self.problem)

    @on(OneOf.Changed)
    def _chosen(self, event: OneOf.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self, event.value))

    @on(Input.Changed)
    def _written(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != safe_text(self._text):
            # What a plan says stays as it is until it is edited: the line shows a harmless spelling of it.
            self._text = event.value
            self.post_message(self.Changed(self, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted(self))


def _bounds(option: Option) -> str:
    low, high = option.minimum, option.maximum
    if low is None or high is None or high >= 10**12:
        return "" if low is None else f", at least {low:,g}"
    return f", {low:,g} to {high:,.0f}"
