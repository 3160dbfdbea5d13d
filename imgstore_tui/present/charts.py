"""Charts for a terminal. The only module that imports plotext, and only when something is drawn (226 ms)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.present.axes import LOG, Axis, Scales, count_axis, decade_label, make_axis, scale_words, seconds_label
from imgstore_tui.present.bars import bar_lines
from imgstore_tui.present.figures import ChartKind, Figure, Series, chart_kinds, make_figure
from imgstore_tui.present.legend import Palette, legend_line, mark_of
from imgstore_tui.present.plain import ascii_text

__all__ = ["ChartKind", "Palette", "build_chart", "chart_for", "chart_kinds", "draw_figure"]

MIN_WIDTH, MIN_HEIGHT = 16, 7
"""Below this many columns and rows there is a word instead of a chart."""
NAMED_HEIGHT = 12
"""Rows from which on the axes are named."""

_FIRST_COLOUR = 16
"""Series are drawn in colours 16, 17, ... of the palette of 256, which stand for ours until plotext is done."""
_TO_ASCII = str.maketrans({
    "┌": "+", "┐": "+", "└": "+", "┘": "+", "─": "-", "│": "|", "┤": "+", "├": "+", "┬": "+", "┴": "+", "┼": "+",
    "µ": "u",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Look:
    palette: Palette
    ascii_only: bool
    highlight: str | None
    strokes: tuple[str, str]


def chart_for(
    source: Run | Sequence[CellSummary],
    kind: ChartKind | str,
    width: int,
    height: int,
    *,
    scales: Scales = LOG,
    per_image: bool = False,
    dataset: str | None = None,
    sync: SyncLevel | None = None,
    cache: CacheState | None = None,
    against: bool = False,
    palette: Palette | None = None,
    ascii_only: bool = False,
    highlight: str | None = None,
) -> Text:
    """Return a chart of a run: exactly ``height`` lines of ``width`` columns.

    Args:
        source: A run, or summaries of its cells.
        kind: Which chart.
        width: Columns.
        height: Lines.
        scales: Which axes are logarithmic.
        per_image: Whether values are divided by the number of images.
        dataset: Which dataset; None for the first measured.
        sync: Which sync level of writes; None for the first measured.
        cache: Which cache state of reads; None for the first measured.
        against: Whether hot reads stand against cold ones.
        palette: Styles; None for colours that any terminal has.
        ascii_only: Whether only ASCII is used.
        highlight: Name of a series to be shown in bold.
    """
    figure = make_figure(source, kind, per_image=per_image, dataset=dataset, sync=sync, cache=cache, against=against)
    return draw_figure(
        figure, width, height, scales=scales, palette=palette, ascii_only=ascii_only, highlight=highlight
    )


def warm_up() -> None:
    """Load what draws, so that the first chart does not wait for it."""
    import plotext  # noqa: F401


def draw_figure(
    figure: Figure,
    width: int,
    height: int,
    *,
    scales: Scales = LOG,
    palette: Palette | None = None,
    ascii_only: bool = False,
    highlight: str | None = None,
) -> Text:
    """Return a figure as text, exactly ``height`` lines of ``width`` columns; see ``chart_for``."""
    if not figure.kind.has_bars:
        return build_chart(
            figure.series, width, height, scales=scales, palette=palette, ascii_only=ascii_only, title=figure.title,
            highlight=highlight, upward=figure.upward, strokes=figure.strokes,
        )  # fmt: skip
    if width < MIN_WIDTH or height < MIN_HEIGHT or figure.empty:
        return _word(figure.title, width, height, small=not figure.empty)
    palette = palette or Palette()
    title = figure.title + (", log scale" if scales.y else "")
    head = Text(title, style=palette.title)
    lines = [head, *bar_lines(figure.bars, width, height - 1, log=scales.y, palette=palette, ascii_only=ascii_only)]
    return _block(lines, width, height)


def build_chart(
    series: Sequence[Series],
    width: int,
    height: int,
    *,
    scales: Scales = LOG,
    palette: Palette | None = None,
    ascii_only: bool = False,
    title: str = "",
    highlight: str | None = None,
    upward: str = "",
    strokes: tuple[str, str] = ("write", "read"),
) -> Text:
    """Draw lines of seconds over numbers of images: exactly ``height`` lines of ``width`` columns, never raises.

    Points that are not finite or not above zero are left out before plotext sees them: a NaN in a line aborts the
    process. Log axes are drawn by us as log10 on linear ones: plotext's own put ticks at 46.4.

    Args:
        series: What to draw; the first six have colours of their own.
        width: Columns.
        height: Lines.
        scales: Which axes are logarithmic.
        palette: Styles; None for colours that any terminal has.
        ascii_only: Whether only ASCII is used.
        title: Said above.
        highlight: Name of a series to be shown in bold.
        upward: What the values are; where there is height for it, both axes are named below.
        strokes: What solid and dotted lines are.
    """
    look = _Look(palette or Palette(), ascii_only, highlight, strokes)
    known = [(point.n, point.value) for line in series for run in line.segments() for point in run]
    if width < MIN_WIDTH or height < MIN_HEIGHT or not known:
        return _word(title, width, height, small=bool(known))
    head = _head(title, series, width, height, look)
    foot = [_foot(upward, scales, width, look)] if upward and height >= NAMED_HEIGHT else []
    rows = height - len(head) - len(foot)
    label = decade_label if scales.y else seconds_label
    y = make_axis([value for _, value in known], (rows - 3) // 2, label, log=scales.y)
    x = count_axis([n for n, _ in known], max(1, width - 2 - max(len(words) for _, words in y.ticks)), log=scales.x)
    plain = _plot([line for line in series if line.segments()], x, y, width, rows, look)
    return _block([*head, *_styled(plain, series, look), *foot], width, height)


def _foot(upward: str, scales: Scales, width: int, look: _Look) -> Text:
    """Return the names of both axes in one line: the upward one left, the other right; of too long ones the latter."""
    left, right = f"↑ {upward}, {scale_words(scales.y)}", f"images, {scale_words(scales.x)} →"
    gap = width - cell_len(left) - cell_len(right)
    words = f"{left}{' ' * gap}{right}" if gap >= 2 else right.rjust(width)
    return Text(ascii_text(words) if look.ascii_only else words, style=look.palette.axis)


def _head(title: str, series: Sequence[Series], width: int, height: int, look: _Look) -> list[Text]:
    """Return title and legend: side by side where they fit, else one under the other where there is height."""
    palette, ascii_only, highlight = look.palette, look.ascii_only, look.highlight
    words = Text(title, style=palette.title)
    legend = legend_line(series, width, palette, ascii_only=ascii_only, highlight=highlight, strokes=look.strokes)
    gap = width - cell_len(title) - legend.cell_len
    if title and gap >= 2:
        return [Text.assemble(words, " " * gap, legend)]
    return [words, legend] if title and height >= 14 else [legend]


def _plot(drawn: Sequence[Series], x: Axis, y: Axis, width: int, height: int, look: _Look) -> str:
    """Return the frame with ticks, lines and marks, as plotext draws them: text with ANSI colours."""
    import plotext

    # A terminal and a figure of our own: the global ones are shared by all threads and cut to the real terminal.
    terminal: Any = type(plotext.terminal)()
    terminal.limit(False, False)
    figure: Any = type(plotext.figure)(terminal)
    figure.plot_size(width, height)
    figure.theme("colorless")
    figure.canvas("default")
    figure.legend(False)
    figure.axes(False, side=1)
    for ruler, axis in ((figure.ruler("x"), x), (figure.ruler("y"), y)):
        ruler.lim(axis.low, axis.high)
        ruler.ticks([position for position, _ in axis.ticks], [words for _, words in axis.ticks])
    if not look.ascii_only:
        figure.ruler("y").grid(True, style="dotted")
    placed = [
        (line, [[(x.at(point.n), y.at(point.value)) for point in run] for run in line.segments()]) for line in drawn
    ]
    columns = max(2, width - 8)
    for line, runs in placed:
        pixel = plotext.pixel(foreground=_FIRST_COLOUR + line.rank % 200)
        apart = line.dotted or look.ascii_only
        symbol = "." if look.ascii_only else "·" if line.dotted else "braille"
        for run in runs:
            points = _dots(run, x, columns // (3 if line.dotted else 1)) if apart else run
            _draw(figure, points, plotext.marker(symbol, pixel), lines=not apart)
    # Marks last, so that no line hides what was measured; the first series on top, as in the legend.
    for line, runs in reversed(placed):
        marker = plotext.marker(mark_of(line.rank), plotext.pixel(foreground=_FIRST_COLOUR + line.rank % 200))
        _draw(figure, list(itertools.chain(*runs)), marker, lines=False)
    text: str = figure.build().string()
    return text


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


def _styled(ansi: str, series: Sequence[Series], look: _Look) -> list[Text]:
    """Return plotext's lines with our styles in place of the colours that stood for them."""
    styles = {
        _FIRST_COLOUR + line.rank % 200: look.palette.style(line.rank, bold=line.name == look.highlight)
        for line in series
    }
    lines = []
    for raw in ansi.rstrip("\n").split("\n"):
        found = Text.from_ansi(raw)
        plain = found.plain.translate(_TO_ASCII) if look.ascii_only else found.plain
        line = Text()
        end = 0
        for span in found.spans:
            colour = getattr(span.style, "color", None)
            if colour is None or colour.number is None:
                continue
            line.append(plain[end : span.start], style=look.palette.axis)
            line.append(plain[span.start : span.end], style=styles.get(colour.number, ""))
            end = span.end
        line.append(plain[end:], style=look.palette.axis)
        lines.append(line)
    return lines


def _word(title: str, width: int, height: int, *, small: bool) -> Text:
    """Return one line in the middle of nothing: why there is no chart."""
    word = "too small" if small else f"{title}: nothing measured yet" if title else "nothing measured yet"
    lines = [Text() for _ in range(max(0, height - 1) // 2)]
    padding = max(0, width - cell_len(word)) // 2
    return _block([*lines, Text(" " * padding + word, style="dim")], width, height)


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
