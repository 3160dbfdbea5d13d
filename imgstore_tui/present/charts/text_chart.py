"""Draws charts for a terminal: title, legend, axes, lines and bars, as text of an exact size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from imgstore_tui.present.charts.axes import (
    LOG,
    Scales,
    count_axis,
    decade_label,
    make_axis,
    rate_label,
    scale_text,
    seconds_label,
)
from imgstore_tui.present.charts.bars import bar_lines
from imgstore_tui.present.charts.figures import Figure, Series, bar_scale_text
from imgstore_tui.present.charts.legend import ChartColours, legend_lines
from imgstore_tui.present.charts.plotext_lines import plot_lines
from imgstore_tui.present.text.ascii import ascii_text

MIN_WIDTH, MIN_HEIGHT = 16, 7
"""Columns and rows below which a message is shown instead of a chart."""
NAMED_HEIGHT = 12
"""Rows from which the axes are named."""
LEGEND_EVERY = 4
"""Rows of the chart per row that the legend may take."""


@dataclass(frozen=True, slots=True)
class _ChartStyle:
    colours: ChartColours
    ascii_only: bool
    highlight: str | None
    strokes: tuple[str, str]


def draw_figure(
    figure: Figure,
    width: int,
    height: int,
    *,
    scales: Scales = LOG,
    colours: ChartColours | None = None,
    ascii_only: bool = False,
    highlight: str | None = None,
) -> Text:
    """Return a figure as text, exactly ``height`` lines of ``width`` columns.

    Args:
        figure: The figure.
        width: Columns.
        height: Lines.
        scales: Which axes are logarithmic.
        colours: Styles; None for colours that any terminal has.
        ascii_only: Whether only ASCII is used.
        highlight: Name of the series shown in bold.
    """
    if not figure.kind.has_bars:
        return build_chart(
            figure.series, width, height, scales=scales, colours=colours, ascii_only=ascii_only, title=figure.title,
            highlight=highlight, upward=figure.upward, strokes=figure.strokes, across=figure.across,
            is_rate=figure.is_rate, proof=figure.proof,
        )  # fmt: skip
    if width < MIN_WIDTH or height < MIN_HEIGHT or figure.empty:
        return _message(figure.title, width, height, small=not figure.empty)
    colours = colours or ChartColours()
    title = figure.title + bar_scale_text(figure.bars, own=scales.y)
    head = [Text(title, style=colours.title)] if figure.title else []
    rows = height - len(head)
    bars = bar_lines(figure.bars, width, rows, own_scales=scales.y, colours=colours, ascii_only=ascii_only)
    return _block([*head, *bars], width, height)


def build_chart(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    scales: Scales = LOG,
    colours: ChartColours | None = None,
    ascii_only: bool = False,
    title: str = "",
    highlight: str | None = None,
    upward: str = "",
    strokes: tuple[str, str] = ("write", "read"),
    across: str = "images",
    is_rate: bool = False,
    proof: str = "",
) -> Text:
    """Draw lines of seconds over numbers of images, or of rates over numbers of clients; never raises.

    What is drawn has exactly ``height`` lines of ``width`` columns.

    Points that are not finite or not above zero are left out. Log axes are drawn as log10 on linear ones, as plotext's
    own put ticks at 46.4.

    Args:
        series: The series; the first six each have a colour.
        width: Columns.
        height: Lines.
        scales: Which axes are logarithmic.
        colours: Styles; None for colours that any terminal has.
        ascii_only: Whether only ASCII is used.
        title: Title above the chart.
        highlight: Name of the series shown in bold.
        upward: Name of the vertical axis; where the height suffices, both axes are named below.
        strokes: Meaning of solid and dotted lines.
        across: Name of the horizontal axis.
        is_rate: Whether values are images per second.
        proof: How the cache state is known; below all, where the height suffices.
    """
    style = _ChartStyle(colours or ChartColours(), ascii_only, highlight, strokes)
    points = [(point.n, point.value) for line in series for segment in line.segments() for point in segment]
    if width < MIN_WIDTH or height < MIN_HEIGHT or not points:
        return _message(title, width, height, small=bool(points))
    head = _head(title, series, width, height, style)
    foot = [_foot(upward, across, scales, width, style)] if upward and height >= NAMED_HEIGHT else []
    if proof and foot:
        foot.append(Text(proof, style=style.colours.axis))
    rows = height - len(head) - len(foot)
    label = rate_label if is_rate else decade_label if scales.y else seconds_label
    # plotext adds two rows below the plot, for the axis and its numbers.
    values = [value for _, value in points]
    y = make_axis(values, (rows - 3) // 2, label, log=scales.y).on_cells(rows - 2, values)
    room = width - 2 - max(len(text) for _, text in y.ticks)
    x = count_axis([n for n, _ in points], max(1, room), log=scales.x)
    styles = {line.name: style.colours.style(line.method_index, bold=line.name == highlight) for line in series}
    drawn = [line for line in series if line.segments()]
    plotted = plot_lines(drawn, x, y, width, rows, styles, style.colours.axis, ascii_only=ascii_only)
    return _block([*head, *plotted, *foot], width, height)


def _foot(upward: str, across: str, scales: Scales, width: int, style: _ChartStyle) -> Text:
    """Return the names of both axes in one line, the vertical one left; the horizontal one alone if narrow."""
    left, right = f"↑ {upward}, {scale_text(scales.y)}", f"{across}, {scale_text(scales.x)} →"
    gap = width - cell_len(left) - cell_len(right)
    text = f"{left}{' ' * gap}{right}" if gap >= 2 else right.rjust(width)
    return Text(ascii_text(text) if style.ascii_only else text, style=style.colours.axis)


def _head(title: str, series: Sequence[Series], width: int, height: int, style: _ChartStyle) -> list[Text]:
    """Return title and legend: side by side where they fit, else one below the other where the height suffices."""
    colours, ascii_only, highlight = style.colours, style.ascii_only, style.highlight
    heading = Text(title, style=colours.title)
    legend = legend_lines(
        series, width, colours, rows=max(1, height // LEGEND_EVERY), ascii_only=ascii_only, highlight=highlight,
        strokes=style.strokes,
    )  # fmt: skip
    gap = width - cell_len(title) - legend[0].cell_len
    if title and len(legend) == 1 and gap >= 2:
        return [Text.assemble(heading, " " * gap, legend[0])]
    return [heading, *legend] if title and height >= 14 else legend


def _message(title: str, width: int, height: int, *, small: bool) -> Text:
    """Return why there is no chart, centred in an empty block."""
    message = "too small" if small else f"{title}: nothing measured yet" if title else "nothing measured yet"
    lines = [Text() for _ in range(max(0, height - 1) // 2)]
    padding = max(0, width - cell_len(message)) // 2
    return _block([*lines, Text(" " * padding + message, style="dim")], width, height)


def _block(lines: Sequence[Text], width: int, height: int) -> Text:
    """Return the lines cut and filled to exactly ``height`` of ``width`` columns."""
    full = []
    for line in list(lines)[: max(0, height)]:
        if line.cell_len > width:
            line.truncate(width)
        line.pad_right(max(0, width - line.cell_len))
        full.append(line)
    full += [Text(set_cell_size("", width)) for _ in range(height - len(full))]
    block = Text("\n", no_wrap=True, overflow="crop", end="").join(full)
    block.no_wrap, block.overflow, block.end = True, "crop", ""
    return block
