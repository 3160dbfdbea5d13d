"""CSV: one row a trial, for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.tables.delimited import cell_text
from imgstore_tui.present.tables.table_model import TRIAL_FIELDS, trial_rows


class CsvExporter(Exporter):
    """Comma-separated, RFC 4180, UTF-8: tidy data with every field of every trial."""

    name = "csv"
    title = "one row a trial, for spreadsheets and data frames"
    suffix = ".csv"

    def export(self, run: Run) -> bytes:
        """Return a head line and one line a trial."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(("run", *TRIAL_FIELDS))
        writer.writerows([cell_text(run.id), *map(cell_text, row)] for row in trial_rows(run))
        return text.getvalue().encode()
