"""The form of the conditions under which is measured, and a look at the place where stores are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.preview import ScratchPlace, find_scratch_place
from imgstore_tui.present.text.estimates import basis_text, estimate_text
from imgstore_tui.tui.forms.conditions import SCRATCH, Conditions
from imgstore_tui.tui.forms.path_completion import PathSuggester
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.option_field import OptionField

_WAIT_S = 0.4


class ConditionsScreen(Dialog[dict[str, Any] | None]):
    """Everything of a plan that is neither storage, images, operations nor data."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "Use", key_display="enter", tooltip="Take the conditions as written"),
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Leave the conditions as they were"),
    ]

    form = getters.query_one(VerticalScroll)

    @dataclass
    class ScratchChecked(Message):
        """The place for the stores was looked at."""

        scratch: str | None
        place: ScratchPlace | None
        problem: str

    def __init__(self, plan: Plan, expect: Callable[[dict[str, Any]], Estimate]) -> None:
        """Open the conditions of a plan.

        Args:
            plan: The plan as chosen.
            expect: Returns what it will take with some of its fields changed.
        """
        super().__init__()
        self._plan = plan
        self._expect = expect
        self._written = Conditions.of(plan)
        self._refused = ""
        """What is wrong with the place for the stores."""
        self._place: ScratchPlace | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Vertical(classes="dialog wide form") as dialog:
            dialog.border_title = "Conditions"
            with VerticalScroll(can_focus=False):
                for option, text, words in self._written.fields:
                    path = option.name == SCRATCH
                    yield OptionField(
                        option.name,
                        option,
                        text,
                        words=words,
                        hint="found by itself" if path else "",
                        suggester=PathSuggester(folders_only=True) if path else None,
                    )
            yield Static(classes="result")
            yield KeyBar()

    def on_mount(self) -> None:
        """Say what the conditions come to."""
        self._say()
        self._look()

    @on(OptionField.Changed)
    def _edited(self, event: OptionField.Changed) -> None:
        event.stop()
        self._written = self._written.with_value(event.field.key, event.text)
        if event.field.key == SCRATCH:
            self._refused, self._place = "", None
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(_WAIT_S, self._look)
        self._say()

    def _say(self) -> None:
        problems = self._written.problems()
        for field in self.query(OptionField):
            field.problem = problems.get(field.key, self._refused if field.key == SCRATCH else "")
        line = self.query_one(".result", Static)
        if problems:
            line.update(Text("Not ready: see above.", style="bold red"))
            return
        expected = self._expect(self._written.changes())
        words = Text()
        lacking = "" if self._place is None else self._place.shortage(expected.need)
        if lacking:
            words.append(f"{safe_text(lacking)}\n", style="bold red")
        words.append(f"{estimate_text(expected)}\n", style="bold")
        if self._place is not None:
            words.append(f"{safe_text(self._place.text)}\n", style="dim")
        line.update(words.append(basis_text(expected), style="dim"))

    # The place for the stores

    def _look(self) -> None:
        look = partial(self._look_at, self._written.scratch)
        self.run_worker(look, thread=True, exclusive=True, exit_on_error=False, group=SCRATCH)

    def _look_at(self, scratch: str | None) -> None:
        """Look in a thread: a place on a network may take its time to answer."""
        try:
            answer = self.ScratchChecked(scratch, find_scratch_place(scratch, self._plan.datasets), "")
        except ImgstoreError as error:
            answer = self.ScratchChecked(scratch, None, str(error))
        except OSError as error:
            answer = self.ScratchChecked(scratch, None, f"{error.filename or scratch}: {error.strerror or error}.")
        self.post_message(answer)

    @on(ScratchChecked)
    def _scratch_checked(self, event: ScratchChecked) -> None:
        event.stop()
        if event.scratch == self._written.scratch:
            self._place, self._refused = event.place, event.problem
            self._say()

    # The way out

    @on(OptionField.Submitted)
    def _submitted(self, event: OptionField.Submitted) -> None:
        event.stop()
        self.action_use()

    def action_use(self) -> None:
        """Take the conditions, if they mean something."""
        wrong = next((field for field in self.query(OptionField) if field.problem), None)
        if wrong is not None:
            self.set_focus(wrong.editor)
            return
        self.dismiss(self._written.changes())

    def action_cancel(self) -> None:
        """Leave everything as it was."""
        self.dismiss(None)
