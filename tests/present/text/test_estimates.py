"""Tests the text of estimates."""

from __future__ import annotations

from imgstore_tui.bench.run.estimate import Estimate
from imgstore_tui.bench.run.preflight import SpaceNeed
from imgstore_tui.present.text.estimates import basis_text, estimate_short, estimate_text

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
    assert estimate_text(cut).endswith("about 1 min, ended by the budget")
    assert "would take about 1 h: the budget of 1:00 will end" in basis_text(cut)
    assert estimate_short(cut).endswith("~1 min")


def test_what_is_not_known_is_left_out() -> None:
    unknown = Estimate(1, 1, None, None, False, 60.0)
    assert (estimate_text(unknown), estimate_short(unknown)) == ("1 trial", "1 trial")
    assert "not been looked at" in basis_text(unknown)
