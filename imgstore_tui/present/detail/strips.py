"""Draws the trials of a cell with characters: a strip per round, a bar per phase."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from imgstore_tui.analysis.cell_breakdown import CellBreakdown, is_valid
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Measurement
from imgstore_tui.core.operations import Status
from imgstore_tui.core.units import format_seconds
from imgstore_tui.present.text.text_page import LABEL_COLUMNS, TextPage
from imgstore_tui.stats.intervals import Interval

_WIDE = 20.0
"""Ratio of slowest to fastest from which the scale is logarithmic."""
_SHADES = "·░▒▓█"
"""Glyphs by the number of samples on a column: one, then ever more."""


@dataclass(frozen=True, slots=True)
class StripScale:
    """The columns of a strip and the seconds at its ends."""

    low: float
    high: float
    width: int
    log: bool

    def column(self, value: float) -> int:
        """Return the column on which a value lies, 0 to ``width - 1``."""
        if self.high <= self.low:
            return self.width // 2
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return max(0, min(self.width - 1, round(share * (self.width - 1))))


def strip_scale(values: Sequence[float], width: int) -> StripScale:
    """Return the scale from the smallest to the largest value.

    Args:
        values: Seconds, at least one.
        width: Columns of the strip.
    """
    low, high = min(values), max(values)
    # The ratio overflows to infinity if low is subnormal.
    wide = low > 0 and _WIDE < high / low < math.inf
    return StripScale(low, high, max(1, width), wide)


def sample_strip(samples: Sequence[float], scale: StripScale) -> str:
    """Return samples as glyphs, denser where more of them lie, and their median as a dot."""
    columns = Counter(scale.column(value) for value in samples)
    most = max(columns.values(), default=1)
    cells = [" "] * scale.width
    for column, count in columns.items():
        # One sample has the lightest shade, however few there are in all.
        level = 0 if count == 1 else 1 + round((len(_SHADES) - 2) * (count - 1) / max(1, most - 1))
        cells[column] = _SHADES[min(level, len(_SHADES) - 1)]
    if samples:
        cells[scale.column(statistics.median_low(samples))] = "●"
    return "".join(cells)


def interval_strip(interval: Interval, scale: StripScale) -> str:
    """Return an interval as a line with its ends and median."""
    low, middle, high = (scale.column(value) for value in (interval.low, interval.median, interval.high))
    cells = [" "] * scale.width
    cells[low : high + 1] = "─" * (high - low + 1)
    if low < high:
        cells[low], cells[high] = "├", "┤"
    cells[middle] = "┼"
    return "".join(cells)


def add_rounds(page: TextPage, breakdown: CellBreakdown, summary: CellSummary | None) -> None:
    """Add the interval, then one line per round with its samples between the fastest and the slowest of all rounds."""
    page.heading("Rounds")
    values = [sample for trial in breakdown.valid_trials for sample in trial.samples or (trial.seconds or 0.0,)]
    room = page.width - LABEL_COLUMNS - 20
    scale = strip_scale(values, max(8, room)) if values else None
    interval = None if summary is None else summary.interval
    if interval is not None and scale is not None:
        _strip_line(page, "median", format_seconds(interval.median), interval_strip(interval, scale), "bold green")
    for trial in breakdown.trials:
        page.add(_round_line(trial, scale))
    if scale is None:
        return
    left, right = format_seconds(scale.low), format_seconds(scale.high)
    middle = "log scale" if scale.log else ""
    if scale.width > cell_len(left) + cell_len(right) + cell_len(middle) + 4:
        ruler = left + middle.center(scale.width - cell_len(left) - cell_len(right)) + right
        _strip_line(page, "", "", ruler, "dim")
    if len(values) > len(breakdown.valid_trials):
        page.pair("", "● the median sample of a round; the fuller its block, the more samples lie there", style="dim")


def _round_line(trial: Measurement, scale: StripScale | None) -> Text:
    label = f"round {trial.round + 1}"
    if scale is None or not is_valid(trial):
        reason = trial.status if trial.status is not Status.OK else "not verified: does not count"
        return Text.assemble((f"{label:<{LABEL_COLUMNS}}", "dim"), (str(reason), "red"))
    samples = trial.samples or (trial.seconds or 0.0,)
    number = f"{len(samples)} samples" if len(samples) > 1 else ""
    line = Text.assemble((f"{label:<{LABEL_COLUMNS}}", "dim"), f"{format_seconds(trial.seconds):>8} ")
    line.append(sample_strip(samples, scale))
    return line.append(f" {number}", style="dim") if number else line


def _strip_line(page: TextPage, label: str, value: str, strip: str, style: str) -> None:
    page.add(Text.assemble((f"{label:<{LABEL_COLUMNS}}", "dim"), f"{value:>8} ", (strip, style)))


def add_phases(page: TextPage, breakdown: CellBreakdown) -> None:
    """Add one bar per phase, each starting where the previous one ends."""
    if not breakdown.phases or breakdown.median_trial is None:
        return
    page.heading(f"Where the time went, in round {breakdown.median_trial.round + 1}, the one in the middle")
    room = max(8, page.width - LABEL_COLUMNS - 4 - 9 - 7)
    for phase in breakdown.phases:
        if phase.seconds is None:
            page.pair(phase.name, "   not separable, or none", style="dim")
            continue
        start = min(room - 1, round(phase.start * room))
        length = max(1 if phase.seconds else 0, round((phase.start + phase.share) * room) - start)
        bar = " " * start + "█" * length
        label = f"{phase.name:<{LABEL_COLUMNS + 4}}"
        page.add(
            Text.assemble(
                (label, "dim"), f"{format_seconds(phase.seconds):>8} {phase.share:>5.0%}  ", (bar[:room], "cyan")
            )
        )
    if breakdown.overlapping:
        page.pair("", "Phases are the workers' seconds added up: they overlap.", style="dim")
