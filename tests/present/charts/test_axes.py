"""Tests axes: ticks at the values a reader expects."""

import itertools
import math

import pytest

from imgstore_tui.present.charts.axes import Axis, count_axis, decade_label, drawable, make_axis, seconds_label


def tick_texts(axis: Axis) -> list[str]:
    return [text for _, text in axis.ticks]


def test_decades_with_units() -> None:
    axis = make_axis([3e-4, 0.002, 20.0], 10, decade_label, log=True)
    assert tick_texts(axis) == ["1ms", "10ms", "100ms", "1s", "10s"]
    assert axis.low == pytest.approx(math.log10(2e-4), abs=0.2)
    assert axis.high == pytest.approx(math.log10(20), abs=0.2)


def test_decades_are_thinned_where_there_is_no_room() -> None:
    assert tick_texts(make_axis([1e-6, 1e3], 4, decade_label, log=True)) == ["1µs", "1ms", "1s", "1000s"]


def test_a_short_axis_has_finer_ticks_and_never_less_than_a_decade() -> None:
    axis = make_axis([1.1e-3, 1.3e-3], 8, decade_label, log=True)
    assert tick_texts(axis) == ["1ms", "2ms", "5ms", "10ms"]


@pytest.mark.parametrize("value", [1e-9, 1e-3, 1.0, 3.0, 1e6])
def test_one_value_lies_inside(value: float) -> None:
    for log in (True, False):
        axis = make_axis([value], 5, decade_label, log=log)
        assert axis.low < axis.at(value) < axis.high
        assert axis.ticks


def test_linear_axes_start_at_zero_and_share_a_unit() -> None:
    assert tick_texts(make_axis([0.3, 1.6], 6, seconds_label, log=False)) == ["0", "0.5s", "1s", "1.5s"]
    assert tick_texts(make_axis([0.16], 6, seconds_label, log=False)) == ["0", "50ms", "100ms", "150ms"]
    assert tick_texts(make_axis([7.0], 8, seconds_label, log=False)) == ["0", *(f"{number}s" for number in range(1, 8))]


def test_counts_stand_where_they_were_measured() -> None:
    assert tick_texts(count_axis([10, 100, 1000, 10_000, 100_000], 60, log=True)) == ["10", "100", "1k", "10k", "100k"]
    assert tick_texts(count_axis([10, 300, 500], 60, log=True)) == ["10", "300", "500"]
    assert tick_texts(count_axis([10, 11, 12, 13, 14, 15, 1000], 40, log=True)) == ["10", "100", "1k"]
    assert tick_texts(count_axis([7], 60, log=True)) == ["7"]
    assert tick_texts(count_axis([1, 100_000], 3, log=True)) == ["1"]
    assert tick_texts(count_axis([10, 100_000], 60, log=False)) == ["0", "20k", "40k", "60k", "80k", "100k"]


def test_what_cannot_be_drawn() -> None:
    for value in (math.nan, math.inf, -math.inf, 0.0, -1.0, 5e-324, 1e308):
        assert not drawable(value)
    assert drawable(1e-9)


def test_labels() -> None:
    assert [seconds_label(value, value) for value in (0.0, 1e-7, 2e-5, 0.25, 1.0, 90.0)] == [
        "0", "100ns", "20µs", "250ms", "1s", "90s",
    ]  # fmt: skip


@pytest.mark.parametrize("values", [[4.4e-4, 0.37], [1e-3, 2.0], [5e-6, 3.0, 40.0], [0.011, 0.9]])
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("count", range(9, 40, 3))
def test_ticks_lie_in_the_middle_of_cells(values: list[float], log: bool, count: int) -> None:
    axis = make_axis(values, count // 2, decade_label, log=log)
    moved = axis.on_cells(count, values)
    for value in values:
        assert moved.low - 1e-9 <= moved.at(value) <= moved.high + 1e-9
    assert set(moved.ticks) <= set(axis.ticks)
    assert len(moved.ticks) > 1
    steps = {round(later - earlier, 9) for (earlier, _), (later, _) in itertools.pairwise(axis.ticks)}
    if len(steps) == 1 and steps.pop() * (count - 1) / (axis.high - axis.low) >= 3:
        cells = [(position - moved.low) / (moved.high - moved.low) * (count - 1) for position, _ in moved.ticks]
        assert cells == pytest.approx([round(cell) for cell in cells], abs=1e-6)
        assert moved.high - moved.low < 1.6 * (axis.high - axis.low), "no place is wasted"
