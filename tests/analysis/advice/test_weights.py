"""Weights: what the user writes, and how it joins those of a use."""

from __future__ import annotations

import pytest

from imgstore_tui.analysis.advice.weights import Criterion, Use, parse_weights, weights_for
from imgstore_tui.core.errors import UsageError


@pytest.mark.parametrize("use", [None, *Use])
def test_the_shares_of_a_use_add_up_to_one_and_the_largest_comes_first(use: Use | None) -> None:
    shares = weights_for(use, {})
    assert sum(shares.values()) == pytest.approx(1.0)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert min(shares.values()) > 0


def test_without_a_use_the_given_weights_count_alone_and_none_is_training() -> None:
    assert weights_for(None, {Criterion.READ: 3, Criterion.DISK: 1}) == {Criterion.READ: 0.75, Criterion.DISK: 0.25}
    assert weights_for(None, {}) == weights_for(Use.TRAINING, {})


def test_given_weights_take_the_place_of_those_of_the_use() -> None:
    shares = weights_for(Use.ARCHIVE, {Criterion.DISK: 0, Criterion.SINGLE: 40})
    assert Criterion.DISK not in shares
    assert shares[Criterion.SINGLE] == pytest.approx(40 / 80)
    assert shares[Criterion.READ] == shares[Criterion.WRITE] == pytest.approx(15 / 80)


def test_only_the_proportions_of_weights_matter() -> None:
    one = weights_for(None, {Criterion.READ: 3, Criterion.DISK: 1})
    assert one == weights_for(None, {Criterion.READ: 0.75, Criterion.DISK: 0.25})


def test_weights_are_parsed_from_repeated_arguments_and_lists() -> None:
    assert parse_weights(["read=3,disk=1", " random = 0.5 "]) == {
        Criterion.READ: 3.0,
        Criterion.DISK: 1.0,
        Criterion.RANDOM: 0.5,
    }
    assert parse_weights([]) == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("read", "'read' is not a weight. Write CRITERION=NUMBER, e.g. --weight read=3."),
        ("raed=1", "Unknown criterion 'raed'. Did you mean 'read'?"),
        ("read=much", "'much' is not a weight of read: write a number of 0 or more."),
        ("read=-1", "'-1' is not a weight of read"),
        ("read=inf", "'inf' is not a weight of read"),
        ("read=nan", "'nan' is not a weight of read"),
        ("read=1,read=2", "The weight of read is given twice."),
    ],
)
def test_what_is_no_weight_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_weights([text])
    assert sentence in str(error.value)


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(UsageError, match="All weights are 0"):
        weights_for(None, {Criterion.READ: 0})
