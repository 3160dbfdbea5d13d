"""Tests the text of estimates."""

from __future__ import annotations

from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.bench.run.preflight import SpaceNeed
from imgstore_tui.present.text.estimates import basis_text, estimate_short, estimate_text, reach_texts

KNOWN = Estimate(51, 306, SpaceNeed(25.4 * 2**20, 9000), 43.0, True, 60.0)


def test_words_say_about() -> None:
    assert estimate_text(KNOWN) == "306 trials, about 25 MiB of disk, about 45 s"
    assert estimate_short(KNOWN) == "306 trials ~25 MiB ~45 s"


def test_a_guess_is_called_one() -> None:
    guess = Estimate(51, 306, SpaceNeed(1e9, 9000), 4000.0, False, None)
    assert estimate_text(guess) == "306 trials, about 950 MiB of disk, very roughly 1 h"
    assert "rough guess" in basis_text(guess)


def test_what_the_budget_cuts_is_said() -> None:
    cut = Estimate(51, 306, SpaceNeed(1e9, 9000), 4000.0, True, 60.0)
    assert estimate_text(cut).endswith("stops after 1 min")
    assert "would take about 1 h: the budget of 1:00 will end" in basis_text(cut)
    assert estimate_short(cut).endswith("~1 min")


def expected(rounds_s: float, budget_s: float | None = 60.0, needed: int | None = 9) -> Estimate:
    """Twelve rounds of so many seconds."""
    return Estimate(27, 324, None, 1 + 12 * rounds_s, True, budget_s, True, 12, needed, 1.0)


def test_what_the_budget_reaches_is_said_beside_what_an_answer_needs() -> None:
    short = expected(20.0)
    assert (short.rounds_reached, short.answers) == (3, False)
    assert reach_texts(short)[0] == "stops after 1 min, about 3 of 9 rounds; an answer needs about 3 min"
    assert reach_texts(expected(100.0))[0].startswith("stops after 1 min, less than 1 of 9 rounds; ")
    assert [len(text) for text in reach_texts(short)] == sorted(map(len, reach_texts(short)), reverse=True)


def test_an_answer_within_the_budget_is_said_with_its_time() -> None:
    assert reach_texts(expected(5.0)) == ("an answer in about 45 s",)
    assert reach_texts(expected(20.0, None)) == ("an answer in about 3 min",)


def test_nothing_is_said_of_an_answer_where_none_is_asked_for() -> None:
    assert reach_texts(expected(5.0, needed=None)) == ("stops after 1 min",)
    assert reach_texts(Estimate(1, 1, None, None, False, 60.0, rounds=6, rounds_needed=6)) == ()


def test_what_is_not_known_is_left_out() -> None:
    unknown = Estimate(1, 1, None, None, False, 60.0)
    assert (estimate_text(unknown), estimate_short(unknown)) == ("1 trial", "1 trial")
    assert "not been checked" in basis_text(unknown)
