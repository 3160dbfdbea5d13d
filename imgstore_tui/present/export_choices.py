"""All that can leave the screen as a file or as text: every export of the run, and the chart that is looked at."""

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
"""Size of a chart as text: what a mail or an issue takes."""


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """One form in which something can be had."""

    name: str
    title: str
    """What it is good for, in a few words."""
    suffix: str
    binary: bool
    how_to_get: str
    """The command that makes it available; empty where it is."""
    make: Callable[[], bytes]
    """Returns it; to be called only where it is available."""
    chart: bool = False
    """Whether it is the chart alone."""


def export_choices(run: Run, drawing: Chart | None) -> tuple[ExportChoice, ...]:
    """Return what can be had of a run, available or not, and of the chart on the screen, if there is one."""
    found = [
        ExportChoice(
            name, kind.title, kind.suffix, kind.binary, how_to_get(kind) if missing_imports(kind) else "",
            partial(_export, name, run),
        )
        for name, kind in exports.all_exporters().items()
    ]  # fmt: skip
    if drawing is not None and not drawing.figure.empty:
        png = exports.catalogue.get("png")
        plot = how_to_get(png) if missing_imports(png) else ""
        found += [
            ExportChoice("chart-txt", "as text", ".txt", False, "", partial(_text, drawing), chart=True),
            ExportChoice("chart-svg", "as a drawing", ".svg", False, "", partial(_svg, drawing), chart=True),
            ExportChoice("chart-png", "as a picture", ".png", True, plot, partial(_png, drawing, run), chart=True),
        ]
    return tuple(found)


def _export(name: str, run: Run) -> bytes:
    return exports.get(name).export(run)


def _text(drawing: Chart) -> bytes:
    picture = draw_figure(drawing.figure, TEXT_COLUMNS, TEXT_ROWS, scales=drawing.scales)
    lines = [line.rstrip() for line in safe_lines(picture.plain)]
    return ("\n".join(lines).rstrip() + "\n").encode()


def safe_lines(text: str) -> list[str]:
    """Return the lines of a text, none of which says anything to a terminal."""
    return [safe_text(line) for line in text.split("\n")]


def _svg(drawing: Chart) -> bytes:
    return standalone_svg(drawing.figure, scales=drawing.scales).encode()


def _png(drawing: Chart, run: Run) -> bytes:
    from imgstore_tui.present.charts.matplotlib_sheet import draw_chart

    return draw_chart(drawing, run, "png")
