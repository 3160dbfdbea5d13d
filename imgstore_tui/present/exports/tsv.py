"""TSV: one row a trial, for cut, awk and sort."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.present.tables.delimited import cell_text
from imgstore_tui.present.tables.table_model import TRIAL_FIELDS, trial_rows


class TsvExporter(Exporter):
    """Tab-separated, UTF-8, no quoting: no cell has a tab or a line break."""

    name = "tsv"
    title = "one row a trial, for cut, awk and sort"
    suffix = ".tsv"

    def export(self, run: Run) -> bytes:
        """Return a head line and one line a trial."""
        rows = [("run", *TRIAL_FIELDS), *((cell_text(run.id), *map(cell_text, row)) for row in trial_rows(run))]
        return "".join("\t".join(row) + "\n" for row in rows).encode()
