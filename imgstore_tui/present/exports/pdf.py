"""Exports PDF: charts for a paper."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.charts.matplotlib_sheet import draw_sheet


class PdfExporter(Exporter):
    """All charts of a run on one sheet, drawn by matplotlib."""

    name = "pdf"
    title = "charts for a paper"
    suffix = ".pdf"
    binary = True
    requires = ("matplotlib",)
    extra = "plot"

    def export(self, run: Run) -> bytes:
        """Return the sheet."""
        return draw_sheet(run, "pdf")
