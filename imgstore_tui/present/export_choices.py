"""Lists what the screen can export: the run in every format, and the chart that is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.plugins.catalogue import how_to_get, missing_imports
from imgstore_tui.present import exports
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.charts.svg import standalone_svg
from imgstore_tui.present.charts.text_chart import draw_figure

TEXT_COLUMNS, TEXT_ROWS = 100, 30
"""Size of a chart exported as text, which fits a mail or an issue."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """One format in which the run or the chart can be exported."""

    name: str
    title: str
    """What the format is good for, in a few words."""
    suffix: str
    binary: bool
    how_to_get: str
    """The command that installs what is missing; empty where the format is available."""
    make: Callable[[], bytes]
    """Returns the export; only valid where the format is available."""
    chart: bool = False
    """Whether it exports the chart alone."""


def export_choices(run: Run, chart: Chart | None) -> tuple[ExportChoice, ...]:
    """Return the formats of a run, available or not, and those of the chart on the screen, if any.

    Archives come last: what is copied is text.
    """
    choices = [
        ExportChoice(
            name=name,
            title=exporter.title,
            suffix=exporter.suffix,
            binary=exporter.binary,
            how_to_get=how_to_get(exporter) if missing_imports(exporter) else "",
            make=partial(_export, name, run),
        )
        for name, exporter in sorted(exports.all_exporters().items(), key=lambda entry: entry[1].archive)
    ]
    if chart is not None and not chart.figure.empty:
        png = exports.catalogue.get("png")
        plot = how_to_get(png) if missing_imports(png) else ""
        choices += [
            ExportChoice("chart-txt", "as text", ".txt", False, "", partial(_text, chart), chart=True),
            ExportChoice("chart-svg", "as a drawing", ".svg", False, "", partial(_svg, chart), chart=True),
            ExportChoice("chart-png", "as a picture", ".png", True, plot, partial(_png, chart, run), chart=True),
        ]
    return tuple(choices)


def _export(name: str, run: Run) -> bytes:
    return exports.get(name).export(run)


def _text(chart: Chart) -> bytes:
    drawn = draw_figure(chart.figure, TEXT_COLUMNS, TEXT_ROWS, scales=chart.scales)
    lines = [line.rstrip() for line in safe_lines(drawn.plain)]
    return ("\n".join(lines).rstrip() + "\n").encode()


def safe_lines(text: str) -> list[str]:
    """Return the lines of a text, each made harmless to a terminal."""
    return [safe_text(line) for line in text.split("\n")]


def _svg(chart: Chart) -> bytes:
    return standalone_svg(chart.figure, scales=chart.scales).encode()


def _png(chart: Chart, run: Run) -> bytes:
    from imgstore_tui.present.charts.matplotlib_sheet import draw_chart

    return draw_chart(chart, run, "png")
