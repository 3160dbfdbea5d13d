"""Holds the panes of the workbench, one of them in front."""

from __future__ import annotations

from textual import getters
from textual.containers import Container, Vertical
from textual.reactive import reactive
from textual.widget import Widget

from imgstore_tui.tui.pane_layout import LEFT, RIGHT, lay_out
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.widgets.chart_pane import ChartPane
from imgstore_tui.tui.widgets.choose_pane import ChoosePane
from imgstore_tui.tui.widgets.log_pane import LogPane
from imgstore_tui.tui.widgets.matrix_pane import MatrixPane
from imgstore_tui.tui.widgets.table_pane import TablePane
from imgstore_tui.tui.widgets.verdict_pane import VerdictPane


class Column(Vertical):
    """Panes below each other."""


class Panes(Container):
    """Holds the panes; which of them are visible, and where, is what ``pane_layout`` says."""

    DEFAULT_CSS = "Panes { layout: horizontal; } Panes > Column { height: 100%; }"

    pane: reactive[PaneName] = reactive(PaneName.CHOOSE, repaint=False)
    """The pane in front."""
    enlarged: reactive[bool] = reactive(False, repaint=False)
    """Whether the pane in front fills the screen alone."""
    idle: reactive[bool] = reactive(True, repaint=False)
    """Whether there is no run to show yet."""

    choose = getters.query_one(ChoosePane)
    chart = getters.query_one(ChartPane)
    table = getters.query_one(TablePane)
    matrix = getters.query_one(MatrixPane)
    log_lines = getters.query_one(LogPane)
    verdict = getters.query_one(VerdictPane)
    left = getters.query_one("#left", Column)
    right = getters.query_one("#right", Column)

    def on_mount(self) -> None:
        """Lay out the panes."""
        self._lay_out()

    def watch_pane(self) -> None:
        """Bring another pane to the front."""
        self._lay_out()

    def watch_enlarged(self) -> None:
        """Let the pane in front fill the screen, or give the others their room back."""
        self._lay_out()

    def watch_idle(self) -> None:
        """Give the results of a run their room."""
        self._lay_out()

    def on_resize(self) -> None:
        """Lay out for another size of the terminal."""
        self._lay_out()

    def _lay_out(self) -> None:
        """Show the panes that the layout names.

        At once and not with the next repaint, since keys that follow fast are meant for the new pane; and by styles of
        the panes themselves, since a class of the screen would restyle every widget: 15 ms against 140.
        """
        if not self.is_mounted:
            return
        columns, rows = self.app.size
        layout = lay_out(columns, rows, self.pane, idle=self.idle, enlarged=self.enlarged)
        self.choose.display = bool(layout.choice)
        if layout.choice:
            self.choose.styles.width = layout.choice
            # Beside the results its lists are below each other.
            self.choose.set_class(not layout.choice.endswith("fr"), "-upright")
        beside = bool(layout.choice)
        for column, names, width in ((self.left, LEFT, layout.left), (self.right, RIGHT, layout.right)):
            column.display = any(name in layout.heights for name in names)
            for name in names:
                pane = self._widget(name)
                pane.display = name in layout.heights
                if pane.display:
                    pane.styles.height = f"{layout.heights[name]}fr"
            if column.display:
                column.styles.width = width
                column.styles.margin = (0, 0, 0, 1 if beside else 0)
                beside = True

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
        regions = ((name, self._widget(name).region) for name in PaneName)
        return next((name for name, region in regions if region.contains(x, y) and y == region.y), None)

    def copied_text(self, pane: PaneName) -> str:
        """Return what a pane shows as text, a table as Markdown; empty where there is nothing yet."""
        widget = self._widget(pane)
        if isinstance(widget, ChoosePane):
            return ""
        assert isinstance(widget, ChartPane | TablePane | VerdictPane | MatrixPane | LogPane)  # noqa: S101
        return widget.copied_text()

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
