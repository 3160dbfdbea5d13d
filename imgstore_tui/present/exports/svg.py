"""Exports SVG: charts for a web page or a drawing program."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.charts.svg import sheet_svg


class SvgExporter(Exporter):
    """All charts of a run on one sheet, with its caption; text stays text."""

    name = "svg"
    title = "charts for a web page or a drawing program"
    suffix = ".svg"

    def export(self, run: Run) -> bytes:
        """Return the sheet."""
        return sheet_svg(run).encode()
