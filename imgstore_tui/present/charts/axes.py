"""Computes axes of charts: limits, ticks, labels. Positions are log10 of the value on log axes, else the value."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from imgstore_tui.core.units import format_count_short, seconds_unit

SMALLEST, LARGEST = 1e-30, 1e30
"""Values that can be drawn; anything beyond is not a measurement."""

TickFormat = Callable[[float, float], str]
"""Returns the text of a tick from its value and the largest tick of the axis, so that all may share a unit."""

_STEPS = (1.0, 2.0, 5.0)
_WHOLE = 0.9999
"""Share of a unit from which a tick is written in it: ticks are round numbers up to rounding errors."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Whether each axis is logarithmic. Bars have a ``y`` only: their length."""

    x: bool = True
    y: bool = True

    @property
    def text(self) -> str:
        """The scales of both axes, for a title."""
        if self.x is self.y:
            return "log scale" if self.x else "linear axes"
        return "log x, linear y" if self.x else "linear x, log y"


LOG, LINEAR = Scales(), Scales(False, False)


def scale_text(log: bool) -> str:
    """Return the name of a scale: ``log`` or ``linear``."""
    return "log" if log else "linear"


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis, ready to be drawn."""

    low: float
    high: float
    """Positions of its ends."""
    ticks: tuple[tuple[float, str], ...]
    """Position and text of each tick, ascending."""
    log: bool

    def on_cells(self, count: int, values: Sequence[float]) -> Axis:
        """Return the axis with its ends moved so that evenly spaced ticks lie in the middle of character cells.

        Args:
            count: Cells along the axis; its ends lie in the middle of the first and of the last.
            values: Values that must stay between the ends.
        """
        positions = [position for position, _ in self.ticks]
        steps = [later - earlier for earlier, later in itertools.pairwise(positions)]
        if not steps or max(steps) - min(steps) > 1e-6 * max(steps):
            return self
        step, first = steps[0], positions[0]
        # A linear axis begins with its first tick, 0.
        needed = [self.at(value) for value in values] if self.log else [first, *values]
        span = max(step, max(needed) - min(needed))
        for cells in range(min(count - 1, math.floor((count - 1) * step / span + 1e-9)), 1, -1):
            low = first - math.ceil((first - min(needed)) * cells / step - 1e-9) * step / cells
            high = low + (count - 1) * step / cells
            ticks = tuple(tick for tick in self.ticks if low - 1e-9 <= tick[0] <= high + 1e-9)
            if high >= max(needed) - 1e-9 and len(ticks) > 1:
                return replace(self, low=low, high=high, ticks=ticks)
        return self

    def at(self, value: float) -> float:
        """Return the position of a value."""
        return math.log10(value) if self.log else value


def drawable(value: float) -> bool:
    """Return whether a value can be drawn: finite, and from ``SMALLEST`` to ``LARGEST``."""
    return math.isfinite(value) and SMALLEST <= value <= LARGEST


def make_axis(values: Sequence[float], room: int, label: TickFormat, *, log: bool) -> Axis:
    """Return the axis on which all values fit.

    Args:
        values: At least one drawable value.
        room: Most ticks that fit; at least one is made.
        label: Text of a tick.
        log: Whether the axis is logarithmic.
    """
    return _log_axis(values, max(1, room), label) if log else _linear_axis(values, max(1, room), label)


def count_axis(counts: Sequence[float], room: int, *, log: bool, width: int = 6) -> Axis:
    """Return the axis of the numbers of images, with ticks at the measured numbers where they fit.

    Args:
        counts: Numbers of images measured.
        room: Columns of the axis.
        log: Whether the axis is logarithmic.
        width: Columns that the text of a tick needs.
    """
    low, high = min(counts), max(counts)
    if not log:
        return _linear_axis(counts, max(1, room // (width + 3)), count_label)
    start, end = math.log10(low), math.log10(high)
    if end - start < 0.01:
        return Axis(start - 0.5, end + 0.5, ((start, count_label(low, high)),), True)
    margin = 0.03 * (end - start)
    axis = Axis(start - margin, end + margin, (), True)
    measured = sorted(set(counts))
    decades = [10.0**power for power in range(math.ceil(start - 1e-9), math.floor(end + 1e-9) + 1)]
    for candidates in (measured, decades, [low, high], [low]):
        ticks = tuple((math.log10(value), count_label(value, high)) for value in candidates)
        if ticks and _labels_fit(ticks, axis, room):
            return Axis(axis.low, axis.high, ticks, True)
    return axis


def _labels_fit(ticks: Sequence[tuple[float, str]], axis: Axis, room: int) -> bool:
    scale = room / (axis.high - axis.low)
    middles = [(position - axis.low) * scale for position, _ in ticks]
    return all(
        middles[index + 1] - middles[index] >= (len(ticks[index][1]) + len(ticks[index + 1][1])) / 2 + 1
        for index in range(len(ticks) - 1)
    )


def _log_axis(values: Sequence[float], room: int, label: TickFormat) -> Axis:
    """Return ends at 1, 2 or 5 times a power of ten, at least a decade apart; ticks at the decades, thinned."""
    low, high = _snap(math.log10(min(values)), down=True), _snap(math.log10(max(values)), down=False)
    if high - low < 1:
        low, high = math.floor(low + 1e-9), math.ceil(high - 1e-9)
        high += low == high
    powers = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    positions = [float(power) for power in powers]
    if len(positions) <= 2 and room >= 4:
        spread = range(math.floor(low), math.ceil(high) + 1)
        steps = [power + math.log10(step) for power in spread for step in _STEPS]
        finer = [position for position in steps if low - 1e-9 <= position <= high + 1e-9]
        positions = finer if len(finer) <= room else positions
    every = max(1, math.ceil(len(positions) / room))
    ticks = tuple((position, label(10.0**position, 10.0 ** positions[-1])) for position in positions[::every])
    margin = 0.02 * (high - low)
    return Axis(low - margin, high + margin, ticks, True)


def _snap(position: float, *, down: bool) -> float:
    power = math.floor(position + 1e-9)
    steps = [power + math.log10(step) for step in (*_STEPS, 10.0)]
    if down:
        return max(step for step in steps if step <= position + 1e-9)
    return min(step for step in steps if step >= position - 1e-9)


def _linear_axis(values: Sequence[float], room: int, label: TickFormat) -> Axis:
    """Return an axis from 0, with ticks at multiples of 1, 2 or 5 times a power of ten."""
    top = max(values)
    power = 10.0 ** math.floor(math.log10(top / room))
    step = next(step * power for step in (*_STEPS, 10.0, 20.0) if top / (step * power) <= room)
    last = math.floor(top / step + 1e-9)
    ticks = tuple((index * step, label(index * step, max(last, 1) * step)) for index in range(last + 1))
    return Axis(-0.02 * top, 1.04 * top, ticks, False)


def seconds_label(value: float, largest: float) -> str:
    """Return ``10ms``, ``1s``: in the unit of ``largest`` where the two are near, else in its own."""
    if value == 0:
        return "0"
    reference = largest if value * 1000 > largest else value
    scale, unit = seconds_unit(reference, _WHOLE)
    if value / scale < 0.0999:
        scale, unit = seconds_unit(value, _WHOLE)
    return f"{value / scale:.6g}{unit}"


def decade_label(value: float, _largest: float) -> str:
    """Return a duration in its own unit: ``100µs``, ``1ms``."""
    return seconds_label(value, value)


def rate_label(value: float, _largest: float) -> str:
    """Return a rate: ``500``, ``1k``, ``1.5M``."""
    return count_label(value, _largest)


def count_label(value: float, _largest: float) -> str:
    """Return a number of images: ``10``, ``1k``, ``1M``."""
    return format_count_short(round(value)) if value >= 1 else f"{value:.3g}"
