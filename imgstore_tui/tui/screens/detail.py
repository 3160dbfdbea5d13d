"""Shows everything about one cell."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import getters
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.reactive import reactive
from textual.widgets import Static

from imgstore_tui.core.model import Cell
from imgstore_tui.present.detail.cell_detail import cell_detail, cell_title
from imgstore_tui.present.results import RunResults
from imgstore_tui.tui.terminal.textual_fixes import Dialog
from imgstore_tui.tui.widgets.key_bar import KeyBar


def _step(key: str, shown: str, step: int, description: str) -> Binding:
    """Return the binding of a key that the scrolling page would take otherwise."""
    tooltip = f"The same with {description.lower()}"
    return Binding(key, f"step({step})", description, key_display=shown, priority=True, tooltip=tooltip)


class DetailScreen(Dialog[None]):
    """Samples, phases, memory, disk, proof and surroundings of a cell; updated while the run goes on."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", key_display="esc", tooltip="Close the detail of the cell"),
        Binding("C", "copy", "Copy", tooltip="Copy the page as text"),
        _step("left", "←", -1, "Fewer images"),
        _step("right", "→", 1, "More images"),
    ]

    results: reactive[RunResults | None] = reactive(None, repaint=False)
    cell: reactive[Cell | None] = reactive(None, repaint=False)

    body = getters.query_one(".detail", Static)
    page = getters.query_one(VerticalScroll)

    def __init__(self, results: RunResults, cell: Cell) -> None:
        super().__init__()
        self.set_reactive(DetailScreen.results, results)
        self.set_reactive(DetailScreen.cell, cell)
        self._shown: tuple[int, str] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the text and the keys."""
        with Vertical(classes="dialog page"):
            with VerticalScroll():
                yield Static(classes="detail")
            yield KeyBar()

    def on_mount(self) -> None:
        """Show the text once the width is known."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Show the text for another width."""
        self.call_after_refresh(self._show)

    def watch_results(self) -> None:
        """Show new results."""
        self._show()

    def watch_cell(self) -> None:
        """Show another cell from its top."""
        self._show()
        if self.is_mounted:
            self.page.scroll_home(animate=False)

    def action_close(self) -> None:
        """Close the dialog."""
        self.dismiss()

    def action_step(self, step: int) -> None:
        """Show the same storage method, operation and level with more images, or with fewer."""
        cells = self._cells_by_cutoff()
        index = cells.index(self.cell) + step if self.cell in cells else -1
        if 0 <= index < len(cells):
            self.cell = cells[index]

    def action_copy(self) -> None:
        """Send the page to the clipboard; whether it arrives, only the terminal knows."""
        if self._shown is not None and self.cell is not None:
            self.app.copy_to_clipboard(f"{cell_title(self.cell)}\n{self._shown[1]}\n")
            self.notify("Sent to the terminal's clipboard.", title="Copied: the page of the cell")

    def _cells_by_cutoff(self) -> list[Cell]:
        """Return the cells that differ from this one only in the number of images, in its order."""
        if self.results is None or self.cell is None:
            return []
        current = self.cell
        cells = [
            entry.cell
            for entry in self.results.summaries
            if entry.cell.spec == current.spec and _level(entry.cell) == _level(current)
        ]
        return sorted(cells, key=lambda cell: cell.cutoff)

    def _show(self) -> None:
        if not self.is_mounted or self.results is None or self.cell is None:
            return
        width = self.page.scrollable_content_region.width - 1
        if width <= 0:
            return
        text = cell_detail(self.results, self.cell, width)
        self.query_one(".dialog").border_title = Text(cell_title(self.cell))
        if self._shown != (width, text.plain):
            self._shown = (width, text.plain)
            self.body.update(text)


def _level(cell: Cell) -> tuple[object, ...]:
    return (cell.dataset, cell.operation, cell.cache, cell.sync, cell.payload, cell.workers, cell.scratch)
