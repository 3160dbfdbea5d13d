"""Formats and parses numbers for users: seconds, bytes, counts, cutoffs, time budgets."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from imgstore_tui.core.errors import UsageError

MAX_CUTOFF = 100_000_000

_COUNT = re.compile(r"^(\d[\d_]*(?:\.\d+)?)\s*([kKmM]?)$")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_DURATION_SCALE = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

SECOND_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
"""Length in seconds and name of each unit of short durations; the largest first."""


def format_seconds(seconds: float | None) -> str:
    """Format a duration with three significant digits and its unit: ``1.23 ms``, ``45.6 s``."""
    if seconds is None or not math.isfinite(seconds):
        return "-"
    if not seconds:
        return "0 s"
    scale, unit = seconds_unit(seconds)
    return f"{_three_digits(seconds / scale)} {unit}"


def seconds_unit(seconds: float, share: float = 0.9995) -> tuple[float, str]:
    """Return the unit in which a duration is formatted: its length in seconds, and its name.

    Args:
        seconds: The duration.
        share: The fraction of a unit from which on it is used, below 1 because with three digits 999.5 of a unit
            round to 1 of the next.
    """
    return next((unit for unit in SECOND_UNITS if abs(seconds) >= unit[0] * share), SECOND_UNITS[-1])


def format_bytes(count: float | None) -> str:
    """Format a byte count in binary units (KiB = 1,024 bytes): ``8.00 KiB``, ``30.3 MiB``."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < 1024 or unit == "TiB":
            return f"{value:.0f} B" if unit == "B" else f"{_three_digits(value)} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def format_number(value: float) -> str:
    """Format a number without a unit, such as a ratio, with three digits and no exponent: ``1.24``, ``1,240``."""
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def format_percent(share: float) -> str:
    """Format a share in per cent: ``4 %``, ``0.4 %``."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 or value == round(value) else f"{value:.2g} %"


def format_count(count: float) -> str:
    """Format a count with thousands separators: ``100,000``."""
    return f"{count:,.0f}"


def counted(count: int, word: str) -> str:
    """Format a count of things: ``1 trial``, ``12,000 trials``."""
    return f"{format_count(count)} {word}{'' if count == 1 else 's'}"


def format_count_short(count: float) -> str:
    """Format a count for an axis: ``10``, ``1k``, ``100k``, ``1M``."""
    for scale, suffix in ((1_000_000, "M"), (1_000, "k")):
        if count >= scale and count % (scale / 10) == 0:
            return f"{count / scale:g}{suffix}"
    return f"{count:.12g}"


def format_rate(per_second: float | None) -> str:
    """Format a rate with three significant digits and separators: ``12,300``, ``45.6``."""
    if per_second is None or not math.isfinite(per_second):
        return "-"
    if per_second >= 1000:
        digits = 2 - math.floor(math.log10(per_second))
        return f"{round(per_second, digits):,.0f}"
    return _three_digits(per_second)


def format_duration(seconds: float) -> str:
    """Format a waiting time like a clock: ``0:07``, ``3:25``, ``1:02:03``."""
    whole = max(0, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def about_bytes(count: float) -> str:
    """Format a byte count that is only roughly known: ``8 KiB``, ``30 MiB``, ``1.5 GiB``."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 999.5 or unit == "TiB":
            return f"{_two_digits(value)} {unit}"
        value /= 1024
    raise AssertionError("unreachable")


def about_seconds(seconds: float) -> str:
    """Format a duration that is only roughly known: ``10 s``, ``3 min``, ``1.5 h``, ``2 days``."""
    if seconds < 55:
        return f"{max(5, 5 * round(seconds / 5)):g} s"
    for scale, unit, most in ((60.0, "min", 57.5), (3600.0, "h", 47.5), (86400.0, "days", math.inf)):
        value = seconds / scale
        if value < most:
            steps = 0.5 if value < 5 else 1 if value < 15 else 5
            return f"{max(steps, steps * round(value / steps)):,g} {unit}"
    raise AssertionError("unreachable")


def _two_digits(value: float) -> str:
    digits = 1 - math.floor(math.log10(value)) if value >= 1 else 0
    return f"{round(value, digits):,g}"


def _three_digits(value: float) -> str:
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    if abs(value) >= 9.995:
        return f"{value:.1f}"
    return f"{value:.2f}"


def parse_count(text: str) -> int:
    """Parse a count such as ``10``, ``1_000``, ``10k`` or ``1.5M``.

    Raises:
        UsageError: If the text is not a count, not whole, not positive, or beyond ``MAX_CUTOFF``.
    """
    match = _COUNT.match(text.strip())
    if match is None:
        raise UsageError(f"'{text.strip()}' is not a number of images. Write 10, 1000, 10k or 1M.")
    scale = {"": 1, "k": 1_000, "m": 1_000_000}[match[2].lower()]
    value = Decimal(match[1].replace("_", "")) * scale  # exact: as floats, 1.005 * 1000 is not 1005
    if value > MAX_CUTOFF:
        raise UsageError(f"A cutoff of {text.strip()} images is more than this program takes ({MAX_CUTOFF:,}).")
    if value != int(value):
        raise UsageError(f"'{text.strip()}' is not a whole number of images.")
    if value < 1:
        raise UsageError("A cutoff of 0 images measures nothing. Use 1 or more.")
    return int(value)


def parse_cutoffs(text: str) -> tuple[int, ...]:
    """Parse cutoffs: a list ``10,100,1k``, or decades ``1..100000``; sorted, without repeats.

    Raises:
        UsageError: If a part is not a count, or a range runs backwards.
    """
    cutoffs: set[int] = set()
    parts = [part.strip() for part in text.split(",")]
    if parts == [""]:
        raise UsageError("No cutoffs given. Write for example 10,100,1000 or 1..100000.")
    for part in parts:
        if part.startswith("-"):
            raise UsageError(f"A cutoff must be 1 or more, not {part}.")
        first, dots, last = part.partition("..")
        if re.fullmatch("0+", part):
            thousands = " A comma separates numbers: write 1000 or 1k, not 1,000." if len(part) > 1 else ""
            raise UsageError(f"A cutoff of {part} images measures nothing. Use 1 or more.{thousands}")
        if not dots:
            cutoffs.add(parse_count(part))
            continue
        low, high = parse_count(first), parse_count(last)
        if low > high:
            raise UsageError(f"The range '{part}' runs backwards. Write {last.strip()}..{first.strip()}.")
        step = low
        while step < high:
            cutoffs.add(step)
            step *= 10
        cutoffs.add(high)
    return tuple(sorted(cutoffs))


def spell_duration(seconds: float) -> str:
    """Format a time exactly, as ``parse_duration`` reads it back: ``90s``, ``0.5s``."""
    return f"{format(Decimal(repr(float(seconds))), 'f').removesuffix('.0')}s"


def parse_duration(text: str) -> float:
    """Parse a time such as ``90``, ``90s``, ``2m``, ``1h30m`` into seconds.

    Raises:
        UsageError: If the text is not a time, or is zero.
    """
    stripped = text.strip().lower()
    seconds = 0.0
    if re.fullmatch(r"\d+(?:\.\d+)?", stripped):
        seconds = float(stripped)
    elif stripped and not _DURATION_PART.sub("", stripped):
        seconds = sum(float(number) * _DURATION_SCALE[unit] for number, unit in _DURATION_PART.findall(stripped))
    if not 0 < seconds < math.inf:
        raise UsageError(f"'{text}' is not a time. Write 90s, 2m or 1h30m.")
    return seconds


def amount_text(value: float) -> str:
    """Return an amount with three digits and no exponent."""
    if not 0 < value < 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(value)))}f}"
