"""Draws charts as SVG without script: elements for an HTML page, files with one chart, sheets with all of a run.

An element has no style: its colours come from classes of the page, ``s0`` to ``s5``, and ``source`` for the source row.
A file contains a style for these classes.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count, format_count_short, format_rate, format_seconds
from imgstore_tui.present.charts.axes import (
    LOG,
    Axis,
    Scales,
    count_axis,
    decade_label,
    drawable,
    make_axis,
    rate_label,
    scale_text,
    seconds_label,
)
from imgstore_tui.present.charts.colours import ON_LIGHT
from imgstore_tui.present.charts.end_labels import MOST_IN_LEGEND, shortened, spread
from imgstore_tui.present.charts.figure_size import FigureSize
from imgstore_tui.present.charts.figures import SOURCE_INDEX, Bar, Figure, Series, bar_scales, spanned
from imgstore_tui.present.charts.sheet import sheet_caption, sheet_charts
from imgstore_tui.present.results import build_results

WIDTH, HEIGHT = 640, 380
_SHAPE = HEIGHT / WIDTH
"""Height of a chart over its width."""
_PIXELS = 96 / 25.4
"""Pixels of a millimetre, as SVG counts them."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 16, 12, 30
_ROW = 19
_NAMES = 20
"""Height of the line with the names of the axes."""
_MOST_LABEL = 210
"""Widest name at the end of a line."""
_CHARACTER = 7.2
"""Width of a character of the labels, generous."""
_PROOF_CHARACTER = 6.4
"""Width of a character of a line that is folded where it is too long."""


_MARGIN, _GAP, _LINE = 8, 28, 16
"""Margin of a sheet, gap between its charts, height of a line of text."""
_RAGGED = 120
"""Difference of heights up to which charts that follow each other begin at the same height."""
_FOLD = 84
"""Characters of a bold title that fit over a chart."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One drawn chart."""

    name: str
    """Title for screen readers."""
    height: float
    parts: tuple[str, ...]
    width: float = WIDTH

    def element(self, attributes: str = "") -> str:
        """Return the ``svg`` element; ``attributes`` position it within another one."""
        name = escape(safe_text(self.name))
        head = f'<svg {attributes}viewBox="0 0 {self.width:g} {self.height:g}" role="img" aria-label="{name}">'
        return "".join((head, f"<title>{name}</title>", *self.parts, "</svg>"))


def figure_svg(figure: Figure, *, scales: Scales = LOG) -> str:
    """Return a chart as an ``svg`` element, with its title for screen readers; empty if there is nothing to draw."""
    panel = _panel(figure, scales)
    return panel.element() if panel else ""


def standalone_svg(figure: Figure, *, scales: Scales = LOG, size: FigureSize | None = None) -> str:
    """Return a chart as a self-contained SVG file.

    Args:
        figure: The chart.
        scales: Which axes are logarithmic.
        size: The place in a paper it is drawn for, without a title, which its caption there has; None for a page of the
            web, with its title above it.
    """
    if size is None:
        panel = _panel(figure, scales)
        return _file([(figure.title, panel)] if panel else [], 1, "")
    panel = _panel(figure, scales, size.millimetres * _PIXELS)
    return _file([("", panel)] if panel else [], 1, "", size.millimetres)


def sheet_svg(run: Run) -> str:
    """Return all charts of a run as one SVG file, two per row, with a caption below; the same run, the same text."""
    results = build_results(run)
    titled = [(chart.title, _panel(chart.figure, chart.scales)) for chart in sheet_charts(results)]
    return _file([(title, panel) for title, panel in titled if panel], 2, sheet_caption(results))


def _panel(figure: Figure, scales: Scales, width: float = WIDTH) -> _Panel | None:
    """Draw a chart; return None where nothing can be drawn."""
    if figure.bars:
        return _bars(figure, own_scales=scales.y, width=width)
    drawn = [line for line in figure.series if line.segments()]
    return _lines(figure, drawn, scales, width) if drawn else None


_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1c2024}.quiet{fill:#646b73}.grid{stroke:#d9dde1}.axis{stroke:#646b73}"
    + "".join(f".s{index}{{color:{colour}}}" for index, colour in enumerate(ON_LIGHT))
    + ".source{color:#1c2024}"
)
"""The colours of the HTML export, on white."""


def _file(panels: Sequence[tuple[str, _Panel]], columns: int, caption: str, millimetres: float | None = None) -> str:
    """Return a file with panels in rows, the title of each above it, and a caption below all.

    Args:
        panels: Title and chart of each panel.
        columns: Most panels beside each other.
        caption: Text below all.
        millimetres: Width on paper, of a file of one panel without margins; None for none.
    """
    parts: list[str] = []
    margin, wide = (_MARGIN, float(WIDTH)) if millimetres is None else (0, millimetres * _PIXELS)
    columns = min(columns, max(1, len(panels)))
    ends = [0.0] * columns
    waiting = list(panels)
    while waiting:
        # A row, but for columns that reach far below the shortest: there a tall chart still stands.
        free = [column for column, end in enumerate(ends) if end - min(ends) < _RAGGED]
        row, waiting = waiting[: len(free)], waiting[len(free) :]
        down = max(ends[column] for column in free)
        titles = [textwrap.wrap(safe_text(title), _FOLD) for title, _ in row]
        most = max(map(len, titles))
        top = down + (12 + _LINE * most if most else 0)
        for column, (_, panel), lines in zip(free, row, titles, strict=False):
            left = margin + column * (WIDTH + _GAP)
            parts += _text(lines, left, down + 20, 'style="font-weight:bold"')
            parts.append(panel.element(f'x="{left}" y="{top:g}" width="{wide:g}" height="{panel.height:g}" '))
            ends[column] = top + panel.height + (_GAP if caption else 0)
    down = max(ends)
    width = columns * wide + (columns - 1) * _GAP + 2 * margin
    if caption:
        lines = [] if panels else ["Nothing has been measured yet."]
        lines += textwrap.wrap(caption, int((width - 2 * _MARGIN) / _CHARACTER))
        parts += _text(lines, _MARGIN, down + 12, 'class="quiet"')
        down += 12 + _LINE * len(lines)
    paper = "" if millimetres is None else f'width="{millimetres:g}mm" height="{down / _PIXELS:.1f}mm" '
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {paper}viewBox="0 0 {width:g} {down:g}">'
        f'<style>{_STYLE}</style><rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _text(lines: Sequence[str], left: float, down: float, attributes: str) -> list[str]:
    return [
        f'<text x="{left:g}" y="{down + number * _LINE:g}" {attributes}>{escape(line)}</text>'
        for number, line in enumerate(lines)
    ]


def series_class(index: int) -> str:
    """Return the class that gives a series its colour."""
    if index == SOURCE_INDEX:
        return "source"
    return f"s{index % MOST_IN_LEGEND}"


def _lines(figure: Figure, drawn: Sequence[Series], scales: Scales, width: float) -> _Panel:
    crowded = len({line.name for line in drawn}) > MOST_IN_LEGEND
    legend, legend_height = _legend([] if crowded else drawn, figure.strokes, any(line.dotted for line in drawn), width)
    labels = min(_MOST_LABEL, width / 2, 20 + _CHARACTER * max(len(line.name) for line in drawn))
    edge = width - (labels if crowded else _RIGHT)
    height = min(HEIGHT, width * _SHAPE)
    if crowded:
        # Each name needs a line of its own.
        height = max(height, len({line.name for line in drawn}) * (_LINE - 3) + _TOP + _BOTTOM)
    top, bottom = _TOP + legend_height, height + legend_height - _BOTTOM
    every = [point for line in drawn for segment in line.segments() for point in segment]
    label = rate_label if figure.is_rate else decade_label if scales.y else seconds_label
    y = make_axis(spanned(every), 9, label, log=scales.y)
    x = count_axis([point.n for point in every], int((edge - _LEFT) / _CHARACTER), log=scales.x)

    def across(n: float) -> float:
        return _LEFT + (x.at(n) - x.low) / (x.high - x.low) * (edge - _LEFT)

    def down(value: float) -> float:
        return bottom - (y.at(value) - y.low) / (y.high - y.low) * (bottom - top)

    names, names_height = _names(figure, scales, bottom, edge)
    parts = [*legend, *_frame(x, y, top, bottom, edge), *names]
    if crowded:
        ends = [(line, line.segments()[-1][-1]) for line in drawn if not line.dotted]
        most = int((labels - 20) / _CHARACTER + 0.01)
        parts += _end_labels([(line, across(end.n), down(end.value)) for line, end in ends], top, bottom, edge, most)
    for line in drawn:
        parts.append(f'<g class="{series_class(line.method_index)}">')
        dash = ' stroke-dasharray="2 4"' if line.dotted else ""
        for segment in line.segments():
            path = " ".join(f"{across(point.n):.1f},{down(point.value):.1f}" for point in segment)
            parts.append(f'<polyline points="{path}" fill="none" stroke="currentColor" stroke-width="1.6"{dash}/>')
        for point in () if line.is_guide else itertools.chain(*line.segments()):
            left, mid = across(point.n), down(point.value)
            if drawable(point.low) and drawable(point.high):
                parts.append(
                    f'<path d="M{left:.1f} {down(point.low):.1f}V{down(point.high):.1f}" stroke="currentColor"/>'
                )
            written = _rate_text if figure.is_rate else format_seconds
            value = f"{line.name}, {format_count(point.n)} {figure.across}: {written(point.value)}"
            tooltip = f"{value} ({written(point.low)} to {written(point.high)})"
            parts.append(f"<g>{_mark(line.method_index, left, mid)}<title>{escape(tooltip)}</title></g>")
        parts.append("</g>")
    return _Panel(figure.title, height + legend_height + names_height, tuple(parts), width)


def _rate_text(value: float) -> str:
    return f"{format_rate(value)} images/s"


def _end_labels(
    ends: Sequence[tuple[Series, float, float]], top: float, bottom: float, edge: float, most: int
) -> list[str]:
    """Return the names of lines at their ends, apart from each other, with a thin line to each."""
    parts = []
    places = spread([end for _, _, end in ends], _LINE - 3, top, bottom)
    for (line, left, end), place in zip(ends, places, strict=True):
        parts.append(
            f'<g class="{series_class(line.method_index)}"><path d="M{left:.1f} {end:.1f}L{edge + 6:g} {place:.1f}" '
            f'stroke="currentColor" stroke-width="0.6"/>{_mark(line.method_index, edge + 12, place)}</g>'
            f'<text x="{edge + 20:g}" y="{place + 4:.1f}">{escape(shortened(line.name, most))}</text>'
        )
    return parts


def _legend(drawn: Sequence[Series], strokes: tuple[str, str], dotted: bool, width: float) -> tuple[list[str], float]:
    entries: dict[str, tuple[int, bool]] = {}
    for line in drawn:
        entries.setdefault(line.name, (line.method_index, line.dotted))
    parts, left, row = [], float(_LEFT), 0 if entries else -1
    for name, (index, _) in entries.items():
        needed = 22 + _CHARACTER * len(name)
        if left + needed > width and left > _LEFT:
            left, row = float(_LEFT), row + 1
        middle = 10 + row * _ROW
        parts.append(
            f'<g class="{series_class(index)}">{_mark(index, left + 5, middle)}</g>'
            f'<text x="{left + 14:.1f}" y="{middle + 4}">{escape(name)}</text>'
        )
        left += needed
    if dotted:
        text = f"solid: {strokes[0]}, dotted: {strokes[1]}"
        parts.append(f'<text x="{_LEFT}" y="{14 + (row + 1) * _ROW}" class="quiet">{text}</text>')
        row += 1
    return parts, (row + 1) * _ROW


def _frame(x: Axis, y: Axis, top: float, bottom: float, edge: float) -> list[str]:
    parts = []
    for position, label in y.ticks:
        at = bottom - (position - y.low) / (y.high - y.low) * (bottom - top)
        parts.append(f'<path class="grid" d="M{_LEFT} {at:.1f}H{edge:g}"/>')
        parts.append(f'<text class="quiet" x="{_LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{label}</text>')
    for position, label in x.ticks:
        at = _LEFT + (position - x.low) / (x.high - x.low) * (edge - _LEFT)
        parts.append(f'<path class="axis" d="M{at:.1f} {bottom:g}v5"/>')
        parts.append(f'<text class="quiet" x="{at:.1f}" y="{bottom + 19:g}" text-anchor="middle">{label}</text>')
    parts.append(f'<path class="axis" d="M{_LEFT} {top:g}V{bottom:g}H{edge:g}" fill="none"/>')
    return parts


def _names(figure: Figure, scales: Scales, bottom: float, edge: float) -> tuple[list[str], float]:
    """Return the names of both axes in a line below, or in two where it is narrow, the proof, and their height."""
    down = bottom + _BOTTOM + _NAMES - 8
    up = f"↑ {figure.upward}, {scale_text(scales.y)}" if figure.upward else ""
    across = f"{figure.across}, {scale_text(scales.x)} →"
    second = _LINE if _CHARACTER * (len(up) + len(across) + 1) > edge - _LEFT else 0
    parts = [
        f'<text class="quiet" x="{_LEFT}" y="{down + second:g}">{escape(up)}</text>',
        f'<text class="quiet" x="{edge:g}" y="{down:g}" text-anchor="end">{across}</text>',
    ]
    proof = textwrap.wrap(figure.proof, max(20, int((edge - _LEFT) / _PROOF_CHARACTER)))
    parts += _text(proof, _LEFT, down + second + _LINE, 'class="quiet"')
    return parts, _NAMES + second + _LINE * len(proof)


def _mark(index: int, x: float, y: float) -> str:
    """Return the mark of a series: six that differ without colour, and again; one for the source row alone."""
    at = f"M{x:.1f} {y:.1f}"
    shapes = {
        SOURCE_INDEX: f'<path d="{at}m-4 -4h8v8h-8z" fill="none" stroke="currentColor" stroke-width="2"/>',
        1: f'<path d="{at}m-4 -4h8v8h-8z" fill="currentColor"/>',
        2: f'<path d="{at}m0 -5l5 9h-10z" fill="currentColor"/>',
        3: f'<path d="{at}m0 -5.5l5.5 5.5l-5.5 5.5l-5.5 -5.5z" fill="currentColor"/>',
        4: f'<path d="{at}m-4 -4l8 8m0 -8l-8 8" stroke="currentColor" stroke-width="2"/>',
        5: f'<path d="{at}m-5 0h10m-5 -5v10" stroke="currentColor" stroke-width="2"/>',
    }
    return shapes.get(
        index if index == SOURCE_INDEX else index % MOST_IN_LEGEND,
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="currentColor"/>',
    )


def _bars(figure: Figure, *, own_scales: bool, width: float) -> _Panel | None:
    """Draw bars that begin at zero.

    Args:
        figure: The chart.
        own_scales: Whether the longest bar of each number of images fills the room; else that of all.
        width: Width of the panel.
    """
    bars = [bar for bar in figure.bars if drawable(bar.value)]
    if not bars:
        return None
    longest = bar_scales(bars, own=own_scales)
    most = min(max(len(bar.name) for bar in bars), int((min(220.0, width / 3) - 8) / _CHARACTER))
    names = _CHARACTER * most + 8
    left = 62 + names
    room = max(20.0, width - left - 8 - _CHARACTER * max(len(bar.text) for bar in bars))
    parts, y, group = [], 4.0, None
    for bar in bars:
        if bar.group != group:
            y += 8 if group is not None else 0
            parts.append(f'<text class="quiet" x="0" y="{y + 12:g}">N={format_count_short(bar.group)}</text>')
            group = bar.group
        name = shortened(bar.name, most)
        parts.append(_bar(replace(bar, name=name), left, y, max(1.0, bar.value / longest[bar.group] * room)))
        y += 17
    return _Panel(figure.title, y + 6, tuple(parts), width)


def _bar(bar: Bar, left: float, y: float, length: float) -> str:
    return (
        f'<text x="{left - 6:.1f}" y="{y + 12:g}" text-anchor="end">{escape(bar.name)}</text>'
        f'<rect class="{series_class(bar.method_index)}" x="{left:.1f}" y="{y + 1:g}" width="{length:.1f}" height="13" '
        f'fill="currentColor"/><text x="{left + length + 6:.1f}" y="{y + 12:g}">{escape(bar.text)}</text>'
    )
