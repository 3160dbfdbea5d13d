"""Draws charts as PNG and PDF with matplotlib (extra ``plot``): all of a run on one sheet, with its caption."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

from imgstore_tui.core.model import Run
from imgstore_tui.core.units import format_bytes, format_count_short
from imgstore_tui.present.charts.axes import (
    LOG,
    Axis,
    count_axis,
    decade_label,
    drawable,
    make_axis,
    scale_text,
    seconds_label,
)
from imgstore_tui.present.charts.chart_list import Chart
from imgstore_tui.present.charts.end_labels import MOST_IN_LEGEND, spread
from imgstore_tui.present.charts.figure_size import FigureSize
from imgstore_tui.present.charts.figures import SOURCE_INDEX, ChartKind, Series, spanned
from imgstore_tui.present.charts.sheet import sheet_caption, sheet_charts
from imgstore_tui.present.results import RunResults, build_results

_COLOURS = ("#0b7285", "#a61e8c", "#2b8a3e", "#b35c00", "#364fc7", "#c92a2a")
_MARKS = "os^DxP"
_SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,  # a dollar in a name is a dollar
    "pdf.fonttype": 42,
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 8,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#d9dde1",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
}
_MILLIMETRES = 25.4
"""Millimetres of an inch."""
_METADATA = {"pdf": {"CreationDate": None}, "png": {}}


def draw_sheet(run: Run, file_format: str) -> bytes:
    """Return all charts of a run on one sheet; the same run gives the same bytes.

    The figure is matplotlib's ``Figure`` itself: pyplot keeps global state and wants a screen.

    Args:
        run: What to draw.
        file_format: ``png`` or ``pdf``.
    """
    results = build_results(run)
    return _draw(sheet_charts(results), results, file_format, columns=2)


def draw_chart(chart: Chart, run: Run, file_format: str, *, size: FigureSize | None = None) -> bytes:
    """Return one chart of a run.

    Args:
        chart: The chart.
        run: Its run.
        file_format: ``png`` or ``pdf``.
        size: The place in a paper it is drawn for, without title and caption, which the paper has; None for a sheet.
    """
    if size is None:
        return _draw([chart], build_results(run), file_format, columns=1)
    width = size.millimetres / _MILLIMETRES
    return _saved([chart], file_format, columns=1, inches=(width, 0.62 * width + 0.3), caption="", titled=False)


def _draw(charts: Sequence[Chart], results: RunResults, file_format: str, *, columns: int) -> bytes:
    rows = max(1, (len(charts) + columns - 1) // columns)
    caption = "\n".join(textwrap.wrap(sheet_caption(results), 165))
    return _saved(charts, file_format, columns=columns, inches=(10.0, 3.4 * rows + 1.1), caption=caption, titled=True)


def _saved(
    charts: Sequence[Chart],
    file_format: str,
    *,
    columns: int,
    inches: tuple[float, float],
    caption: str,
    titled: bool,
) -> bytes:
    import matplotlib
    import matplotlib.style
    from matplotlib.figure import Figure as Sheet

    rows = max(1, (len(charts) + columns - 1) // columns)
    data = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.style.context("default"), matplotlib.rc_context(_SETTINGS):
        warnings.simplefilter("ignore")  # a letter that the font lacks is drawn as a box; stderr may be the screen
        sheet = Sheet(figsize=inches, layout="constrained")
        panels = list(sheet.subplots(rows, columns, squeeze=False).flat)
        for panel, chart in zip(panels, charts, strict=False):
            _bars(panel, chart) if chart.figure.bars else _lines(panel, chart)
            if not titled:
                panel.set(title="")
        for panel in panels[len(charts) :]:
            panel.axis("off")
        _legend(sheet, panels, columns=6 if titled else max(2, int(inches[0] / 1.2)))
        if caption:
            sheet.supxlabel(caption, fontsize=7, x=0.01, ha="left", color="#646b73")
        sheet.savefig(data, format=file_format, dpi=150 if titled else 300, metadata=_METADATA[file_format])
    return data.getvalue()


def _lines(panel: Any, chart: Chart) -> None:
    figure, scales = chart.figure, chart.scales
    crowded = len({line.name for line in figure.series}) > MOST_IN_LEGEND
    for line in figure.series:
        style = _style(line)
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
                **style,
            )
    points = [point for line in figure.series for segment in line.segments() for point in segment]
    y = make_axis(spanned(points), 9, decade_label if scales.y else seconds_label, log=scales.y)
    x = count_axis([point.n for point in points], 40, log=scales.x)
    title = _folded(f"{chart.heading}{figure.title}" + ("" if scales == LOG else f", {scales.text}"))
    if any(line.dotted for line in figure.series):
        title += f"\nsolid: {figure.strokes[0]}, dotted: {figure.strokes[1]}"
    panel.set(xscale=scale_text(scales.x), yscale=scale_text(scales.y), title=title)
    panel.set(xlabel="images", ylabel=figure.upward)
    panel.set_ylim(_value(y.low, log=scales.y), _value(y.high, log=scales.y))
    panel.set_yticks([_value(position, log=scales.y) for position, _ in y.ticks], [label for _, label in y.ticks])
    panel.set_xticks([_value(position, log=scales.x) for position, _ in x.ticks], [label for _, label in x.ticks])
    panel.minorticks_off()
    if crowded:
        ends = [line for line in figure.series if line.segments() and not line.dotted]
        _end_labels(panel, ends, y)


def _end_labels(panel: Any, lines: Sequence[Series], y: Axis) -> None:
    """Write the names of lines at their ends, apart from each other, with a thin line to each."""
    ends = [line.segments()[-1][-1] for line in lines]
    heights = [(y.at(end.value) - y.low) / (y.high - y.low) for end in ends]
    for line, end, place in zip(lines, ends, spread(heights, 0.058, 0.0, 1.0), strict=True):
        colour = _colour(line.method_index)
        panel.annotate(
            line.name, (end.n, end.value), (1.03, place), textcoords="axes fraction", va="center", fontsize=6,
            color=colour, annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 0,
                        "relpos": (0, 0.5)},
        )  # fmt: skip


def _folded(title: str) -> str:
    """Return a title folded to the width of a panel."""
    return "\n".join(textwrap.wrap(title, 58))


def _value(position: float, *, log: bool) -> float:
    """Return the value at a position of an axis."""
    return float(10**position) if log else position


def _marker(index: int) -> str:
    if index == SOURCE_INDEX:
        return "*"
    return _MARKS[index % len(_MARKS)]


def _style(line: Series) -> dict[str, Any]:
    return {
        "color": _colour(line.method_index),
        "marker": _marker(line.method_index),
        "linestyle": ":" if line.dotted else "-",
        "markersize": 4,
        "linewidth": 1.2,
        "elinewidth": 0.8,
    }


def _colour(index: int) -> str:
    if index == SOURCE_INDEX:
        return "#212529"
    return _COLOURS[index % len(_COLOURS)]


def _fill(index: int) -> str:
    """Return how the dot of a method is filled: otherwise where another one has its colour and shape, too."""
    fills = ("full", "none", "left", "bottom")
    return fills[min(max(0, index) // len(_COLOURS), len(fills) - 1)]


def _bars(panel: Any, chart: Chart) -> None:
    figure = chart.figure
    bars = [bar for bar in figure.bars if drawable(bar.value)]
    groups = sorted({bar.group for bar in bars})
    names = list(dict.fromkeys(bar.name for bar in sorted(bars, key=lambda bar: bar.method_index)))
    width = 0.8 / len(names)
    for number, name in enumerate(names):
        own = [bar for bar in bars if bar.name == name]
        index = own[0].method_index
        # Dots and not bars: on a logarithmic axis the length of a bar has no meaning.
        panel.plot(
            [groups.index(bar.group) + (number - (len(names) - 1) / 2) * width for bar in own],
            [bar.value for bar in own],
            label=name,
            color=_colour(index),
            marker=_marker(index),
            fillstyle=_fill(index),
            linestyle="",
        )
    panel.set(yscale="log", xlabel="images", title=_folded(f"{chart.heading}{figure.title}, log scale"))
    panel.set_xlim(-0.6, len(groups) - 0.4)
    values = [bar.value for bar in bars]
    low, high = min(values) / 3, max(values) * 1.3
    panel.set_ylim(low, high)
    if figure.kind is ChartKind.DISK:
        sizes = [16.0**power for power in range(2, 14) if low <= 16.0**power <= high]
        panel.set_yticks(sizes, [_size(size) for size in sizes])
    else:
        times = [step * 10.0**power for power in range(-9, 5) for step in (1, 2, 5)]
        shown = [time for time in times if low <= time <= high]
        panel.set_yticks(shown, [decade_label(time, time) for time in shown])
    panel.set(ylabel=figure.upward)
    panel.set_xticks(range(len(groups)), [format_count_short(group) for group in groups])
    panel.grid(visible=False, axis="x")
    panel.minorticks_off()


def _size(size: float) -> str:
    """Return a power of 16 without needless digits: ``64 KiB``, ``1 MiB``."""
    return format_bytes(size).replace(".00", "").replace(".0", "")


def _legend(sheet: Any, panels: list[Any], *, columns: int) -> None:
    """Draw one legend for all panels: a method looks the same in each. Lines with names at their ends need none."""
    handles: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        sheet.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=min(columns, len(handles)))
