"""Exports CSV: one row per trial, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.exports.delimited import trial_rows


class CsvExporter(Exporter):
    """Comma-separated, RFC 4180, UTF-8: tidy data with every field of every trial."""

    name = "csv"
    title = "one row a trial, for spreadsheets and data frames"
    suffix = ".csv"

    def export(self, run: Run) -> bytes:
        """Return a head line and one line per trial."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows(trial_rows(run))
        return text.getvalue().encode()
