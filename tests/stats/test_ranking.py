"""Ratios paired by round and the verdicts drawn from them."""

from imgstore_tui.stats.intervals import Basis, Interval
from imgstore_tui.stats.looks import Look
from imgstore_tui.stats.ranking import MARGIN, Placement, Standing, is_settled, rank_contestants, shared_rounds
from imgstore_tui.stats.ratios import paired_ratio, paired_ratios

SIX = Look(6, 0.05)


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


def steady(factor: float, count: int = 9) -> dict[int, float]:
    """Rounds that all methods have alike, but for the factor and a ripple of a hundredth."""
    return {number: factor * (1 + (number * number % 7) / 500) * (1 + number / 10) for number in range(count)}


def placements(standings: tuple[Standing, ...]) -> dict[str, Placement]:
    return {standing.name: standing.placement for standing in standings}


def test_best_tie_and_slower() -> None:
    standings = rank_contestants(
        {
            "slow": rounds(2, 2.1, 2.2, 2.0, 2.1, 2.3),
            "best": rounds(1.0, 1.1, 1.0, 1.2, 1.0, 1.1),
            "near": rounds(1.1, 1.0, 1.1, 1.1, 1.2, 1.2),
        },
        SIX,
    )
    assert [(standing.name, standing.placement) for standing in standings] == [
        ("best", Placement.BEST),
        ("near", Placement.TIE),
        ("slow", Placement.SLOWER),
    ]
    assert standings[2].ratio is not None
    assert 1.7 < standings[2].ratio.low < 1.98 < standings[2].ratio.high < 2.3
    # Three methods at 5 % in all need 7 rounds for the exact test.
    assert standings[2].ratio.is_approximate


def test_slower_is_only_what_is_so_beyond_the_margin() -> None:
    look = Look(9, 0.05)
    cases = {1.2: Placement.SLOWER, MARGIN + 0.02: Placement.SLOWER, MARGIN - 0.005: Placement.TIE}
    for factor, placement in cases.items():
        best, other = rank_contestants({"a": steady(1.0), "b": steady(factor)}, look)
        assert (best.placement, other.placement) == (Placement.BEST, placement)
        assert other.is_little_slower == (placement is Placement.TIE)
        assert other.ratio is not None
        assert other.ratio.basis is Basis.SIGNED_RANKS


def test_near_reaches_to_a_tenth_and_no_further() -> None:
    look = Look(9, 0.05)
    wide = {number: value * (0.97, 1.0, 1.3)[number % 3] for number, value in steady(1.0).items()}
    _, near = rank_contestants({"a": steady(1.0), "b": steady(1.04)}, look)
    _, unsure = rank_contestants({"a": steady(1.0), "b": wide}, look)
    assert (near.is_near, unsure.is_near, unsure.placement) == (True, False, Placement.TIE)
    assert unsure.ratio is not None
    assert 1.1 < unsure.ratio.high < 1.6


def test_what_may_be_much_faster_is_not_near() -> None:
    ratios = [Interval(0.98, low, 1.05, 0.95, 9) for low in (0.92, 0.8)]
    assert [Standing("b", 1.0, Placement.TIE, ratio).is_near for ratio in ratios] == [True, False]


def test_without_a_look_there_is_no_verdict_but_a_ratio() -> None:
    standings = rank_contestants({"a": rounds(1, 1, 1, 1, 1), "b": rounds(9, 9, 9, 9, 9)}, None)
    assert [standing.placement for standing in standings] == [Placement.NONE, Placement.NONE]
    assert standings[1].ratio is not None
    assert standings[1].ratio.is_range


def test_a_look_that_the_rounds_have_not_reached_gives_no_verdict() -> None:
    standings = rank_contestants({"a": steady(1.0), "b": steady(2.0)}, Look(12, 0.05))
    assert [standing.placement for standing in standings] == [Placement.NONE, Placement.NONE]


def test_a_look_sees_only_the_rounds_before_it() -> None:
    later = steady(1.0, 12) | {9: 50.0, 10: 60.0, 11: 70.0}
    assert rank_contestants({"a": later, "b": steady(2.0, 12)}, Look(9, 0.05)) == rank_contestants(
        {"a": steady(1.0), "b": steady(2.0)}, Look(9, 0.05)
    )


def test_a_few_lucky_rounds_do_not_win() -> None:
    standings = rank_contestants(
        {"lucky": rounds(0.1, 0.1), "a": rounds(1, 1, 1, 1, 1, 1), "b": rounds(3, 3, 3, 3, 3, 3)}, SIX
    )
    assert placements(standings) == {"lucky": Placement.NONE, "a": Placement.BEST, "b": Placement.SLOWER}


def test_a_run_that_ends_inside_a_round_compares_only_the_rounds_that_all_have() -> None:
    # The seventh round was quick, and only the slower method has it.
    slow = rounds(1.1, 9.9, 1.1, 9.9, 1.1, 9.9, 1.1)
    fast = rounds(1.0, 9.0, 1.0, 9.0, 1.0, 9.0)
    assert shared_rounds({"slow": slow, "fast": fast}) == (0, 1, 2, 3, 4, 5)
    standings = rank_contestants({"slow": slow, "fast": fast}, SIX)
    assert placements(standings) == {"fast": Placement.BEST, "slow": Placement.SLOWER}
    assert shared_rounds({}) == ()


def test_one_contestant_or_none_has_nobody_to_beat() -> None:
    alone = rank_contestants({"a": rounds(1, 1, 1, 1, 1, 1)}, SIX)
    assert [standing.placement for standing in alone] == [Placement.NONE]
    assert rank_contestants({}, SIX) == ()
    assert rank_contestants({"a": {}}, SIX) == ()


def test_pairs_that_contradict_the_medians_are_a_tie_that_says_so() -> None:
    a = rounds(1, 1, 1, 5, 5, 5.2)
    b = {number: value * 0.99 for number, value in a.items()} | {2: 1.0, 3: 5.0}
    standings = rank_contestants({"a": a, "b": b}, SIX)
    assert sorted(placements(standings).values()) == ["best", "tie"]
    # Two rounds in which it was far faster do not move its median, but its ratio.
    c = rounds(3.0, 3.1, 3.5, 3.6, 4.1, 4.2)
    d = rounds(2.0, 2.1, 3.56, 3.61, 4.0, 4.1)
    first, second = rank_contestants({"c": c, "d": d}, SIX)
    assert (first.name, second.name) == ("c", "d")
    assert (first.contradicts_medians, second.contradicts_medians) == (False, True)


def test_more_methods_and_a_smaller_part_of_the_error_widen_the_interval() -> None:
    pair = {"a": steady(1.0, 12), "b": {n: v * (1.1, 1.2, 1.3)[n % 3] for n, v in steady(1.0, 12).items()}}

    def width(methods: int = 0, part: float = 1.0) -> float:
        ratio = rank_contestants(pair, Look(12, 0.05), methods=methods, part=part)[1].ratio
        assert ratio is not None
        return ratio.high / ratio.low

    assert width() < width(methods=5) < width(methods=5, part=0.05)


def test_a_ranking_is_settled_where_all_others_are_slower_or_near() -> None:
    look = Look(9, 0.05)
    wide = {number: value * (0.97, 1.0, 1.3)[number % 3] for number, value in steady(1.0).items()}
    assert is_settled(rank_contestants({"a": steady(1.0), "b": steady(2.0), "c": steady(1.03)}, look))
    assert not is_settled(rank_contestants({"a": steady(1.0), "b": steady(2.0), "c": wide}, look))
    assert not is_settled(rank_contestants({"a": steady(1.0), "b": steady(2.0)}, None))
    assert not is_settled(())
