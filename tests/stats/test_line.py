"""The line through timings: exact where there is no noise, the same in any unit, and not pulled to low values."""

from __future__ import annotations

import math
import random
import statistics

import pytest

from imgstore_tui.stats.line import fit_lines

COUNTS = (10, 100, 1000)


@pytest.mark.parametrize(("start", "per_image"), [(1e-3, 2e-6), (0.0, 1e-4), (5e-4, 0.0), (3.0, 0.25)])
def test_without_noise_the_costs_come_back(start: float, per_image: float) -> None:
    (line,) = fit_lines(COUNTS, [[start + per_image * count for count in COUNTS]])
    assert line.start_s == pytest.approx(start, abs=1e-9 * (start + per_image))
    assert line.per_image_s == pytest.approx(per_image, rel=1e-6, abs=1e-12)


def test_two_points_are_joined() -> None:
    (line,) = fit_lines((10, 40), [(1.0, 4.0)])
    assert (line.at(10), line.at(40), line.at(70)) == pytest.approx((1.0, 4.0, 7.0))


def test_the_unit_makes_no_difference() -> None:
    seconds = (0.011, 0.013, 0.05)
    one, other = fit_lines(COUNTS, [seconds, [1000 * value for value in seconds]])
    assert other.at(5000) == pytest.approx(1000 * one.at(5000))


def test_an_error_counts_the_same_at_every_number_of_images() -> None:
    """Ten per cent at ten images move the start as much as they would if a thousand had not been measured."""
    true = [1e-3 + 2e-6 * count for count in COUNTS]
    off = [
        [value * (1.1 if index == place else 1.0) for index, value in enumerate(true)] for place in range(len(COUNTS))
    ]
    for line in fit_lines(COUNTS, off):
        shifts = [abs(math.log(line.at(count) / value)) for count, value in zip(COUNTS, true, strict=True)]
        assert max(shifts) < math.log(1.1) + 1e-9


def test_noise_does_not_pull_the_line_down() -> None:
    source = random.Random("line")
    seconds = [[(1e-3 + 2e-6 * count) * math.exp(source.gauss(0.0, 0.2)) for count in COUNTS] for _ in range(400)]
    ends = [line.at(1000) / 3e-3 for line in fit_lines(COUNTS, seconds)]
    assert abs(math.log(statistics.median(ends))) < 0.04


@pytest.mark.parametrize(("counts", "seconds"), [((10,), (1.0,)), ((10, 10), (1.0, 2.0)), ((1, 10), (0.0, 1.0))])
def test_what_is_no_line_is_refused(counts: tuple[int, ...], seconds: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="a line needs two numbers"):
        fit_lines(counts, [seconds])
