"""Draws the two costs that weigh most against each other, one mark a method: for a terminal, and as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from rich.text import Text

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.weights import Criterion
from imgstore_tui.core.model import Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_number
from imgstore_tui.present.charts.axes import Axis, make_axis
from imgstore_tui.present.charts.figures import Point, Series, method_indexes
from imgstore_tui.present.charts.legend import ChartColours, mark_of
from imgstore_tui.present.charts.plotext_lines import plot_lines
from imgstore_tui.present.charts.svg import series_class
from imgstore_tui.present.text.ascii import ascii_text

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 150, 28, 44
_LARGEST_LINEAR = 6.0
"""Ratio up to which an axis is linear: a logarithmic one spans whole decades."""
_ROOM = 1.15
"""Factor by which the axes go beyond the largest ratio, so that no mark lies on the frame."""


@dataclass(frozen=True, slots=True)
class ParetoPoint:
    """One method: its two costs over the least of all methods."""

    spec: str
    across: float
    upward: float
    method_index: int
    is_efficient: bool
    """Whether it is of the Pareto set by all criteria with a weight, not by these two alone."""


@dataclass(frozen=True, slots=True)
class ParetoChart:
    """The methods of an advice by the two criteria that weigh most."""

    across: Criterion
    upward: Criterion
    points: tuple[ParetoPoint, ...]

    @property
    def title(self) -> str:
        """What the chart shows."""
        return f"{self.upward.describe} against {self.across.describe}, times the least of all"

    @property
    def caption(self) -> str:
        """How to read it."""
        named = ", ".join(point.spec for point in self.points if point.is_efficient)
        return safe_text(f"Left and below is better. The Pareto set by everything with a weight: {named}.")


def pareto_chart(given: DatasetAdvice, run: Run) -> ParetoChart | None:
    """Return the chart of an advice on a run; None where fewer than two methods or criteria count."""
    ranking = given.advice.ranking
    criteria = list(ranking.shares)[:2]
    if len(criteria) < 2 or len(ranking.methods) < 2:
        return None
    upward, across = criteria
    indexes = method_indexes(run, sorted(method.spec for method in ranking.methods))
    points = tuple(
        ParetoPoint(
            method.spec, method.ratios[across], method.ratios[upward], indexes[method.spec], method.is_efficient
        )
        for method in ranking.methods
    )
    return ParetoChart(across, upward, points)


def _label(value: float, _: float) -> str:
    return f"{format_number(value)}x"


def _axes(chart: ParetoChart, across: int, upward: int) -> tuple[Axis, Axis]:
    """Return both axes, each from 1, the least of all, to beyond the largest ratio."""
    ends = [max(getattr(point, name) for point in chart.points) * _ROOM for name in ("across", "upward")]
    x, y = (
        make_axis([1 / _ROOM, max(end, 2.0)], room, _label, log=end > _LARGEST_LINEAR)
        for end, room in zip(ends, (across, upward), strict=True)
    )
    return x, y


def pareto_text(
    chart: ParetoChart, width: int, height: int, *, colours: ChartColours | None = None, ascii_only: bool = False
) -> Text:
    """Return the chart as text: a title, the marks between two axes, a legend with the Pareto set in bold.

    Args:
        chart: The chart.
        width: Columns.
        height: Lines between title and legend.
        colours: Styles; None for colours that any terminal has.
        ascii_only: Whether only ASCII is used.
    """
    colours = colours or ChartColours()
    x, y = _axes(chart, width // 10, height // 3)
    series = [
        Series(point.spec, (Point(point.across, point.upward, point.upward, point.upward),), point.method_index)
        for point in chart.points
    ]
    styles = {point.spec: colours.style(point.method_index, bold=point.is_efficient) for point in chart.points}
    lines = plot_lines(series, x, y, width, height, styles, colours.axis, ascii_only=ascii_only)
    text = Text.assemble((f"{chart.title}\n", colours.title))
    for line in lines:
        text.append_text(line).append("\n")
    for number, point in enumerate(chart.points):
        star = "*" if point.is_efficient else ""
        text.append("   " if number else " ").append(
            f"{mark_of(point.method_index)} {safe_text(point.spec)}{star}", style=styles[point.spec]
        )
    text.append("\n").append("Left and below is better. * the Pareto set, by everything with a weight.\n", style="dim")
    if ascii_only:
        text.plain = ascii_text(text.plain)
    return text


def pareto_svg(chart: ParetoChart) -> str:
    """Return the chart as an ``svg`` element; methods of the Pareto set are filled."""
    x, y = _axes(chart, 6, 6)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM

    def across(value: float) -> float:
        return _LEFT + (x.at(value) - x.low) / (x.high - x.low) * (right - _LEFT)

    def down(value: float) -> float:
        return bottom - (y.at(value) - y.low) / (y.high - y.low) * (bottom - _TOP)

    name = escape(safe_text(chart.title))
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{name}"><title>{name}</title>']
    for position, label in x.ticks:
        left = _LEFT + (position - x.low) / (x.high - x.low) * (right - _LEFT)
        parts.append(f'<path class="grid" d="M{left:.1f} {_TOP}V{bottom}"/>')
        parts.append(f'<text x="{left:.1f}" y="{bottom + 16}" text-anchor="middle">{escape(label)}</text>')
    for position, label in y.ticks:
        high = bottom - (position - y.low) / (y.high - y.low) * (bottom - _TOP)
        parts.append(f'<path class="grid" d="M{_LEFT} {high:.1f}H{right}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{high + 4:.1f}" text-anchor="end">{escape(label)}</text>')
    parts.append(f'<text class="quiet" x="{_LEFT}" y="{_TOP - 12}">{escape(chart.upward.describe)}</text>')
    parts.append(
        f'<text class="quiet" x="{right}" y="{_HEIGHT - 8}" text-anchor="end">{escape(chart.across.describe)}</text>'
    )
    for point in sorted(chart.points, key=lambda point: point.upward):
        left, high = across(point.across), down(point.upward)
        fill = "currentColor" if point.is_efficient else "none"
        parts.append(
            f'<g class="{series_class(point.method_index)}"><circle cx="{left:.1f}" cy="{high:.1f}" r="5" '
            f'fill="{fill}" stroke="currentColor" stroke-width="1.6"/></g>'
            f'<text x="{left + 10:.1f}" y="{high + 4:.1f}">{escape(safe_text(point.spec))}</text>'
        )
    return "".join((*parts, "</svg>"))
