"""Ratios paired by round and the verdicts drawn from them."""

import pytest

from imgstore_tui.stats.ranking import Placement, rank_contestants
from imgstore_tui.stats.ratios import paired_ratio, paired_ratios


def rounds(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_ratios_use_only_rounds_that_both_have() -> None:
    assert paired_ratios({0: 2.0, 2: 9.0, 3: 4.0}, {0: 1.0, 1: 5.0, 2: 3.0}) == (2.0, 3.0)
    assert paired_ratio({0: 1.0}, {1: 1.0}) is None
    assert paired_ratios({0: 1.0}, {0: 0.0}) == ()


def test_a_slow_minute_that_hits_both_cancels_out() -> None:
    base = rounds(1, 1, 10, 1, 12, 1)
    twice = {number: 2 * value for number, value in base.items()}
    ratio = paired_ratio(twice, base)
    assert ratio is not None
    assert (ratio.low, ratio.median, ratio.high) == (2.0, 2.0, 2.0)


def test_best_tie_and_slower() -> None:
    standings = rank_contestants(
        {
            "slow": rounds(2, 2.1, 2.2, 2.0, 2.1, 2.3),
            "best": rounds(1.0, 1.1, 1.0, 1.2, 1.0, 1.1),
            "near": rounds(1.1, 1.0, 1.1, 1.1, 1.2, 1.2),
        }
    )
    assert [(standing.name, standing.placement) for standing in standings] == [
        ("best", Placement.BEST),
        ("near", Placement.TIE),
        ("slow", Placement.SLOWER),
    ]
    assert standings[2].ratio is not None
    assert standings[2].ratio.low == pytest.approx(2.0 / 1.2)


def test_five_rounds_give_no_verdict_but_a_ratio() -> None:
    standings = rank_contestants({"a": rounds(1, 1, 1, 1, 1), "b": rounds(9, 9, 9, 9, 9)})
    assert [standing.placement for standing in standings] == [Placement.NONE, Placement.NONE]
    assert standings[1].ratio is not None
    assert standings[1].ratio.is_range


def test_a_few_lucky_rounds_do_not_win() -> None:
    standings = rank_contestants(
        {"lucky": rounds(0.1, 0.1), "a": rounds(1, 1, 1, 1, 1, 1), "b": rounds(3, 3, 3, 3, 3, 3)}
    )
    assert {standing.name: standing.placement for standing in standings} == {
        "lucky": Placement.NONE,
        "a": Placement.BEST,
        "b": Placement.SLOWER,
    }


def test_one_contestant_or_none_has_nobody_to_beat() -> None:
    assert [standing.placement for standing in rank_contestants({"a": rounds(1, 1, 1, 1, 1, 1)})] == [Placement.NONE]
    assert rank_contestants({}) == ()
    assert rank_contestants({"a": {}}) == ()


def test_pairs_that_contradict_the_medians_are_a_tie() -> None:
    a = rounds(1, 1, 1, 5, 5, 5.2)
    b = {number: value * 0.99 for number, value in a.items()} | {2: 1.0, 3: 5.0}
    places = {standing.name: standing.placement for standing in rank_contestants({"a": a, "b": b})}
    assert sorted(places.values()) == ["best", "tie"]
