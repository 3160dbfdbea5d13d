"""Lays out the two costs that weigh most against each other, one mark a method, and draws them for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from imgstore_tui.present.text.ascii import ascii_text
from imgstore_tui.present.text.shared_options import short_names

_LARGEST_LINEAR = 6.0
"""Ratio up to which an axis is linear: a logarithmic one spans whole decades."""
_ROOM = 1.15
"""Factor by which the axes go beyond the largest ratio, so that no mark lies on the frame."""
_LEAST_END = 1.5
"""Least end of an axis: ratios close to 1 lie close together."""
_STEPS = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Distances of the ticks of a linear axis."""


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
        upward = self.upward.describe
        return f"{upward[:1].upper()}{upward[1:]} against {self.across.describe}, times the least of all"

    @property
    def caption(self) -> str:
        """How to read it."""
        named = ", ".join(point.spec for point in self.points if point.is_efficient)
        return safe_text(f"Left and below is better. The Pareto set by everything with a weight: {named}.")


def pareto_chart(advice: DatasetAdvice, run: Run) -> ParetoChart | None:
    """Return the chart of an advice on a run; None where fewer than two methods or criteria count."""
    ranking = advice.choice.ranking
    criteria = list(ranking.shares)[:2]
    if len(criteria) < 2 or len(ranking.methods) < 2:
        return None
    upward, across = criteria
    indexes = method_indexes(run, sorted(method.spec for method in ranking.methods))
    points = tuple(
        ParetoPoint(
            short_names(method.spec, run.plan),
            method.ratios[across],
            method.ratios[upward],
            indexes[method.spec],
            method.is_efficient,
        )
        for method in ranking.methods
    )
    return ParetoChart(across, upward, points)


def _label(value: float, _: float) -> str:
    return f"{format_number(value)}x"


def pareto_axes(chart: ParetoChart, across: int, upward: int) -> tuple[Axis, Axis]:
    """Return both axes, each from 1, the least of all, to beyond the largest ratio.

    Args:
        chart: The chart.
        across: Most ticks of the horizontal axis.
        upward: Most ticks of the vertical one.
    """
    return (
        _ratio_axis([point.across for point in chart.points], across),
        _ratio_axis([point.upward for point in chart.points], upward),
    )


def _ratio_axis(ratios: Sequence[float], room: int) -> Axis:
    end = 1 + (max(ratios) - 1) * _ROOM
    if end > _LARGEST_LINEAR:
        return make_axis([1 / _ROOM, end], room, _label, log=True)
    end = max(end, _LEAST_END)
    step = next((step for step in _STEPS if (end - 1) / step <= max(1, room)), _STEPS[-1])
    ticks = [round(1 + number * step, 9) for number in range(int((end - 1) / step + 1e-9) + 1)]
    margin = 0.06 * (end - 1)
    return Axis(1 - margin, end, tuple((tick, _label(tick, end)) for tick in ticks), False)


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
    x, y = pareto_axes(chart, width // 10, height // 3)
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
