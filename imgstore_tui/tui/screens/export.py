"""Exports results to a file or to the terminal's clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Run
from imgstore_tui.core.paths import current_folder, expand_path
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.export_choices import ExportChoice, export_choices
from imgstore_tui.present.exports.write import file_name, write_new
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.check_list import CheckItem, CheckList, Heading, Tick
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar

SAFE_CLIPBOARD_BYTES = 74_994
"""Bytes that fit into the 100,000 characters that terminals commonly accept in one OSC 52."""

_NAMES = 11
"""Columns of the names of formats."""
_HINT = "In the list enter chooses what to export; in the line it writes the file."


class ExportScreen(Dialog[str | None]):
    """Asks for format and path; an existing file is only replaced when enter is pressed again."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", tooltip="Send the text to the terminal's clipboard (OSC 52)"),
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Write nothing"),
    ]

    formats = getters.query_one(CheckList)
    path = getters.query_one(Field)
    hint = getters.query_one(".hint", Static)

    def __init__(self, run: Run, chart: Chart | None = None, folder: Path | None = None) -> None:
        """Create the dialog.

        Args:
            run: The run.
            chart: The chart on the screen, if there is one.
            folder: The folder of the suggested path; None for the current one.
        """
        super().__init__()
        self._run = run
        self._folder = folder or _default_folder()
        self._choices = {choice.name: choice for choice in export_choices(run, chart)}
        self._chosen = next(choice for choice in self._choices.values() if not choice.how_to_get)
        self._confirmed: str | None = None
        """Path of an existing file that may be replaced, because enter was pressed twice."""

    def compose(self) -> ComposeResult:
        """Lay out formats and path."""
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = "Export"
            yield CheckList()
            yield Field("file", str(self._default(self._chosen)))
            yield Static(Text(_HINT), classes="hint")
            yield KeyBar()

    def on_mount(self) -> None:
        """Offer the formats."""
        self._show_formats()

    def _default(self, choice: ExportChoice) -> Path:
        return self._folder / file_name(self._run, choice.suffix, "chart" if choice.chart else "")

    def _show_formats(self) -> None:
        of_run = [self._entry(choice) for choice in self._choices.values() if not choice.chart]
        of_chart = [self._entry(choice) for choice in self._choices.values() if choice.chart]
        self.formats.show([*of_run, Heading("The chart on the screen"), *of_chart] if of_chart else of_run)

    def _entry(self, choice: ExportChoice) -> CheckItem:
        tick = Tick.NONE if choice.how_to_get else Tick.ON if choice is self._chosen else Tick.OFF
        return CheckItem(choice.name, f"{choice.name:<{_NAMES}}{choice.how_to_get or choice.title}", tick)

    @on(CheckList.Ticked)
    def _format_chosen(self, event: CheckList.Ticked) -> None:
        event.stop()
        choice = self._choices[event.key]
        if choice.how_to_get:
            return
        before, self._chosen = self._default(self._chosen), choice
        if self.path.text == str(before):
            self.path.input.value = str(self._default(choice))
        self._show_formats()
        self.set_focus(self.path.input)
        self.refresh_bindings()

    @on(Field.Changed)
    def _path_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.path.problem = ""
        self._confirmed = None

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Write the file, or show the problem."""
        text = self.path.text.strip()
        if not text:
            self.path.problem = "Name a file."
            return
        try:
            path = expand_path(text)
            if path.is_dir():
                path /= self._default(self._chosen).name
            if path.exists() and self._confirmed != text:
                self._confirmed = text
                self.path.problem = safe_text(f"Press enter again to replace it: there is a {path.name} already.")
                return
            written = write_new(path, self._chosen.make, overwrite=self._confirmed == text)
        except ImgstoreError as error:
            self.path.problem = safe_text(str(error))
        except OSError as error:
            self.path.problem = safe_text(f"{text}: {error.strerror or error}.")
        else:
            self.dismiss(str(written))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow copying only text whose format is available."""
        return not (action == "copy" and (self._pointed.binary or self._pointed.how_to_get))

    @property
    def _pointed(self) -> ExportChoice:
        """The format under the cursor."""
        pointed = next((entry.pointed for entry in self.query(CheckList)), None)
        return self._chosen if pointed is None else self._choices[pointed.key]

    @on(CheckList.Pointed)
    def _moved(self) -> None:
        self.refresh_bindings()

    def action_copy(self) -> None:
        """Send the text under the cursor to the clipboard; whether it arrives, only the terminal knows."""
        choice = self._pointed
        try:
            data = choice.make()
        except ImgstoreError as error:
            self.path.problem = safe_text(str(error))
            return
        self.app.copy_to_clipboard(data.decode())
        message = f"{choice.name}: {format_bytes(len(data))} sent to the terminal's clipboard (OSC 52)."
        if len(data) > SAFE_CLIPBOARD_BYTES:
            message += f" Many terminals take no more than {format_bytes(SAFE_CLIPBOARD_BYTES)}: better write a file."
        else:
            message += " tmux passes it on with: set -g set-clipboard on"
        self.hint.update(Text(message))

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)


def _default_folder() -> Path:
    """Return the current folder, or the home folder if the current one is gone."""
    try:
        return current_folder()
    except ImgstoreError:
        return Path.home()
