"""Draws standings as SVG elements for an HTML page: pale bars with what surrounds each median, marked provisional."""

from __future__ import annotations

from html import escape

from imgstore_tui.analysis.standings import Standings
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_seconds
from imgstore_tui.present.charts.end_labels import shortened
from imgstore_tui.present.charts.figures import SOURCE_INDEX
from imgstore_tui.present.charts.svg import WIDTH, series_class
from imgstore_tui.present.results import RunResults
from imgstore_tui.present.text.standings import entry_note, standings_of, standings_title

_ROW, _BAR = 22.0, 12.0
"""Height of a row and of its bar."""
_CHARACTER = 7.2
_MOST_NAMES = 220.0


def standings_svg(results: RunResults) -> list[str]:
    """Return an ``svg`` element for each operation that has no verdict yet; its colours are classes of the page."""
    indices = {spec.label: index for index, spec in enumerate(results.run.plan.specs)}
    indices[IN_PLACE.label] = SOURCE_INDEX
    return [_element(standings, standings_title(standings, results), indices) for standings in standings_of(results)]


def _element(standings: Standings, title: str, indices: dict[str, int]) -> str:
    entries = standings.entries
    notes = [f"{format_seconds(entry.median)} {entry_note(entry, standings)}" for entry in entries]
    left = min(_MOST_NAMES, _CHARACTER * max(len(entry.spec) for entry in entries)) + 10
    room = WIDTH - left - 10 - _CHARACTER * max(map(len, notes))
    most = max(entry.median if entry.interval is None else entry.interval.high for entry in entries)
    parts = []
    for number, (entry, note) in enumerate(zip(entries, notes, strict=True)):
        middle = _ROW * (number + 0.5)
        end = left + entry.median / most * room
        low, high = (entry.median,) * 2 if entry.interval is None else (entry.interval.low, entry.interval.high)
        reach = max(end, left + high / most * room)
        name = shortened(entry.spec, int(_MOST_NAMES / _CHARACTER))
        parts.append(
            f'<text x="{left - 8:.1f}" y="{middle + 4:.1f}" text-anchor="end">{escape(safe_text(name))}</text>'
            f'<g class="{series_class(indices.get(entry.spec, len(indices)))}">'
            f'<rect x="{left:.1f}" y="{middle - _BAR / 2:.1f}" width="{max(1.0, end - left):.1f}" height="{_BAR:g}" '
            'fill="currentColor" fill-opacity="0.25" stroke="currentColor" stroke-dasharray="3 2"/>'
            f'<path d="M{left + low / most * room:.1f} {middle:.1f}H{left + high / most * room:.1f}" '
            'stroke="currentColor" stroke-width="2"/></g>'
            f'<text class="quiet" x="{reach + 8:.1f}" y="{middle + 4:.1f}">{escape(note)}</text>'
        )
    name = escape(safe_text(title))
    return (
        f"<figure><figcaption>{name}</figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {_ROW * len(entries):g}" role="img" aria-label="{name}"><title>{name}</title>'
        f"{''.join(parts)}</svg></figure>"
    )
