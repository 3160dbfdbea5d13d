"""Lays out the panes, one of them in front."""

from __future__ import annotations

from textual import getters
from textual.containers import Container
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.terminal.breakpoints import BROAD_COLUMNS
from imgstore_tui.tui.widgets.chart_pane import ChartPane
from imgstore_tui.tui.widgets.choose_pane import ChoosePane
from imgstore_tui.tui.widgets.log_pane import LogPane
from imgstore_tui.tui.widgets.matrix_pane import MatrixPane
from imgstore_tui.tui.widgets.table_pane import TablePane
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane


class Panes(Container):
    """Holds the panes; the style sheet decides which are visible and where."""

    pane: reactive[PaneName] = reactive(PaneName.CHOOSE, repaint=False)
    """The pane in front."""

    enlarged: reactive[bool] = reactive(False, repaint=False)
    """Whether the pane in front fills the screen alone."""

    choose = getters.query_one(ChoosePane)
    chart = getters.query_one(ChartPane)
    table = getters.query_one(TablePane)
    matrix = getters.query_one(MatrixPane)
    log_lines = getters.query_one(LogPane)
    verdict = getters.query_one(VerdictPane)

    def on_mount(self) -> None:
        """Bring the first pane to the front."""
        self.watch_pane(self.pane, self.pane)

    def watch_pane(self, before: PaneName, pane: PaneName) -> None:
        """Mark the pane in front for the style sheet."""
        if not self.is_mounted:
            return
        # Classes of the panes and not of the screen, which would restyle every widget: 15 ms against 140. They are set
        # at once and not with the next repaint: keys that follow fast are meant for the new pane.
        self._widget(before).remove_class("-front")
        self._widget(pane).add_class("-front")
        self.chart.set_class(pane is PaneName.CHOOSE, "-beside-choose")
        self.chart.set_class(pane is PaneName.MATRIX, "-behind")

    def watch_enlarged(self, enlarged: bool) -> None:
        """Tell the style sheet."""
        self.set_class(enlarged, "-enlarged")

    def pane_of(self, widget: Widget | None) -> PaneName | None:
        """Return the pane that a widget is or lies in; None for one outside of them."""
        while widget is not None and widget is not self:
            for name in PaneName:
                if self._widget(name) is widget:
                    return name
            parent = widget.parent
            widget = parent if isinstance(parent, Widget) else None
        return None

    def pane_with_edge_at(self, x: int, y: int) -> PaneName | None:
        """Return the pane whose top edge lies at a place on the screen; None where there is none."""
        regions = ((name, self._widget(name).region) for name in PaneName if name is not PaneName.CHOOSE)
        return next((name for name, region in regions if region.contains(x, y) and y == region.y), None)

    def on_resize(self) -> None:
        """Tell the style sheet whether the matrix fits beside the chart."""
        broad = self.size.width >= BROAD_COLUMNS
        for pane in (self.chart, self.matrix):
            pane.set_class(broad, "-broad")

    def focus_front(self) -> None:
        """Focus the pane in front."""
        inner: dict[PaneName, Widget] = {PaneName.CHOOSE: self.choose.storage, PaneName.TABLE: self.table.grid}
        # At once and not with the next message: keys that follow fast are meant for this pane.
        self.screen.set_focus(inner.get(self.pane, self._widget(self.pane)))

    def _widget(self, pane: PaneName) -> Widget:
        return {
            PaneName.CHOOSE: self.choose,
            PaneName.CHART: self.chart,
            PaneName.TABLE: self.table,
            PaneName.LOG: self.log_lines,
            PaneName.VERDICT: self.verdict,
            PaneName.MATRIX: self.matrix,
        }[pane]
