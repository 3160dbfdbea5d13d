"""All that is known of one cell, over the workbench."""

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


def _step(key: str, shown: str, step: int, words: str) -> Binding:
    """Return the binding of a key that the scrolling page would else take for itself."""
    told = f"The same with {words.lower()}"
    return Binding(key, f"step({step})", words, key_display=shown, priority=True, tooltip=told)


class DetailScreen(Dialog[None]):
    """Samples, phases, memory, disk, proof and surroundings of a cell; it scrolls, and grows while the run goes on."""

    CSS_PATH = "../styles/modal.tcss"
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q", "close", "Close", key_display="esc", tooltip="Close the detail of the cell"),
        _step("left", "←", -1, "Fewer images"),
        _step("right", "→", 1, "More images"),
    ]

    found: reactive[RunResults | None] = reactive(None, repaint=False)
    cell: reactive[Cell | None] = reactive(None, repaint=False)

    body = getters.query_one(".detail", Static)
    page = getters.query_one(VerticalScroll)

    def __init__(self, found: RunResults, cell: Cell) -> None:
        super().__init__()
        self.set_reactive(DetailScreen.found, found)
        self.set_reactive(DetailScreen.cell, cell)
        self._said: tuple[int, str] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the text and the keys."""
        with Vertical(classes="dialog page"):
            with VerticalScroll():
                yield Static(classes="detail")
            yield KeyBar()

    def on_mount(self) -> None:
        """Say it once the width is known."""
        self.call_after_refresh(self._say)

    def on_resize(self) -> None:
        """Say it anew for another width."""
        self.call_after_refresh(self._say)

    def watch_found(self) -> None:
        """Say what is known now."""
        self._say()

    def watch_cell(self) -> None:
        """Begin at the top of another cell."""
        self._say()
        if self.is_mounted:
            self.page.scroll_home(animate=False)

    def action_close(self) -> None:
        """Go back to the workbench."""
        self.dismiss()

    def action_step(self, step: int) -> None:
        """Show the same storage method, operation and level with more images, or with fewer."""
        beside = self._beside()
        place = beside.index(self.cell) + step if self.cell in beside else -1
        if 0 <= place < len(beside):
            self.cell = beside[place]

    def _beside(self) -> list[Cell]:
        """Return the cells that differ from this one in nothing but the number of images, in order."""
        if self.found is None or self.cell is None:
            return []
        here = self.cell
        same = [
            entry.cell
            for entry in self.found.summaries
            if entry.cell.spec == here.spec and _level(entry.cell) == _level(here)
        ]
        return sorted(same, key=lambda cell: cell.cutoff)

    def _say(self) -> None:
        if not self.is_mounted or self.found is None or self.cell is None:
            return
        width = self.page.scrollable_content_region.width - 1
        if width <= 0:
            return
        text = cell_detail(self.found, self.cell, width)
        self.query_one(".dialog").border_title = Text(cell_title(self.cell))
        if self._said != (width, text.plain):
            self._said = (width, text.plain)
            self.body.update(text)


def _level(cell: Cell) -> tuple[object, ...]:
    return (cell.dataset, cell.operation, cell.cache, cell.sync, cell.payload, cell.workers, cell.scratch)
