"""The verdict on a ratio of two times, what several come to, and the exit code that says it."""

from __future__ import annotations

from collections.abc import Iterable

from imgstore_tui.stats.intervals import Interval

FLOOR = 0.9
"""No tuned cell may have less than this share of the speed of what it is compared with."""

EXIT_CODES = {"ok": 0, "-": 0, "unsure": 3, "below": 1, "failed": 1}
"""By verdict, from the best to the worst; ``-`` where there is nothing to compare with."""


def verdict_of(ratio: Interval | None, target: float = FLOOR) -> str:
    """Return whether times are ``ok``: as many times as fast as the target.

    ``below`` needs an interval that lies below the target as a whole; ``unsure`` is what lies there with its median
    only, or, of fewer rounds than an interval needs, with a part.
    """
    if ratio is None:
        return "-"
    if ratio.is_range:
        return "ok" if ratio.low >= target else "unsure"
    return "ok" if ratio.median >= target else "below" if ratio.high < target else "unsure"


def worst(verdicts: Iterable[str]) -> str:
    """Return the worst verdict; ``-`` if there is none."""
    order = ["-", "ok", "unsure", "below", "failed"]
    return max(verdicts, key=order.index, default="-")


def exit_code(verdicts: Iterable[str]) -> int:
    """Return 0 if every verdict is good, 1 if a cell is below its target or failed, 3 if one is undecided."""
    return EXIT_CODES[worst(verdicts)]
