"""A straight line through timings: a start-up cost and a cost per image, fitted in relative terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = 12
"""Repetitions of the weighted fit; it has settled after a few."""
_LEAST_SHARE = 0.1
"""Share of a value below which its fitted value does not raise its weight further."""


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds as ``start_s + per_image_s * images``; noise may make either number negative."""

    start_s: float
    per_image_s: float

    def at(self, images: float) -> float:
        """Return the seconds of so many images."""
        return self.start_s + self.per_image_s * images


def fit_line(images: Sequence[int], seconds: Sequence[float]) -> Line:
    """Fit a line by weighted least squares, so that an error of ten per cent counts the same at every number of images.

    The weights are those of the fitted values, found by repetition (quasi-likelihood with a constant coefficient of
    variation; McCullagh and Nelder, *Generalized Linear Models*, 9): weights of the measured values would pull the line
    to the low ones. The numbers are not kept from going negative, which would push their medians over many rounds up.

    Args:
        images: Numbers of images, ascending; at least two.
        seconds: Time of each, above 0.

    Raises:
        ValueError: If there are fewer than two numbers of images, or a time is not above 0.
    """
    if len(images) < 2 or len(images) != len(seconds) or min(seconds) <= 0 or images[0] == images[-1]:
        raise ValueError("a line needs two numbers of images or more, and times above 0")
    scale = float(images[-1])
    xs = [count / scale for count in images]
    fitted = list(seconds)
    start = slope = 0.0
    for _ in range(_STEPS):
        start, slope = _weighted(xs, seconds, [1 / value**2 for value in fitted])
        fitted = [max(start + slope * x, _LEAST_SHARE * value) for x, value in zip(xs, seconds, strict=True)]
    return Line(start, slope / scale)


def _weighted(xs: Sequence[float], ys: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """Return start and slope of the line with the least weighted squares."""
    total = sum(weights)
    middle_x = sum(weight * x for weight, x in zip(weights, xs, strict=True)) / total
    middle_y = sum(weight * y for weight, y in zip(weights, ys, strict=True)) / total
    spread = sum(weight * (x - middle_x) ** 2 for weight, x in zip(weights, xs, strict=True))
    shared = sum(weight * (x - middle_x) * (y - middle_y) for weight, x, y in zip(weights, xs, ys, strict=True))
    slope = shared / spread
    return middle_y - slope * middle_x, slope
