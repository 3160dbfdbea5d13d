"""Edits the conditions of a run, and checks the scratch folder."""

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
"""Seconds after the last key until the scratch folder is checked."""


class ConditionsScreen(Dialog[dict[str, Any] | None]):
    """Edits everything of a plan that is not storage, images, operations or data."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "Use", key_display="enter", tooltip="Take the conditions as written"),
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Leave the conditions as they were"),
    ]

    form = getters.query_one(VerticalScroll)

    @dataclass
    class ScratchChecked(Message):
        """The scratch folder was checked."""

        scratch: str | None
        folder: ScratchPlace | None
        problem: str

    def __init__(self, plan: Plan, expect: Callable[[dict[str, Any]], Estimate]) -> None:
        """Open the conditions of a plan.

        Args:
            plan: The plan as chosen.
            expect: Estimates the plan with some of its fields changed.
        """
        super().__init__()
        self._plan = plan
        self._expect = expect
        self._conditions = Conditions.of(plan)
        self._refused = ""
        """The problem with the scratch folder."""
        self._scratch: ScratchPlace | None = None
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the form."""
        with Vertical(classes="dialog wide form") as dialog:
            dialog.border_title = "Conditions"
            with VerticalScroll(can_focus=False):
                for option, text, choices in self._conditions.fields:
                    path = option.name == SCRATCH
                    yield OptionField(
                        option.name,
                        option,
                        text,
                        choices=choices,
                        hint="found by itself" if path else "",
                        suggester=PathSuggester(folders_only=True) if path else None,
                    )
            yield Static(classes="result")
            yield KeyBar()

    def on_mount(self) -> None:
        """Show the estimate of the conditions."""
        self._show_result()
        self._check_scratch()

    @on(OptionField.Changed)
    def _edited(self, event: OptionField.Changed) -> None:
        event.stop()
        self._conditions = self._conditions.with_value(event.field.key, event.text)
        if event.field.key == SCRATCH:
            self._refused, self._scratch = "", None
            if self._timer is not None:
                self._timer.stop()
            self._timer = self.set_timer(_WAIT_S, self._check_scratch)
        self._show_result()

    def _show_result(self) -> None:
        problems = self._conditions.problems()
        for field in self.query(OptionField):
            field.problem = problems.get(field.key, self._refused if field.key == SCRATCH else "")
        line = self.query_one(".result", Static)
        if problems:
            line.update(Text("Not ready: see above.", style="bold red"))
            return
        expected = self._expect(self._conditions.changes())
        result = Text()
        shortage = "" if self._scratch is None else self._scratch.shortage(expected.need)
        if shortage:
            result.append(f"{safe_text(shortage)}\n", style="bold red")
        result.append(f"{estimate_text(expected)}\n", style="bold")
        if self._scratch is not None:
            result.append(f"{safe_text(self._scratch.text)}\n", style="dim")
        line.update(result.append(basis_text(expected), style="dim"))

    # The scratch folder

    def _check_scratch(self) -> None:
        check = partial(self._check, self._conditions.scratch)
        self.run_worker(check, thread=True, exclusive=True, exit_on_error=False, group=SCRATCH)

    def _check(self, scratch: str | None) -> None:
        """Check in a thread: a network file system may message slowly."""
        try:
            message = self.ScratchChecked(scratch, find_scratch_place(scratch, self._plan.datasets), "")
        except ImgstoreError as error:
            message = self.ScratchChecked(scratch, None, str(error))
        except OSError as error:
            message = self.ScratchChecked(scratch, None, f"{error.filename or scratch}: {error.strerror or error}.")
        self.post_message(message)

    @on(ScratchChecked)
    def _scratch_checked(self, event: ScratchChecked) -> None:
        event.stop()
        if event.scratch == self._conditions.scratch:
            self._scratch, self._refused = event.folder, event.problem
            self._show_result()

    # The way out

    @on(OptionField.Submitted)
    def _submitted(self, event: OptionField.Submitted) -> None:
        event.stop()
        self.action_use()

    def action_use(self) -> None:
        """Use the conditions if they are valid."""
        invalid = next((field for field in self.query(OptionField) if field.problem), None)
        if invalid is not None:
            self.set_focus(invalid.editor)
            return
        self.dismiss(self._conditions.changes())

    def action_cancel(self) -> None:
        """Leave the conditions as they were."""
        self.dismiss(None)
