"""Finds export formats by name: one module each here, others through the entry points ``imgstore_tui.exports``."""

from __future__ import annotations

from imgstore_tui.core.exporter import Exporter
from imgstore_tui.plugins.catalogue import Catalogue, check_available

__all__ = ["ENTRY_POINTS", "Exporter", "all_exporters", "catalogue", "get", "names"]

ENTRY_POINTS = "imgstore_tui.exports"

catalogue: Catalogue[Exporter] = Catalogue("export format", __name__, Exporter, ENTRY_POINTS)


def all_exporters() -> dict[str, type[Exporter]]:
    """Return every exporter by name, available or not, in alphabetical order."""
    return dict(sorted(catalogue.all().items()))


def names() -> tuple[str, ...]:
    """Return the names of all exporters."""
    return tuple(all_exporters())


def get(name: str) -> Exporter:
    """Return an instance of the exporter called ``name``.

    Raises:
        UsageError: If there is none; the error names the nearest name.
        UnavailableError: If a library is missing; the error has the command that installs it.
    """
    exporter = catalogue.get(name)
    check_available(exporter)
    return exporter()
