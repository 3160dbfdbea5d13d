"""Exports TSV: one row per trial, for cut, awk and sort."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.exports.delimited import trial_rows


class TsvExporter(Exporter):
    """Tab-separated, UTF-8, no quoting: no cell has a tab or a line break."""

    name = "tsv"
    title = "one row a trial, for cut, awk and sort"
    suffix = ".tsv"

    def export(self, run: Run) -> bytes:
        """Return a head line and one line per trial."""
        return "".join("\t".join(row) + "\n" for row in trial_rows(run)).encode()
