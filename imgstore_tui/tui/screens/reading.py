"""A screen that shows what a run says: which chart, table and cell is looked at, and how."""

from __future__ import annotations

from textual import on
from textual.reactive import reactive

from imgstore_tui.tui.messages import CellOpened
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.run_control import RunControl


class Reading(RunControl):
    """Holds how results are looked at; a subclass lays out the panes that are bound to it."""

    log_axes: reactive[bool] = reactive(True, repaint=False)
    per_image: reactive[bool] = reactive(False, repaint=False)

    def action_next_chart(self) -> None:
        """Show the next chart."""
        self.panes.chart.turns += 1

    def action_next_table(self) -> None:
        """Show the next table."""
        self.panes.table.view += 1

    def action_next_layer(self) -> None:
        """Show the next operation or level in the matrix."""
        self.panes.matrix.next_layer()

    @on(CellOpened)
    def _cell_opened(self, event: CellOpened) -> None:
        event.stop()
        if self.found is not None:
            self.app.push_screen(DetailScreen(self.found, event.cell))

    def watch_found(self) -> None:
        """Let the detail of a cell grow with the run."""
        front = self.app.screen
        if isinstance(front, DetailScreen) and self.found is not None:
            front.found = self.found
