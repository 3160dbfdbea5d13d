"""Places names at the ends of lines where there are more of them than colours, and shortens long ones."""

from __future__ import annotations

from collections.abc import Sequence

MOST_IN_LEGEND = 6
"""Methods that differ by colour and mark; of more, each line has its name at its end."""


def spread(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Move positions apart, in their order, as little as need be.

    Args:
        positions: Where the lines end.
        gap: Least distance between two names.
        low: Lowest position of a name.
        high: Highest; where all do not fit between both, the gap becomes smaller.

    Returns:
        A position for each, in the order of ``positions``.
    """
    if not positions:
        return []
    gap = min(gap, (high - low) / max(1, len(positions) - 1))
    order = sorted(range(len(positions)), key=lambda number: positions[number])
    groups: list[tuple[float, int]] = []  # middle and number of names that lie side by side
    for number in order:
        middle, count = min(max(positions[number], low), high), 1
        while groups and middle - groups[-1][0] < gap * (count + groups[-1][1]) / 2:
            other, more = groups.pop()
            middle, count = (other * more + middle * count) / (more + count), more + count
            half = gap * (count - 1) / 2
            middle = min(max(middle, low + half), high - half)
        groups.append((middle, count))
    places = [middle + gap * (place - (count - 1) / 2) for middle, count in groups for place in range(count)]
    name_positions = [0.0] * len(positions)
    for number, place in zip(order, places, strict=True):
        name_positions[number] = place
    return name_positions


def shortened(name: str, most: int) -> str:
    """Return a name of at most so many characters: its middle is left out, as methods often differ at the end."""
    if len(name) <= most:
        return name
    head = max(1, most // 2)
    tail = max(0, most - head - 1)
    return f"{name[:head]}…{name[len(name) - tail :]}"
