"""Draws the two costs that weigh most against each other as an SVG element for an HTML page."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from html import escape

from imgstore_tui.core.text import safe_text
from imgstore_tui.present.charts.end_labels import shortened, spread
from imgstore_tui.present.charts.pareto import ParetoChart, pareto_axes
from imgstore_tui.present.charts.svg import series_class

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 150, 28, 44
_RADIUS, _CHARACTER, _LINE = 5.0, 7.2, 13.0
"""Radius of a mark, generous width of a character, height of a name."""
_PASSES = 3
_Box = tuple[float, float, float, float]


def pareto_svg(chart: ParetoChart) -> str:
    """Return the chart as an ``svg`` element; methods of the Pareto set are filled."""
    x, y = pareto_axes(chart, 6, 6)
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
    points = sorted(chart.points, key=lambda point: point.upward)
    places = [(across(point.across), down(point.upward)) for point in points]
    for point, (left, high) in zip(points, places, strict=True):
        fill = "currentColor" if point.is_efficient else "none"
        parts.append(
            f'<g class="{series_class(point.method_index)}"><circle cx="{left:.1f}" cy="{high:.1f}" r="{_RADIUS:g}" '
            f'fill="{fill}" stroke="currentColor" stroke-width="1.6"/></g>'
        )
    parts += _names([safe_text(point.spec) for point in points], [point.method_index for point in points], places)
    return "".join((*parts, "</svg>"))


def _names(names: Sequence[str], indexes: Sequence[int], places: Sequence[tuple[float, float]]) -> list[str]:
    """Return the names of marks: beside them where none crosses anything, else in a column with a line to each."""
    marks = [(x - _RADIUS - 1, y - _RADIUS - 1, x + _RADIUS + 1, y + _RADIUS + 1) for x, y in places]
    parts, taken = [], [*marks]
    for name, (x, y) in zip(names, places, strict=True):
        width = _CHARACTER * len(name)
        free = [
            (left, base)
            for left, base in (
                (x + 10, y + 4), (x - 10 - width, y + 4), (x - width / 2, y - 10), (x - width / 2, y + 19)
            )
            if left >= _LEFT and left + width <= _WIDTH and base - 10 >= _TOP and base + 3 <= _HEIGHT - _BOTTOM
            and not any(_overlap((left, base - 10, left + width, base + 3), box) for box in taken)
        ]  # fmt: skip
        if not free:
            return _name_column(names, indexes, places)
        left, base = free[0]
        taken.append((left, base - 10, left + width, base + 3))
        parts.append(f'<text class="over" x="{left:.1f}" y="{base:.1f}">{escape(name)}</text>')
    return parts


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _name_column(names: Sequence[str], indexes: Sequence[int], places: Sequence[tuple[float, float]]) -> list[str]:
    edge = _WIDTH - _RIGHT
    parts = []
    rows = _uncrossed(places, spread([y for _, y in places], _LINE, _TOP, _HEIGHT - _BOTTOM), edge + 18)
    most = int((_RIGHT - 24) / _CHARACTER)
    for name, index, (x, y), row in zip(names, indexes, places, rows, strict=True):
        parts.append(
            f'<g class="{series_class(index)}"><path d="M{x + _RADIUS:.1f} {y:.1f}L{edge + 18} {row:.1f}" '
            f'stroke="currentColor" stroke-width="0.6"/></g>'
            f'<text x="{edge + 22}" y="{row + 4:.1f}">{escape(shortened(name, most))}</text>'
        )
    return parts


def _uncrossed(places: Sequence[tuple[float, float]], rows: Sequence[float], end: float) -> list[float]:
    """Return the rows in an order in which few lines from marks to names cross another mark or line."""
    heights = sorted(rows)
    order = sorted(range(len(rows)), key=lambda number: rows[number])
    fewest = _crossed(places, rows, end)
    for number, place in _PASSES * list(itertools.product(range(len(rows)), repeat=2)):
        # One name after the other is tried in every row, and stays where the fewest lines cross.
        other = [entry for entry in order if entry != number]
        other.insert(place, number)
        if (count := _crossed(places, _assigned(other, heights), end)) < fewest:
            order, fewest = other, count
    return _assigned(order, heights)


def _assigned(order: Sequence[int], heights: Sequence[float]) -> list[float]:
    """Return the row of each name, by the order of the names in the column."""
    found = dict(zip(order, heights, strict=True))
    return [found[number] for number in range(len(order))]


def _crossed(places: Sequence[tuple[float, float]], rows: Sequence[float], end: float) -> float:
    """Return how many marks and lines the lines to the names cross, with their way up and down in rows."""
    lines = [(x, y, (row - y) / (end - x), row) for (x, y), row in zip(places, rows, strict=True)]
    marks = sum(
        abs(y + slope * (right - x) - below) < _RADIUS + 1
        for x, y, slope, _ in lines
        for right, below in places
        if right > x + 2 * _RADIUS
    )
    pairs = itertools.combinations(lines, 2)
    crossings = sum((_height(one, max(one[0], other[0])) < _height(other, max(one[0], other[0])))
                    != (one[3] < other[3]) for one, other in pairs)  # fmt: skip
    return marks + crossings + sum(abs(row - y) for _, y, _, row in lines) / (3 * _LINE)


def _height(line: tuple[float, float, float, float], x: float) -> float:
    left, y, slope, _ = line
    return y + slope * (x - left)
