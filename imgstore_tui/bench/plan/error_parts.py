"""Divides the error of a run's headline among the cells that hold together: half of it is for those that decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import Operation

DECIDING_READS = (Operation.READ_RANDOM, Operation.READ_MANY, Operation.GET_ONE, Operation.READ_ONE)
"""Images are written once and read often: the first of these that a run has decides what is recommended."""
DECIDING_PART = 0.5
"""Part of the error that the deciding contests share; the others share the rest."""


def error_parts(contests: Iterable[Cell]) -> dict[Cell, float]:
    """Return which part of the error of all contests together each one may spend, fixed before there is any result.

    What is recommended rests on one reading operation at the most images: an equal part would be so small in a run of
    many cells that differences which matter are missed. The parts add up to 1, so that all contests together err no
    oftener (Bonferroni's inequality with weights).

    Args:
        contests: Cells without a spec, of all contests in which methods are compared.
    """
    together = tuple(dict.fromkeys(contests))
    rank = {operation: number for number, operation in enumerate(DECIDING_READS)}
    best: dict[Cell, tuple[int, int]] = {}
    for contest in together:
        if contest.operation in rank:
            data = _data_of(contest)
            best[data] = min(best.get(data, (len(rank), 0)), (rank[contest.operation], -contest.cutoff))
    deciding = [
        contest
        for contest in together
        if contest.operation in rank and best[_data_of(contest)] == (rank[contest.operation], -contest.cutoff)
    ]
    if not deciding or len(deciding) == len(together):
        return {contest: 1 / len(together) for contest in together}
    parts = dict.fromkeys(together, (1 - DECIDING_PART) / (len(together) - len(deciding)))
    return parts | dict.fromkeys(deciding, DECIDING_PART / len(deciding))


def _data_of(contest: Cell) -> Cell:
    """Return what stands for all contests of the same data: they have one recommendation."""
    return replace(contest, operation=DECIDING_READS[0], cutoff=0, cache=None, sync=None)
