"""Edits the datasets of the plan: kind, path and options of each, with a preview."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.options import Option
from imgstore_tui.core.text import safe_text
from imgstore_tui.plugins import registry
from imgstore_tui.tui.forms.data_form import KIND, PATH, DataForm
from imgstore_tui.tui.forms.path_completion import PathSuggester
from imgstore_tui.tui.run.preview_thread import (
    PREVIEW_GROUP,
    PreviewEnded,
    PreviewProgress,
    PreviewYielded,
    post_preview,
    run_in_progress,
)
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar
from imgstore_tui.tui.widgets.option_field import OptionField
from imgstore_tui.tui.widgets.preview_sheet import PICTURES, PreviewSheet, drawing_mode, progress_text

WHICH = "which"
_WAIT_S = 0.4
"""Seconds after the last key until the data is previewed."""
_NOT_NOW = "Not checked while a run goes on: it would be measured too."


class DataScreen(Dialog[tuple[str, ...] | None]):
    """The datasets of a plan, one at a time: the form at the left, the preview at the right."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "Use", key_display="enter", tooltip="Take the data as written"),
        Binding("f2", "another", "One more", key_display="F2", tooltip="Add a dataset to the plan, like this one"),
        Binding("f8", "drop", "Take away", key_display="F8", tooltip="Take this dataset out of the plan"),
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Leave the data as it was"),
    ]

    form = getters.query_one(VerticalScroll)
    sheet = getters.query_one(PreviewSheet)

    def __init__(self, texts: Sequence[str], requested: int, *, ascii_only: bool) -> None:
        """Open the datasets of a plan.

        Args:
            texts: The datasets as written.
            requested: How many images a run would use.
            ascii_only: Whether nothing beyond ASCII may be drawn.
        """
        super().__init__()
        self._forms = [DataForm.of(text) for text in texts] or [DataForm.of("synthetic")]
        self._unreadable = next((text for text in texts if not DataForm.reads(text)), "")
        """A dataset that cannot be edited as a form, as it was written."""
        self._index = 0
        self._requested = requested
        self._ascii = ascii_only
        self._timer: Timer | None = None
        self._laying_out = asyncio.Lock()

    @property
    def _form(self) -> DataForm:
        return self._forms[self._index]

    def compose(self) -> ComposeResult:
        """Lay out the form and the sheet."""
        style, reason = drawing_mode(
            ascii_only=self._ascii, no_colour=self.app.no_color, colours=self.app.console.color_system
        )
        with Vertical(classes="dialog data") as dialog:
            dialog.border_title = "Data"
            with Horizontal(classes="halves"):
                with VerticalScroll(can_focus=False):
                    yield from self._fields()
                yield PreviewSheet(style, reason)
            yield Static(classes="result")
            yield KeyBar()

    def _fields(self) -> list[OptionField]:
        form = self._form
        kind = registry.datasets.get(form.kind)
        fields = []
        if len(self._forms) > 1:
            numbers = [str(number + 1) for number in range(len(self._forms))]
            which = Option(WHICH, "", "The plan has several datasets; this is the one below.")
            fields.append(OptionField(WHICH, which, numbers[self._index], choices=numbers))
        kinds = sorted(registry.datasets.all(), key=lambda name: registry.datasets.get(name).needs_path)
        summary = kind.describe.split(". ")[0].rstrip(".")
        fields.append(OptionField(KIND, Option(KIND, "", f"{summary}."), form.kind, choices=kinds))
        if form.needs_path:
            path = Option(PATH, "", "tab takes what is suggested, then goes to the next field.")
            fields.append(OptionField(PATH, path, form.path, hint="/path/to/it", suggester=PathSuggester()))
        fields += [OptionField(option.name, option, text) for option, text in form.fields]
        return fields

    def on_mount(self) -> None:
        """Preview the data as it is."""
        self._show_result()
        self._schedule_preview()

    @on(OptionField.Changed)
    async def _edited(self, event: OptionField.Changed) -> None:
        event.stop()
        key = event.field.key
        if key == WHICH:
            self._index = int(event.text) - 1
        else:
            self._forms[self._index] = self._form.with_value(key, event.text)
        if key in (WHICH, KIND):
            await self._show_fields(key)
            return
        self._show_result()
        self._schedule_preview()

    async def _show_fields(self, focused: str) -> None:
        """Show the fields of the form and its result."""
        # Keys and messages arrive independently: only one may replace the fields at a time.
        async with self._laying_out:
            for form in self.query(VerticalScroll):
                async with self.batch():
                    await form.remove_children()
                    await form.mount_all(self._fields())
        for field in self.query(OptionField):
            if field.key == focused:
                field.take_focus()
        if self.query(".result"):  # else the screen was closed in between
            self._show_result()
            self.refresh_bindings()
            self._schedule_preview()

    def _show_result(self) -> None:
        problems = self._form.problems()
        for field in self.query(OptionField):
            field.problem = problems.get(field.key, "")
        line = self.query_one(".result", Static)
        try:
            result = Text.assemble(("= ", "dim"), (safe_text(", ".join(self._texts())), "bold"))
            if self._unreadable:
                problem = safe_text(
                    f"'{self._unreadable}' means nothing here; synthetic stands in its place. esc leaves it."
                )
                result.append(f"\n{problem}", style="bold red")
            line.update(result)
        except ImgstoreError as error:
            line.update(Text(safe_text(f"Not ready: {error}"), style="bold red"))

    def _texts(self) -> tuple[str, ...]:
        return tuple(form.text() for form in self._forms)

    # The preview

    def _schedule_preview(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self.workers.cancel_group(self, PREVIEW_GROUP)
        self.sheet.preview, self.sheet.doing = None, ""
        if not self._form.problems():
            self._timer = self.set_timer(_WAIT_S, self._preview)

    def _preview(self) -> None:
        if run_in_progress(self.app):
            self.sheet.doing = _NOT_NOW
            return
        try:
            text = self._form.text()
        except ImgstoreError:
            return
        self.sheet.doing = "Looking at the data. It can be used without waiting."
        preview = partial(post_preview, self, text, self._requested, pictures=PICTURES)
        self.run_worker(preview, thread=True, exclusive=True, exit_on_error=False, group=PREVIEW_GROUP)

    def _is_shown(self, text: str) -> bool:
        """Return whether a message is about the dataset that is on the screen."""
        try:
            return self._form.text() == text
        except ImgstoreError:
            return False

    @on(PreviewProgress)
    def _preview_progress(self, event: PreviewProgress) -> None:
        event.stop()
        if self._is_shown(event.text):
            self.sheet.doing = progress_text(event.step, event.done, event.total)

    @on(PreviewYielded)
    def _preview_yielded(self, event: PreviewYielded) -> None:
        event.stop()
        if self._is_shown(event.text):
            self.sheet.doing = _NOT_NOW

    @on(PreviewEnded)
    def _preview_ended(self, event: PreviewEnded) -> None:
        event.stop()
        if not self._is_shown(event.text):
            return
        self.sheet.doing = ""
        self.sheet.preview = event.preview
        key = PATH if self._form.needs_path else KIND
        for field in self.query(OptionField):
            if field.key == key:
                field.problem = event.problem

    # The way out

    @on(OptionField.Submitted)
    def _submitted(self, event: OptionField.Submitted) -> None:
        event.stop()
        self.action_use()

    def action_use(self) -> None:
        """Use all datasets if they are valid."""
        try:
            texts = self._texts()
        except ImgstoreError:
            self._show_result()
            return
        repeated = next((text for text in texts if texts.count(text) > 1), None)
        if repeated is not None:
            problem = f"'{repeated}' is in the plan twice. Change one of them, or take it away with F8."
            self.query_one(".result", Static).update(Text(safe_text(problem), style="bold red"))
            return
        self.dismiss(texts)

    async def action_another(self) -> None:
        """Add a copy of this dataset, to be changed."""
        self._forms.insert(self._index + 1, self._form)
        self._index += 1
        await self._show_fields(KIND)

    async def action_drop(self) -> None:
        """Remove this dataset from the plan."""
        del self._forms[self._index]
        self._index = min(self._index, len(self._forms) - 1)
        await self._show_fields(KIND)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow removing only while there are several datasets."""
        return len(self._forms) > 1 if action == "drop" else True

    def action_cancel(self) -> None:
        """Leave the data as it was."""
        self.dismiss(None)
