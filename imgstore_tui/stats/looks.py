"""Looks at a growing number of rounds: fixed beforehand, the probability of an error spent over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.stats.intervals import CONFIDENCE, MIN_ROUNDS
from imgstore_tui.stats.signed_rank import fewest_rounds

MOST_LOOKS = 4
"""Looks at the rounds of a plan."""
FIRST_PART, LATER_PART = 1 / 4, 1 / 8
"""Parts of the error that the first look spends, and each later one but the last, which has the rest: a difference that
is not found at once needs all rounds."""
NEXT_LOOK = 4 / 3
"""Rounds of a look over those of the look before."""


@dataclass(frozen=True, slots=True)
class Look:
    """A number of rounds at which methods are compared."""

    rounds: int
    error: float
    """Probability that one of the comparisons made at this look is wrong: its part of the whole."""


def pairs(methods: int) -> int:
    """Return the number of comparisons between methods: whichever is lowest, each may be compared with each."""
    return max(1, methods * (methods - 1) // 2)


def schedule_looks(methods: int, rounds: int, error: float = 1 - CONFIDENCE) -> tuple[Look, ...]:
    """Return the looks at up to ``rounds`` rounds of so many methods.

    The first is at the fewest rounds at which the exact test can reach the level spent there, the last at the last
    round. The levels spent add up to ``error``, so that all looks together err no oftener (Bonferroni's inequality).

    Args:
        methods: Methods that are compared with each other.
        rounds: Most rounds.
        error: Probability of an error over all looks and methods.

    Returns:
        Looks by ascending number of rounds; none where the rounds are too few for any interval.
    """
    if rounds < MIN_ROUNDS:
        return ()
    counts = [max(MIN_ROUNDS, fewest_rounds(error * FIRST_PART / pairs(methods)))]
    while len(counts) < MOST_LOOKS - 1 and counts[-1] < rounds:
        counts.append(max(counts[-1] + 1, round(counts[-1] * NEXT_LOOK)))
    early = [
        Look(count, error * (LATER_PART if number else FIRST_PART))
        for number, count in enumerate(counts)
        if count < rounds
    ]
    return (*early, Look(rounds, error - sum(look.error for look in early)))


def last_look(looks: Sequence[Look], rounds: int) -> Look | None:
    """Return the last look that so many rounds have reached; None before the first."""
    return next((look for look in reversed(looks) if look.rounds <= rounds), None)


def final_look(looks: Sequence[Look], rounds: int) -> Look | None:
    """Return the look at what there is when no further round comes: all the error that is left is spent at it.

    When a budget or the user ends a run, that says nothing of which method is faster, so that the look may be there.

    Args:
        looks: The looks that were planned.
        rounds: Rounds that there are.

    Returns:
        None where the rounds are too few for any interval.
    """
    if rounds < MIN_ROUNDS or not looks:
        return None
    reached = [look for look in looks if look.rounds <= rounds]
    if reached and reached[-1].rounds == rounds:
        return reached[-1]
    return Look(rounds, sum(look.error for look in looks) - sum(look.error for look in reached))
