"""The dialog by which results leave the screen: to a file, or to the terminal's clipboard."""

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
"""What fits into the 100,000 characters that terminals commonly take from one OSC 52."""

_NAMES = 11
"""Columns of the names of formats."""
_HINT = "In the list enter chooses what to export; in the line it writes the file."


class ExportScreen(Dialog[str | None]):
    """Format and path; enter writes. A file that exists is only replaced when enter is pressed again."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", tooltip="Send the text to the terminal's clipboard (OSC 52)"),
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Write nothing"),
    ]

    formats = getters.query_one(CheckList)
    path = getters.query_one(Field)
    hint = getters.query_one(".hint", Static)

    def __init__(self, run: Run, drawing: Chart | None = None, folder: Path | None = None) -> None:
        """Ask what is to be exported.

        Args:
            run: The run.
            drawing: The chart on the screen, if there is one.
            folder: Where files are offered to be made; None for the current one.
        """
        super().__init__()
        self._run = run
        self._folder = folder or _folder_to_offer()
        self._offers = {offer.name: offer for offer in export_choices(run, drawing)}
        self._chosen = next(offer for offer in self._offers.values() if not offer.how_to_get)
        self._agreed: str | None = None
        """Path of an existing file that may be replaced, because it was asked for twice."""

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

    def _default(self, offer: ExportChoice) -> Path:
        return self._folder / file_name(self._run, offer.suffix, "chart" if offer.chart else "")

    def _show_formats(self) -> None:
        of_run = [self._entry(offer) for offer in self._offers.values() if not offer.chart]
        of_chart = [self._entry(offer) for offer in self._offers.values() if offer.chart]
        self.formats.show([*of_run, Heading("The chart on the screen"), *of_chart] if of_chart else of_run)

    def _entry(self, offer: ExportChoice) -> CheckItem:
        tick = Tick.NONE if offer.how_to_get else Tick.ON if offer is self._chosen else Tick.OFF
        return CheckItem(offer.name, f"{offer.name:<{_NAMES}}{offer.how_to_get or offer.title}", tick)

    @on(CheckList.Ticked)
    def _format_chosen(self, event: CheckList.Ticked) -> None:
        event.stop()
        offer = self._offers[event.key]
        if offer.how_to_get:
            return
        before, self._chosen = self._default(self._chosen), offer
        if self.path.text == str(before):
            self.path.input.value = str(self._default(offer))
        self._show_formats()
        self.set_focus(self.path.input)
        self.refresh_bindings()

    @on(Field.Changed)
    def _path_changed(self, event: Field.Changed) -> None:
        event.stop()
        self.path.problem = ""
        self._agreed = None

    @on(Field.Submitted)
    def _submitted(self, event: Field.Submitted) -> None:
        event.stop()
        self.action_save()

    def action_save(self) -> None:
        """Write the file, or say what is in the way."""
        text = self.path.text.strip()
        if not text:
            self.path.problem = "Name a file."
            return
        try:
            path = expand_path(text)
            if path.is_dir():
                path /= self._default(self._chosen).name
            if path.exists() and self._agreed != text:
                self._agreed = text
                self.path.problem = safe_text(f"Press enter again to replace it: there is a {path.name} already.")
                return
            written = write_new(path, self._chosen.make, overwrite=self._agreed == text)
        except ImgstoreError as error:
            self.path.problem = safe_text(str(error))
        except OSError as error:
            self.path.problem = safe_text(f"{text}: {error.strerror or error}.")
        else:
            self.dismiss(str(written))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only text that is to be had can be copied."""
        return not (action == "copy" and (self._pointed.binary or self._pointed.how_to_get))

    @property
    def _pointed(self) -> ExportChoice:
        """What is under the cursor."""
        pointed = next((entry.pointed for entry in self.query(CheckList)), None)
        return self._chosen if pointed is None else self._offers[pointed.key]

    @on(CheckList.Pointed)
    def _moved(self) -> None:
        self.refresh_bindings()

    def action_copy(self) -> None:
        """Send the text under the cursor to the clipboard; whether it arrives, only the terminal knows."""
        offer = self._pointed
        try:
            data = offer.make()
        except ImgstoreError as error:
            self.path.problem = safe_text(str(error))
            return
        self.app.copy_to_clipboard(data.decode())
        told = f"{offer.name}: {format_bytes(len(data))} sent to the terminal's clipboard (OSC 52)."
        if len(data) > SAFE_CLIPBOARD_BYTES:
            told += f" Many terminals take no more than {format_bytes(SAFE_CLIPBOARD_BYTES)}: better write a file."
        else:
            told += " tmux passes it on with: set -g set-clipboard on"
        self.hint.update(Text(told))

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)


def _folder_to_offer() -> Path:
    """Return the current folder, or the user's own where that is gone."""
    try:
        return current_folder()
    except ImgstoreError:
        return Path.home()
