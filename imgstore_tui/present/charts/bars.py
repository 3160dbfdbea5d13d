"""Draws bar charts as text: one line per bar, numbers aligned in columns before it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from imgstore_tui.core.units import format_count_short
from imgstore_tui.present.charts.axes import drawable
from imgstore_tui.present.charts.figures import Bar, bar_scales
from imgstore_tui.present.charts.legend import ChartColours, mark_of

_EIGHTHS = " ▏▎▍▌▋▊▉"


def bar_lines(
    bars: Sequence[Bar], width: int, height: int, *, own_scales: bool, colours: ChartColours, ascii_only: bool
) -> list[Text]:
    """Return one line per bar; where the height is short, the groups of the most images stay.

    Args:
        bars: By ascending group.
        width: Columns.
        height: Most lines.
        own_scales: Whether the longest bar of each number of images fills the room; else that of all shown.
        colours: Styles of the bars.
        ascii_only: Whether bars are made of ``#``.
    """
    groups: dict[int, list[Bar]] = {}
    for bar in bars:
        if drawable(bar.value):
            groups.setdefault(bar.group, []).append(bar)
    fitting, spaced = _fitting(groups, height)
    shown = [bar for group in fitting for bar in groups[group]]
    if not shown:
        return [Text("too small" if groups else "nothing measured yet", style="dim")]
    names = min(max(cell_len(bar.name) for bar in shown) + 2, max(3, width // 3))
    counts = max(len(format_count_short(group)) for group in fitting) + 2
    values, details = _numbers(shown)
    room = max(1, width - names - counts - values - details - 4)
    longest = bar_scales(shown, own=own_scales)
    # A single group is spread over blank lines where there is room.
    airy = len(fitting) == 1 and 2 * len(shown) <= height
    lines: list[Text] = []
    for group in fitting:
        for index, bar in enumerate(groups[group]):
            count = f"N={format_count_short(group)}" if index == 0 else ""
            style = colours.style(bar.method_index)
            length = bar.value / longest[bar.group] * room
            value, _, detail = bar.text.partition(", ")
            lines.append(
                Text.assemble(
                    (count.ljust(counts) + " ", colours.axis),
                    (set_cell_size(f"{mark_of(bar.method_index)} {bar.name}", names) + " ", style),
                    f"{value:>{values}}",
                    (f"  {detail:<{details - 2}}" if details else "", colours.axis),
                    (f" {_bar(length, ascii_only=ascii_only)}", style),
                )
            )
            if airy and bar is not shown[-1]:
                lines.append(Text())
        if spaced and not airy:
            lines.append(Text())
    if len(fitting) < len(groups) and len(lines) < height:
        lines.append(Text(f"{len(groups) - len(fitting)} smaller N have no place here", style="dim"))
    return lines[:height]


def _numbers(bars: Sequence[Bar]) -> tuple[int, int]:
    """Return the columns of the values, and those of the details beside them, a gap of two included."""
    parts = [bar.text.partition(", ") for bar in bars]
    details = max(cell_len(detail) for _, _, detail in parts)
    return max(cell_len(value) for value, _, _ in parts), details + 2 if details else 0


def _fitting(groups: dict[int, list[Bar]], height: int) -> tuple[list[int], bool]:
    """Return the groups that fit, the largest kept first, and whether a blank line fits between them."""
    for spaced in (True, False):
        if sum(len(group) + spaced for group in groups.values()) - spaced <= height:
            return sorted(groups), spaced
    fitting: list[int] = []
    used = 0
    for group in sorted(groups, reverse=True):
        if fitting and used + len(groups[group]) > height:
            break
        fitting.append(group)
        used += len(groups[group])
    return sorted(fitting), False


def _bar(length: float, *, ascii_only: bool) -> str:
    if ascii_only:
        return "#" * max(1, round(length))
    eighths = max(1, round(length * 8))
    return "█" * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")
