"""Figures of a round of several clients: throughput over the whole span, idle tail, fairness; when there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.core.client_round import ClientResult, ClientRound, ClientWork
from imgstore_tui.core.operations import Operation, Status

FIRST = ClientResult(0, "a", images=300, seconds=3.0, begin_s=0.0)
SECOND = ClientResult(1, "b", images=100, seconds=1.0, begin_s=0.5)
ROUND = ClientRound("lmdb", "synthetic", Operation.READ_RANDOM, 100, 0, 2, ClientWork.ALL, 3.0, results=(FIRST, SECOND))


def test_throughput_is_that_of_all_from_the_first_start_to_the_last_end() -> None:
    late = replace(ROUND, results=(FIRST, replace(SECOND, begin_s=3.0)))
    assert ROUND.seconds == 3.0
    assert ROUND.images_per_s == pytest.approx(400 / 3)
    assert late.images_per_s == pytest.approx(400 / 4)


def test_idle_tail_and_start_spread() -> None:
    assert ROUND.idle_s == pytest.approx(1.5)
    assert ROUND.start_spread_s == pytest.approx(0.5)


def test_fairness_is_one_for_equal_rates_and_one_over_the_number_for_one_that_has_all() -> None:
    starved = replace(ROUND, results=(FIRST, replace(SECOND, images=0)))
    assert ROUND.fairness == pytest.approx(1.0)
    assert starved.fairness == pytest.approx(0.5)


def test_a_round_with_a_dead_client_has_no_figures() -> None:
    dead = ClientResult(1, "b", status=Status.FAILED, reason="It died.")
    broken = replace(ROUND, status=Status.FAILED, results=(FIRST, dead))
    assert (broken.seconds, broken.images_per_s, broken.idle_s, broken.start_spread_s, broken.fairness) == (None,) * 5


def test_rounds_of_other_numbers_of_clients_share_a_contest() -> None:
    alone = replace(ROUND, clients=1, results=(FIRST,))
    assert alone.contest == ROUND.contest
    assert alone.key != ROUND.key
