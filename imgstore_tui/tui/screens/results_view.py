"""The part of the workbench that shows results: which chart, table and cell, and how."""

from __future__ import annotations

from textual import on
from textual.reactive import reactive

from imgstore_tui.present.tables.ranking import measured_cutoffs, next_cutoff
from imgstore_tui.tui.messages import CellOpened
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.report import ReportScreen
from imgstore_tui.tui.screens.run_control import RunControl
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane


class ResultsView(RunControl):
    """Holds how results are shown; a subclass lays out the panes that are bound to it."""

    pane: reactive[PaneName] = reactive(PaneName.CHOOSE, repaint=False)
    """The pane in front."""
    log_x: reactive[bool] = reactive(True, repaint=False)
    log_y: reactive[bool] = reactive(True, repaint=False)
    per_image: reactive[bool] = reactive(False, repaint=False)
    cutoff: reactive[int | None] = reactive(None, repaint=False)
    """The number of images at which methods are ranked; None for all."""

    def action_next_chart(self) -> None:
        """Show the next chart."""
        self.panes.chart.turns += 1

    def action_axes(self) -> None:
        """Make both axes of charts linear, or both logarithmic."""
        self.log_x = self.log_y = not (self.log_x and self.log_y)

    def action_next_level(self) -> None:
        """Show the chart at its next level, or hot against cold; notify if there is only one."""
        chart = self.panes.chart
        if len(chart.views) > 1:
            chart.level += 1
        elif chart.kind is not None:
            only = chart.view.text or "no level"
            self.notify(f"{chart.kind.menu_text}: this run has {only} only.", markup=False)

    def action_next_table(self) -> None:
        """Show the next table."""
        self.panes.table.view += 1

    def action_next_layer(self) -> None:
        """Show the next operation or level in the matrix."""
        self.panes.matrix.next_layer()

    def action_filter(self) -> None:
        """Bring the table to the front and open its filter line."""
        self.pane = PaneName.TABLE
        self.panes.table.open_filter()

    def action_cutoff(self, step: int) -> None:
        """Rank at the next larger number of images, or at the next smaller."""
        if self.results is not None:
            self.cutoff = next_cutoff(self.cutoff, measured_cutoffs(self.results), step)

    @on(CellOpened)
    def _cell_opened(self, event: CellOpened) -> None:
        event.stop()
        if self.results is not None:
            self.app.push_screen(DetailScreen(self.results, event.cell))

    @on(VerdictPane.ReportRequested)
    def _report_requested(self, event: VerdictPane.ReportRequested) -> None:
        event.stop()
        if self.results is not None:
            plain = self.has_class("-ascii")
            self.app.push_screen(
                ReportScreen(self.results, self.cutoff, self.panes.chart.marks.palette, ascii_only=plain)
            )

    def watch_results(self) -> None:
        """Update the detail of a cell with the run."""
        front = self.app.screen
        if isinstance(front, DetailScreen) and self.results is not None:
            front.results = self.results
