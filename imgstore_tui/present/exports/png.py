"""Exports PNG: charts for a slide or a chat."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.charts.matplotlib_sheet import draw_sheet


class PngExporter(Exporter):
    """All charts of a run on one sheet, drawn by matplotlib."""

    name = "png"
    title = "charts for a slide or a chat"
    suffix = ".png"
    binary = True
    requires = ("matplotlib",)
    extra = "plot"

    def export(self, run: Run) -> bytes:
        """Return the sheet."""
        return draw_sheet(run, "png")
