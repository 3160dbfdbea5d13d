from __future__ import annotations

import pytest

from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.units import (
    about_bytes,
    about_seconds,
    format_bytes,
    format_count_short,
    format_duration,
    format_rate,
    format_seconds,
    parse_count,
    parse_cutoffs,
    parse_duration,
    spell_duration,
)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1.5, "1.50 s"), (0.0123, "12.3 ms"), (99.97, "100 s"), (2e-7, "200 ns"), (4.2e-5, "42.0 µs"), (0, "0 s"),
     (None, "-"), (float("nan"), "-")],
)  # fmt: skip
def test_seconds(seconds: float | None, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (31_800_000, "30.3 MiB")]
)
def test_bytes(count: int, text: str) -> None:
    assert format_bytes(count) == text


@pytest.mark.parametrize(("rate", "text"), [(12_345.6, "12,300"), (45.67, "45.7"), (999.4, "999"), (None, "-")])
def test_rate(rate: float | None, text: str) -> None:
    assert format_rate(rate) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(10, "10"), (1000, "1k"), (1500, "1.5k"), (100_000, "100k"), (1234, "1234"), (1_234_567, "1234567")],
)
def test_short_counts(count: int, text: str) -> None:
    assert format_count_short(count) == text


def test_durations_for_a_clock() -> None:
    assert [format_duration(seconds) for seconds in (7, 205, 3723)] == ["0:07", "3:25", "1:02:03"]


@pytest.mark.parametrize(
    ("text", "cutoffs"),
    [("10,100,1k", (10, 100, 1000)), ("1..1000", (1, 10, 100, 1000)), ("5..60", (5, 50, 60)), ("10k, 10", (10, 10_000)),
     ("1_000", (1000,)), ("7,7", (7,)), ("1.005k", (1005,)), ("1.001k, 1.5M", (1001, 1_500_000))],
)  # fmt: skip
def test_cutoffs(text: str, cutoffs: tuple[int, ...]) -> None:
    assert parse_cutoffs(text) == cutoffs


@pytest.mark.parametrize(
    ("text", "word"),
    [("0", "0"), ("-5", "-5"), ("ten", "ten"), ("", "No cutoffs"), ("1.5", "1.5"), ("100..10", "backwards"),
     ("1..", "''"), ("1,,2", "''"), ("999999999999", "more than"), ("nan", "nan"), ("1e3", "1e3")],
)  # fmt: skip
def test_cutoffs_that_are_none(text: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_cutoffs(text)
    assert word in str(caught.value)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("2m", 120), ("1h30m", 5400), ("250ms", 0.25)])
def test_times(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90.0, "90s"), (0.5, "0.5s"), (1_440_000.0, "1440000s"), (0.00001, "0.00001s"), (100 / 3, "33.333333333333336s")],
)
def test_a_time_is_spelled_exactly(seconds: float, text: str) -> None:
    assert spell_duration(seconds) == text
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "0", "soon", "-3s", "3 parsecs", "0s"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "5 s"), (7, "5 s"), (43, "45 s"), (54, "55 s"), (58, "1 min"), (95, "1.5 min"), (500, "8 min"),
     (2000, "35 min"), (3500, "1 h"), (5400, "1.5 h"), (86400, "25 h"), (200_000, "2.5 days"), (1e9, "11,575 days")],
)  # fmt: skip
def test_about_seconds_promises_no_more_than_is_known(seconds: float, text: str) -> None:
    assert about_seconds(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (7, "7 B"), (999, "1,000 B"), (8192, "8 KiB"), (25.4 * 2**20, "25 MiB"), (1.46 * 2**30, "1.5 GiB"),
     (1000 * 2**20, "1 GiB"), (5e15, "4,500 TiB")],
)  # fmt: skip
def test_about_bytes_has_two_digits(count: float, text: str) -> None:
    assert about_bytes(count) == text


@pytest.mark.parametrize("text", ["9" * 400, f"1..{'9' * 400}", "9" * 400 + "k"])
def test_a_count_of_hundreds_of_digits_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="more than this program takes"):
        parse_cutoffs(text)
    with pytest.raises(UsageError):
        parse_count(text)


@pytest.mark.parametrize("text", ["9" * 400, "9" * 400 + "h", "0s", "0.0"])
def test_a_time_that_never_ends_or_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_duration(text)
