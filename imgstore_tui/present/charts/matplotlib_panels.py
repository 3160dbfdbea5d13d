"""Draws one chart into a panel of matplotlib: lines over the number of images, or dots where screens have bars."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from imgstore_tui.core.units import format_bytes, format_count_short
from imgstore_tui.present.charts.axes import (
    LOG,
    Axis,
    count_axis,
    decade_label,
    drawable,
    make_axis,
    rate_label,
    scale_text,
    seconds_label,
)
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.charts.end_labels import MOST_IN_LEGEND, shortened, spread
from imgstore_tui.present.charts.figures import Bar, ChartKind, Figure, Point, Series, spanned
from imgstore_tui.present.charts.matplotlib_style import QUIET, mark_style

_POINTS = 72.0
"""Points of an inch."""
_NAME = 8.6
"""Height of a name at the end of a line, and of a row of dots, points."""
_LETTER, _BESIDE = 4.2, 30.0
"""Generous width of a letter in a row, and of what else stands beside the axes, points."""
_TICK = 36.0
"""Room for the text of a tick below an axis, points."""
_MOST_NAME = 0.35
"""Share of the width of a panel that the names of its rows may take."""
_FRAME = 0.85
"""Inches of a panel above and below its axes."""
_SHORTEST, _USUAL = 1.3, 3.4
"""Height of a panel, inches: of few rows, and of lines."""
_ROW = 0.19
"""Height of a row of dots where there is room, inches."""
_LARGEST_LINEAR = 8.0
"""Ratio of the largest value to the smallest up to which the axis of rows begins at 0."""

_PROOF_WIDTH = 42
"""Characters of a line below a panel, which is in the middle of its axis, not of the panel."""


def panel_inches(chart: Chart) -> float:
    """Return the height that a chart needs on a sheet."""
    if _in_rows(chart):
        return max(_SHORTEST, _FRAME + _ROW * len(_shown(chart.figure)))
    return max(_USUAL, least_inches(chart))


def paper_inches(chart: Chart, width: float) -> float:
    """Return the height of a chart on a page of paper, by the width that it has there."""
    usual = 0.62 * width
    rows = min(usual, panel_inches(chart)) if _in_rows(chart) else usual
    return max(rows, least_inches(chart))


def least_inches(chart: Chart) -> float:
    """Return the height below which the names in a chart would cover each other."""
    bars = _shown(chart.figure)
    names = {bar.name for bar in bars} | {line.name for line in chart.figure.series}
    return _FRAME + _NAME / _POINTS * len(names) if _in_rows(chart) or len(names) > MOST_IN_LEGEND else 0.0


def _in_rows(chart: Chart) -> bool:
    """Whether the chart has a row for each method: bars of one number of images."""
    return len({bar.group for bar in _shown(chart.figure)}) == 1


def draw_panel(panel: Any, chart: Chart, width: float, height: float) -> None:
    """Draw a chart.

    Args:
        panel: The ``Axes`` to draw into.
        chart: The chart; one that is not empty.
        width: Width of the panel with all that is around it, inches.
        height: Its height, inches.
    """
    figure, bars = chart.figure, _shown(chart.figure)
    if not figure.bars:
        _lines(panel, chart, height)
    elif _in_rows(chart):
        _rows(panel, chart, bars, width)
    elif len({bar.name for bar in bars}) > MOST_IN_LEGEND:
        # Bars would stand too close: each method is a line over the number of images, with its name at its end.
        _lines(panel, replace(chart, figure=replace(figure, series=_as_series(bars))), height)
    else:
        _dots(panel, chart, bars)
    panel.minorticks_off()


def _shown(figure: Figure) -> list[Bar]:
    return [bar for bar in figure.bars if drawable(bar.value)]


def _as_series(bars: Sequence[Bar]) -> tuple[Series, ...]:
    points: dict[tuple[str, int], list[Point]] = {}
    for bar in sorted(bars, key=lambda bar: (bar.method_index, bar.group)):
        low, high = (bar.low, bar.high) if drawable(bar.low) else (bar.value, bar.value)
        points.setdefault((bar.name, bar.method_index), []).append(Point(bar.group, bar.value, low, high))
    return tuple(Series(name, tuple(line), index) for (name, index), line in points.items())


def _lines(panel: Any, chart: Chart, height: float) -> None:
    figure, scales = chart.figure, chart.scales
    crowded = len({line.name for line in figure.series}) > MOST_IN_LEGEND
    for line in figure.series:
        for number, segment in enumerate(line.segments()):
            values = [point.value for point in segment]
            panel.errorbar(
                [point.n for point in segment],
                values,
                yerr=[
                    [max(0.0, point.value - point.low) for point in segment],
                    [max(0.0, point.high - point.value) for point in segment],
                ],
                label=None if number or line.dotted or crowded else line.name,
                linestyle=":" if line.dotted else "-",
                markersize=4,
                linewidth=1.2,
                elinewidth=0.8,
                **mark_style(line.method_index) | ({"marker": ""} if line.is_guide else {}),
            )
    points = [point for line in figure.series for segment in line.segments() for point in segment]
    if figure.kind is ChartKind.DISK:
        y = _byte_axis(spanned(points), 6, log=scales.y)
    else:
        label = rate_label if figure.is_rate else decade_label if scales.y else seconds_label
        y = make_axis(spanned(points), 9, label, log=scales.y)
    x = count_axis([point.n for point in points], 40, log=scales.x)
    title = _folded(f"{chart.heading}{figure.title}" + ("" if scales == LOG else f", {scales.text}"))
    if any(line.dotted for line in figure.series):
        title += f"\nsolid: {figure.strokes[0]}, dotted: {figure.strokes[1]}"
    panel.set(xscale=scale_text(scales.x), yscale=scale_text(scales.y), title=title)
    below = f"{figure.across}\n{_folded(figure.proof, _PROOF_WIDTH)}" if figure.proof else figure.across
    panel.set(xlabel=below, ylabel=figure.upward)
    panel.set_ylim(_value(y.low, log=scales.y), _value(y.high, log=scales.y))
    panel.set_yticks([_value(position, log=scales.y) for position, _ in y.ticks], [label for _, label in y.ticks])
    panel.set_xticks([_value(position, log=scales.x) for position, _ in x.ticks], [label for _, label in x.ticks])
    if crowded:
        ends = [line for line in figure.series if line.segments() and not line.dotted]
        _end_labels(panel, ends, y, _NAME / _POINTS / (height - _FRAME))


def _end_labels(panel: Any, lines: Sequence[Series], y: Axis, gap: float) -> None:
    """Write the names of lines at their ends, apart from each other, with a thin line to each."""
    ends = [line.segments()[-1][-1] for line in lines]
    heights = [(y.at(end.value) - y.low) / (y.high - y.low) for end in ends]
    for line, end, place in zip(lines, ends, spread(heights, gap, 0.0, 1.0), strict=True):
        colour = mark_style(line.method_index)["color"]
        panel.annotate(
            line.name, (end.n, end.value), (1.03, place), textcoords="axes fraction", va="center", fontsize=6,
            color=colour, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 0,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def _rows(panel: Any, chart: Chart, bars: Sequence[Bar], width: float) -> None:
    """Draw a row for each method: its dot with its interval, and its value where no dot comes."""
    figure = chart.figure
    ordered = sorted(bars, key=lambda bar: bar.method_index)
    values = [end for bar in ordered for end in (bar.low, bar.value, bar.high) if drawable(end)]
    log = max(values) > _LARGEST_LINEAR * min(values)
    most = int(_MOST_NAME * width * _POINTS / _LETTER)
    names = [shortened(bar.name, most) for bar in ordered]
    across = width * _POINTS - _BESIDE - _LETTER * max(map(len, names))
    share = min(0.7, (_LETTER * max(len(bar.text) for bar in ordered) + _NAME) / across)
    room = max(2, min(5, int(across * (1 - share) / _TICK)))
    axis = (
        _byte_axis(values, room, log=log)
        if figure.kind is ChartKind.DISK
        else make_axis(values, room, decade_label if log else seconds_label, log=log)
    )
    for row, bar in enumerate(ordered):
        reach = [[bar.value - bar.low], [bar.high - bar.value]] if drawable(bar.low) and drawable(bar.high) else None
        panel.errorbar([bar.value], [row], xerr=reach, linestyle="", elinewidth=0.8, **mark_style(bar.method_index))
        panel.annotate(
            bar.text, (1.0, row), xycoords=("axes fraction", "data"), ha="right", va="center", fontsize=6.5, color=QUIET
        )  # fmt: skip
    count = format_count_short(ordered[0].group)
    title = f"{chart.heading}{figure.title}" + ("" if ordered[0].group == 1 else f", {count} images")
    panel.set(xscale=scale_text(log), title=_folded(title + (", log scale" if log else "")), xlabel=figure.upward)
    panel.set_xlim(_value(axis.low, log=log), _value(axis.low + (axis.high - axis.low) / (1 - share), log=log))
    panel.set_xticks([_value(position, log=log) for position, _ in axis.ticks], [label for _, label in axis.ticks])
    panel.set_yticks(range(len(ordered)), names, fontsize=7)
    panel.set_ylim(len(ordered) - 0.4, -0.6)
    panel.grid(visible=False, axis="y")


def _dots(panel: Any, chart: Chart, bars: Sequence[Bar]) -> None:
    """Draw the dots of each number of images side by side. On a logarithmic axis the length of a bar has no meaning."""
    figure = chart.figure
    groups = sorted({bar.group for bar in bars})
    names = list(dict.fromkeys(bar.name for bar in sorted(bars, key=lambda bar: bar.method_index)))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        own = [bar for bar in bars if bar.name == name]
        panel.plot(
            [groups.index(bar.group) + (number - (len(names) - 1) / 2) * width for bar in own],
            [bar.value for bar in own],
            label=name,
            linestyle="",
            **mark_style(own[0].method_index),
        )
    axis = _byte_axis([bar.value for bar in bars], 6, log=True)
    panel.set(yscale="log", xlabel="images", title=_folded(f"{chart.heading}{figure.title}, log scale"))
    panel.set_xlim(-0.6, len(groups) - 0.4)
    panel.set_ylim(_value(axis.low, log=True), _value(axis.high, log=True))
    panel.set_yticks([_value(position, log=True) for position, _ in axis.ticks], [label for _, label in axis.ticks])
    panel.set(ylabel=figure.upward)
    panel.set_xticks(range(len(groups)), [format_count_short(group) for group in groups])
    panel.grid(visible=False, axis="x")


def _byte_axis(values: Sequence[float], room: int, *, log: bool) -> Axis:
    """Return an axis of sizes, with ticks at powers of 2 where it is logarithmic; no mark lies on its ends."""
    axis = make_axis(values, room, lambda value, _: _size(value), log=log)
    if not log:
        return axis
    span = max(axis.at(max(values)) - axis.at(min(values)), 0.6)
    low, high = axis.at(min(values)) - 0.07 * span, axis.at(max(values)) + 0.07 * span
    sizes: list[int] = []
    for power in (4, 2, 1):
        sizes = [1 << exponent for exponent in range(0, 80, power) if low <= axis.at(1 << exponent) <= high]
        if len(sizes) >= min(3, room):
            break
    sizes = sizes[:: max(1, -(-len(sizes) // room))]
    return Axis(low, high, tuple((axis.at(size), _size(size)) for size in sizes), True)


def _size(size: float) -> str:
    """Return a size without needless digits: ``64 KiB``, ``1 MiB``."""
    text = format_bytes(size) if size else "0"
    number, _, unit = text.partition(" ")
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} {unit}".strip()


def _folded(text: str, width: int = 58) -> str:
    """Return a text folded to the width of a panel, in characters."""
    return "\n".join(textwrap.wrap(text, width))


def _value(position: float, *, log: bool) -> float:
    """Return the value at a position of an axis."""
    return float(10**position) if log else position
