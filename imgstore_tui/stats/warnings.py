"""Signs of noise in a cell's rounds, as data: what was seen, and what to do about it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from imgstore_tui.stats.dependence import drift_probability, streak_probability
from imgstore_tui.stats.intervals import MIN_ROUNDS, median_absolute_deviation

SHORTEST_CLOCK_S = 1e-3
"""pyperf's rule: below a millisecond of clock in all, timer and scheduler take too large a share."""
LARGEST_DEVIATION = 0.10
"""pyperf's rule: standard deviation over mean."""
LARGEST_SWING = 0.50
"""pyperf's rule: distance of the minimum or maximum from the mean, over the mean."""
OUTLIER = 14.826
"""hyperfine's rule: distance from the median in MADs; ten standard deviations, were the noise normal."""
SMALLEST_MAD = 0.01
"""Share of the median below which a MAD says more about few rounds than about noise."""
RARE = 1e-3
"""Probability below which an order of rounds is not taken for chance: a run has many cells."""


class Noise(StrEnum):
    """What kind of disturbance was seen."""

    SHORT = "short"
    SPREAD = "spread"
    OUTLIERS = "outliers"
    SLOW_FIRST = "slow-first"
    DRIFT = "drift"
    STREAKS = "streaks"


@dataclass(frozen=True, slots=True)
class NoiseWarning:
    """One sign of noise."""

    kind: Noise
    text: str
    """What was seen, one sentence."""
    advice: str
    """What to do, one sentence."""

    def __str__(self) -> str:
        return f"{self.text} {self.advice}"


def modified_z(values: Sequence[float]) -> tuple[float, ...]:
    """Return each value's distance from the median in MADs (Iglewicz and Hoaglin 1993, without their 0.6745).

    A MAD below 1 % of the median counts as 1 %: with a handful of rounds it is small by chance.
    """
    middle = statistics.median(values)
    scale = max(median_absolute_deviation(values), SMALLEST_MAD * abs(middle))
    return tuple((value - middle) / scale if scale else 0.0 for value in values)


def noise_warnings(rounds: Sequence[float], clock_s: Sequence[float] = ()) -> tuple[NoiseWarning, ...]:
    """Return what speaks against trusting a cell's median.

    Args:
        rounds: Result of each round in the order run, seconds.
        clock_s: How long the clock ran in each round, all samples together, seconds.
    """
    warnings: list[NoiseWarning] = []
    if clock_s and min(clock_s) < SHORTEST_CLOCK_S:
        warnings.append(
            NoiseWarning(
                Noise.SHORT,
                f"The clock ran for only {min(clock_s) * 1e6:.0f} µs in a round.",
                "Trust small differences less, or measure more images.",
            )
        )
    outliers = [z > OUTLIER for z in modified_z(rounds)] if len(rounds) >= MIN_ROUNDS else []
    if outliers and outliers[0]:
        warnings.append(
            NoiseWarning(
                Noise.SLOW_FIRST,
                f"The first round took {rounds[0] / statistics.median(rounds):.1f} times the median.",
                "Something was warming up; the median ignores it, a second run would show.",
            )
        )
    if any(outliers[1:]):
        warnings.append(
            NoiseWarning(
                Noise.OUTLIERS,
                f"{sum(outliers[1:])} of {len(rounds)} rounds stand far off the rest.",
                "Something else used the machine; they are kept, close other programs and repeat.",
            )
        )
    if not any(outliers) and _spread(rounds):
        warnings.append(
            NoiseWarning(
                Noise.SPREAD,
                f"Rounds run from {min(rounds) / statistics.fmean(rounds):.0%} to "
                f"{max(rounds) / statistics.fmean(rounds):.0%} of their mean.",
                "Use more rounds, or a quieter machine.",
            )
        )
    return (*warnings, *order_warnings(rounds, "Rounds"))


def order_warnings(values: Sequence[float], what: str) -> tuple[NoiseWarning, ...]:
    """Return what speaks against rounds that do not depend on each other, which every interval takes for granted.

    Args:
        values: Times or ratios in the order of the rounds.
        what: What they are, the plural that begins the sentence.
    """
    if drift_probability(values) < RARE:
        third = len(values) // 3
        change = statistics.median(values[-third:]) / statistics.median(values[:third])
        return (
            NoiseWarning(
                Noise.DRIFT,
                f"{what} drift: the last third lies at {change:.2f} times the first.",
                "Intervals hold for independent rounds; find out what changes with time, then repeat.",
            ),
        )
    if streak_probability(values) < RARE:
        return (
            NoiseWarning(
                Noise.STREAKS,
                f"{what} come in streaks: high and low ones follow their like.",
                "Intervals hold for independent rounds; these are surer of themselves than they may be.",
            ),
        )
    return ()


def _spread(rounds: Sequence[float]) -> bool:
    if len(rounds) < 3:
        return False
    mean = statistics.fmean(rounds)
    if mean <= 0:
        return False
    swing = max(max(rounds) - mean, mean - min(rounds)) / mean
    return statistics.stdev(rounds) / mean >= LARGEST_DEVIATION or swing >= LARGEST_SWING
