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


def fit_lines(images: Sequence[int], seconds: Sequence[Sequence[float]]) -> list[Line]:
    """Fit lines by weighted least squares, so that an error of ten per cent counts the same at every number of images.

    The weights are those of the fitted values, found by repetition (quasi-likelihood with a constant coefficient of
    variation; McCullagh and Nelder, *Generalized Linear Models*, 9): weights of the measured values would pull the line
    to the low ones. The numbers are not kept from going negative, which would push their medians over many rounds up.

    Args:
        images: Numbers of images, ascending; at least two.
        seconds: For each line the time of each number of images, above 0.

    Raises:
        ValueError: If there are fewer than two numbers of images, or a time is not above 0.
    """
    if len(images) < 2 or images[0] == images[-1] or any(len(row) != len(images) or min(row) <= 0 for row in seconds):
        raise ValueError("a line needs two numbers of images or more, and times above 0")
    if not seconds:
        return []
    import numpy as np  # not by every command that imports this

    scale = float(images[-1])
    xs, ys = np.array(images) / scale, np.array(seconds, np.float64)
    fitted = ys
    start = slope = ys[:, 0]
    for _ in range(_STEPS):
        weights = 1 / fitted**2
        total = weights.sum(1)
        middle_x, middle_y = weights @ xs / total, (weights * ys).sum(1) / total
        beside = xs - middle_x[:, None]
        slope = (weights * beside * (ys - middle_y[:, None])).sum(1) / (weights * beside**2).sum(1)
        start = middle_y - slope * middle_x
        fitted = np.maximum(start[:, None] + slope[:, None] * xs, _LEAST_SHARE * ys)
    return [Line(*ends) for ends in zip(start.tolist(), (slope / scale).tolist(), strict=True)]
