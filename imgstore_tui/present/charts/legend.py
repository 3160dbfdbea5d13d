"""Marks, colours and the legend of charts: readable without colour, six hues where there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from imgstore_tui.present.charts.figures import SOURCE_RANK, Series

MARKS = "ox+%#@abcdefghijklmnpqrstuvwyz"
"""One a series; six that differ at a glance, then letters. ``*`` and ``=`` are not for methods: they say who wins."""


SOURCE_MARK = "S"
"""The user's own files, read in place: the same in all charts, whatever else is on them."""


@dataclass(frozen=True, slots=True)
class ChartColours:
    """Styles of a chart, as Rich writes them."""

    series: tuple[str, ...] = ("cyan", "magenta", "green", "yellow", "bright_blue", "red")
    source: str = "bold"
    """Style of the source row."""
    more: str = "dim"
    """Style of the series that go beyond ``series``."""
    axis: str = "dim"
    title: str = "bold"

    def style(self, rank: int, *, bold: bool = False) -> str:
        """Return the style of a series."""
        style = self.source
        if rank != SOURCE_RANK:
            style = self.series[rank] if rank < len(self.series) else self.more
        return f"{style} bold" if bold else style


def mark_of(rank: int) -> str:
    """Return the character that stands for a series."""
    return SOURCE_MARK if rank == SOURCE_RANK else MARKS[rank % len(MARKS)]


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
    """Return the legend in at most so many lines of at most ``width`` columns; what has no place is counted.

    Args:
        series: What is on the chart.
        width: Columns.
        colours: Styles.
        rows: Most lines, at least one.
        ascii_only: Whether only ASCII is used.
        highlight: Name of a series to be shown in bold.
        strokes: What solid and dotted lines are, where there are both.
    """
    entries: dict[str, Text] = {}
    for line in series:
        style = colours.style(line.rank, bold=line.name == highlight)
        entries.setdefault(line.name, Text(f"{mark_of(line.rank)} {line.name}", style=style))
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
