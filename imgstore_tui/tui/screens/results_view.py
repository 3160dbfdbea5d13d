"""The part of the workbench that shows results: which chart, table and cell, and how."""

from __future__ import annotations

from textual import on
from textual.reactive import reactive

from imgstore_tui.core.units import format_bytes
from imgstore_tui.present.article import is_article
from imgstore_tui.present.tables.ranking import measured_cutoffs, next_cutoff
from imgstore_tui.tui.jump_target import JumpTarget
from imgstore_tui.tui.messages import CellOpened
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.advice import AdviceScreen
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.jump import JumpScreen
from imgstore_tui.tui.screens.present import PresentScreen
from imgstore_tui.tui.screens.report import ReportScreen
from imgstore_tui.tui.screens.run_control import RunControl
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane

_ADVICE = JumpTarget(PaneName.VERDICT, "Advice: what to take, and what an epoch takes", ())
"""A page of its own in the list of charts and tables."""


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

    def action_jump(self) -> None:
        """List all charts and tables, to go to one of them."""
        chart, table = self.panes.chart, self.panes.table
        shown = [target for target in (chart.shown, table.shown) if target is not None]
        # That of the pane in front comes first: it has the cursor.
        shown.sort(key=lambda target: target.pane is not self.pane)
        advice = () if self.results is None else (_ADVICE,)
        self.app.push_screen(JumpScreen((*chart.targets, *table.targets, *advice), shown), self._jump)

    def _jump(self, target: JumpTarget | None) -> None:
        if target is None:
            return
        if target == _ADVICE:
            self._show_advice()
            return
        self.pane = target.pane
        pane = self.panes.chart if target.pane is PaneName.CHART else self.panes.table
        pane.show_target(target)
        self.panes.focus_front()

    def _show_advice(self) -> None:
        if self.results is not None:
            palette = self.panes.chart.marks.palette
            self.app.push_screen(AdviceScreen(self.results, palette, ascii_only=self.has_class("-ascii")))

    def action_present(self) -> None:
        """Show one large figure at a time, for a lecture."""
        if self.results is not None:
            plain = self.has_class("-ascii")
            self.app.push_screen(PresentScreen(self.results, self.panes.chart.marks.palette, ascii_only=plain))

    def after_last_trial(self) -> None:
        """Open the presentation of the article's experiment, unless something else lies over the workbench."""
        run = self.run_state.run
        if run is not None and run.status == "finished" and is_article(run) and self.app.screen is self:
            self.action_present()

    def action_copy(self) -> None:
        """Send what the pane in front shows to the clipboard; whether it arrives, only the terminal knows."""
        pane = self.panes.pane_of(self.focused) or self.pane
        text = self.panes.copied_text(pane)
        if not text:
            self.notify(f"The pane {pane} has nothing to copy.", severity="warning")
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"{format_bytes(len(text.encode()))} sent to the terminal's clipboard.", title=f"Copied: {pane}")

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
        """Update the detail of a cell, or the figure that is presented, with the run."""
        front = self.app.screen
        if isinstance(front, DetailScreen | PresentScreen) and self.results is not None:
            front.results = self.results
