"""Draws lines and marks between two axes; the only module that imports plotext, and only to draw (226 ms).

Plotext 6.1 allocates memory for the distance from the chart to a point: one that is not finite aborts the interpreter
(``std::bad_alloc``), one at 100,000 times the axis takes gigabytes. Points beyond the ends of an axis are never passed
to it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from imgstore_tui.present.charts.axes import Axis
from imgstore_tui.present.charts.figures import Point, Series
from imgstore_tui.present.charts.legend import mark_of

_TO_ASCII = str.maketrans({
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "─": "-", "│": "|", "┤": "+", "├": "+", "┬": "+", "┴": "+", "┼": "+",
    "µ": "u",
})  # fmt: skip
_ASIDE = (0, 1, -1, 2, -2, 3, -3)
"""Columns by which a mark may be moved from a cell that holds another mark, in the order tried."""

CanvasPosition = tuple[int, int]
"""Row and column of a character cell."""


def warm_up() -> None:
    """Import plotext, so that the first chart does not wait for it."""
    import plotext  # noqa: F401


def plot_lines(
    drawn: Sequence[Series],
    x: Axis,
    y: Axis,
    width: int,
    height: int,
    styles: Mapping[str, str],
    axis: str,
    *,
    ascii_only: bool,
) -> list[Text]:
    """Return the frame with ticks, lines and marks.

    Each series is plotted alone, and its cells are laid over those of the others: plotext joins the dots of all lines
    that share a cell and draws them in the colour of the last, which looks like a line where there is none.

    Args:
        drawn: The series; the first lies on top. Points that are not between the ends of both axes are left out.
        x: Axis of the numbers of images.
        y: Axis of the values.
        width: Columns.
        height: Lines.
        styles: Rich style of each series by its name.
        axis: Rich style of the frame.
        ascii_only: Whether only ASCII is used.

    Raises:
        ValueError: If an end or a tick of an axis is not finite.
    """
    frame = _cells(_figure(x, y, width, height, ascii_only=ascii_only), width)
    layers = []
    for line in drawn:
        figure = _figure(x, y, width, height, ascii_only=ascii_only)
        _add(figure, line, x, y, width, ascii_only=ascii_only)
        layers.append((line, _differing(frame, _cells(figure, width))))
    cells: dict[CanvasPosition, tuple[str, str]] = {}
    for line, signs in reversed(layers):
        mark = mark_of(line.method_index)
        cells.update({position: (sign, styles[line.name]) for position, sign in signs.items() if sign != mark})
    cells.update(_marks(layers, styles, frame))
    return [_row(number, row, cells, axis, ascii_only=ascii_only) for number, row in enumerate(frame)]


def _figure(x: Axis, y: Axis, width: int, height: int, *, ascii_only: bool) -> Any:
    """Return an empty plotext figure with our axes and ticks."""
    import plotext

    for along in (x, y):
        if not all(map(math.isfinite, (along.low, along.high, *(position for position, _ in along.ticks)))):
            raise ValueError(f"A chart cannot have an axis from {along.low} to {along.high} with ticks {along.ticks}.")
    # New objects, as the global ones are shared by all threads and cut to the size of the real terminal.
    terminal: Any = type(plotext.terminal)()
    terminal.limit(False, False)
    figure: Any = type(plotext.figure)(terminal)
    figure.plot_size(width, height)
    figure.theme("colorless")
    figure.canvas("default")
    figure.legend(False)
    figure.axes(False, side=1)
    for ruler, along in ((figure.ruler("x"), x), (figure.ruler("y"), y)):
        ruler.lim(along.low, along.high)
        ruler.ticks([position for position, _ in along.ticks], [label for _, label in along.ticks])
    if not ascii_only:
        figure.ruler("y").grid(True, style="dotted")
    return figure


def _add(figure: Any, line: Series, x: Axis, y: Axis, width: int, *, ascii_only: bool) -> None:
    """Draw a series into a figure: its lines, then its marks over them."""
    import plotext

    segments = [segment for points in line.segments() for segment in _between(points, x, y)]
    columns = max(2, width - 8)
    apart = line.dotted or ascii_only
    stroke = plotext.marker("." if ascii_only else "braille")
    for segment in segments:
        points = (
            _dots(segment, x, columns // (3 if ascii_only else 2) if line.dotted else columns) if apart else segment
        )
        _draw(figure, points, stroke, lines=not apart)
    if segments and not line.is_guide:
        _draw(figure, list(itertools.chain(*segments)), plotext.marker(mark_of(line.method_index)), lines=False)


def _between(points: Sequence[Point], x: Axis, y: Axis) -> list[list[tuple[float, float]]]:
    """Return the positions of points between the ends of both axes, in segments that a line may connect."""
    positions = [(x.at(point.n), y.at(point.value)) for point in points]
    segments = itertools.groupby(
        positions, key=lambda position: _contains(x, position[0]) and _contains(y, position[1])
    )
    return [list(segment) for inside, segment in segments if inside]


def _contains(axis: Axis, position: float) -> bool:
    """Return whether a position lies between the ends of an axis, or up to 1 % beyond, which is rounding; NaN never."""
    slack = 0.01 * (axis.high - axis.low)
    return axis.low - slack <= position <= axis.high + slack


def _draw(figure: Any, points: Sequence[tuple[float, float]], marker: Any, *, lines: bool) -> None:
    signal = figure.signal([across for across, _ in points], [up for _, up in points], marker=marker)
    figure.draw(signal.lines(lines))


def _dots(points: Sequence[tuple[float, float]], x: Axis, columns: int) -> list[tuple[float, float]]:
    """Return points along the line, evenly spaced over the columns."""
    step = (x.high - x.low) / max(1, columns)
    dots: list[tuple[float, float]] = list(points[:1])
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        pieces = max(1, min(500, round((x1 - x0) / step)))
        dots += [(x0 + (x1 - x0) * i / pieces, y0 + (y1 - y0) * i / pieces) for i in range(1, pieces + 1)]
    return dots


def _cells(figure: Any, width: int) -> list[str]:
    """Return the figure as plotext draws it, one text per row, without colours."""
    plain: str = figure.build().string(colorless=True)
    return [row.ljust(width) for row in plain.rstrip("\n").split("\n")]


def _differing(frame: Sequence[str], drawn: Sequence[str]) -> dict[CanvasPosition, str]:
    """Return the cells in which the drawing differs from the empty frame."""
    return {
        (number, column): sign
        for number, (before, row) in enumerate(zip(frame, drawn, strict=True))
        for column, (old, sign) in enumerate(zip(before, row, strict=True))
        if old != sign
    }


def _marks(
    layers: Sequence[tuple[Series, Mapping[CanvasPosition, str]]], styles: Mapping[str, str], frame: Sequence[str]
) -> dict[CanvasPosition, tuple[str, str]]:
    """Return every mark with its style; marks of one cell are set side by side."""
    placed: dict[CanvasPosition, tuple[str, str]] = {}
    for line, signs in layers:
        mark = mark_of(line.method_index)
        for (row, column), sign in signs.items():
            if sign != mark or placed.get((row, column)) == (mark, styles[line.name]):
                continue
            first = re.search("[│┤├┼]", frame[row])
            room = range(first.end() if first else 0, len(frame[row]))
            free = [(row, column + aside) for aside in _ASIDE if column + aside in room]
            position = next((position for position in free if position not in placed), None)
            if position is not None:
                placed[position] = (mark, styles[line.name])
    return placed


def _row(
    number: int, frame: str, cells: Mapping[CanvasPosition, tuple[str, str]], axis: str, *, ascii_only: bool
) -> Text:
    """Return a row of the frame with the cells that lie over it."""
    plain = frame.translate(_TO_ASCII) if ascii_only else frame
    row = [cells.get((number, column), (sign, axis)) for column, sign in enumerate(plain)]
    line = Text()
    for style, same in itertools.groupby(row, key=lambda cell: cell[1]):
        line.append("".join(sign for sign, _ in same), style=style)
    return line
