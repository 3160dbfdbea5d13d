"""Assigns marks and colours to the series of charts and lays out the legend; readable without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from imgstore_tui.present.charts.figures import SOURCE_INDEX, Series

MARKS = "ox+%#@abcdefghijklmnpqrstuvwyz"
"""One per series; six that differ at a glance, then letters. ``*`` and ``=`` are left out: they mark who wins."""

SOURCE_MARK = "S"
"""Mark of the source row (the user's files, read in place): the same in all charts."""


@dataclass(frozen=True, slots=True)
class ChartColours:
    """Rich styles of a chart."""

    series: tuple[str, ...] = ("cyan", "magenta", "green", "yellow", "bright_blue", "red")
    source: str = "bold"
    """Style of the source row."""
    more: str = "dim"
    """Style of the series beyond those of ``series``."""
    axis: str = "dim"
    title: str = "bold"

    def style(self, index: int, *, bold: bool = False) -> str:
        """Return the style of a series by its method index."""
        style = self.source
        if index != SOURCE_INDEX:
            style = self.series[index] if index < len(self.series) else self.more
        return f"{style} bold" if bold else style


def mark_of(index: int) -> str:
    """Return the character that marks the points of a series."""
    return SOURCE_MARK if index == SOURCE_INDEX else MARKS[index % len(MARKS)]


def legend_lines(
    series: Sequence[Series],
    width: int,
    colours: ChartColours,
    *,
    rows: int = 1,
    ascii_only: bool,
    highlight: str | None = None,
    strokes: tuple[str, str] = ("write", "read"),
) -> list[Text]:
    """Return the legend in at most ``rows`` lines of at most ``width`` columns; entries that do not fit are counted.

    Args:
        series: The series on the chart.
        width: Columns available.
        colours: Styles of the entries.
        rows: Most lines, at least one.
        ascii_only: Whether only ASCII is used.
        highlight: Name of the series shown in bold.
        strokes: Meaning of solid and dotted lines, where there are both.
    """
    entries: dict[str, Text] = {}
    for line in series:
        style = colours.style(line.method_index, bold=line.name == highlight)
        entries.setdefault(line.name, Text(f"{mark_of(line.method_index)} {line.name}", style=style))
    tail = Text()
    if any(line.dotted for line in series):
        solid, dots = ("-", ".") if ascii_only else ("─", "·")
        tail = Text(f"   {solid} {strokes[0]} {dots} {strokes[1]}", style=colours.axis)
    lines = [Text()]
    for index, shown in enumerate(entries.values()):
        rest = len(entries) - index
        more = Text(f"  +{rest} more")
        if lines[-1] and len(lines) < rows and lines[-1].cell_len + 2 + shown.cell_len > width:
            lines.append(Text())
        text = lines[-1]
        gap = "  " if text else ""
        follows = 0 if rest == 1 or len(lines) < rows else more.cell_len
        if text.cell_len + len(gap) + shown.cell_len + follows > width:
            text.append_text(more)
            break
        text.append(gap)
        text.append_text(shown)
    if lines[-1].cell_len + tail.cell_len <= width:
        lines[-1].append_text(tail)
    for text in lines:
        text.truncate(width)
    return lines
