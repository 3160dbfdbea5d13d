"""The dialog that writes the results to a file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import getters, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.present import exports
from imgstore_tui.present.exports.write import default_name, write_export
from imgstore_tui.tui.widgets.check_list import CheckList, Entry, Tick
from imgstore_tui.tui.widgets.field import Field
from imgstore_tui.tui.widgets.key_bar import KeyBar


class ExportScreen(ModalScreen[str | None]):
    """Format and path; enter writes. A file that exists is only replaced when enter is pressed again."""

    CSS_PATH = "../styles/modal.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", key_display="esc", tooltip="Write nothing"),
    ]

    formats = getters.query_one(CheckList)
    path = getters.query_one(Field)

    def __init__(self, run: Run, folder: Path | None = None) -> None:
        super().__init__()
        self._run = run
        self._folder = folder or Path.cwd()
        kinds = exports.all_exporters()
        self._format = next(name for name, kind in kinds.items() if not exports.missing(kind))
        self._agreed: str | None = None
        """Path of an existing file that may be replaced, because it was asked for twice."""

    def compose(self) -> ComposeResult:
        """Lay out formats and path."""
        with Vertical(classes="dialog wide") as dialog:
            dialog.border_title = "Export"
            yield CheckList()
            yield Field("file", str(self._default(self._format)))
            yield Static(Text("In the list enter chooses the format; in the line it writes the file."), classes="hint")
            yield KeyBar()

    def on_mount(self) -> None:
        """Offer the formats."""
        self._show_formats()

    def _default(self, name: str) -> Path:
        return self._folder / default_name(self._run, name)

    def _show_formats(self) -> None:
        self.formats.show([self._entry(name, kind) for name, kind in exports.all_exporters().items()])

    def _entry(self, name: str, kind: type[exports.Exporter]) -> Entry:
        if exports.missing(kind):
            return Entry(name, name, Tick.NONE, exports.how_to_get(kind))
        return Entry(name, name, Tick.ON if name == self._format else Tick.OFF, kind.title)

    @on(CheckList.Ticked)
    def _chosen(self, event: CheckList.Ticked) -> None:
        event.stop()
        if exports.missing(exports.all_exporters()[event.key]):
            return
        before, self._format = self._default(self._format), event.key
        if self.path.text == str(before):
            self.path.input.value = str(self._default(self._format))
        self._show_formats()
        self.path.input.focus()

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
        path = Path(text).expanduser()
        if path.exists() and self._agreed != text:
            self._agreed = text
            self.path.problem = "There is such a file already. Press enter again to replace it."
            return
        try:
            written = write_export(self._run, self._format, path, overwrite=self._agreed == text)
        except ImgstoreError as error:
            self.path.problem = safe_text(str(error))
        except OSError as error:
            self.path.problem = safe_text(f"{path}: {error.strerror or error}.")
        else:
            self.dismiss(str(written))

    def action_cancel(self) -> None:
        """Write nothing."""
        self.dismiss(None)
