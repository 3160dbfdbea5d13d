"""SVG: charts for a web page or a drawing program."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.plots import draw_sheet


class SvgExporter(Exporter):
    """All charts of a run on one sheet, drawn by matplotlib."""

    name = "svg"
    title = "charts for a web page or a drawing program"
    suffix = ".svg"
    requires = ("matplotlib",)
    extra = "plot"

    def export(self, run: Run) -> bytes:
        """Return the sheet."""
        return draw_sheet(run, "svg")
