"""Ends the rounds of cells that are compared with each other, together, at a look that settles their ranking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from imgstore_tui.bench.plan.error_parts import error_parts
from imgstore_tui.bench.plan.looks import looks_of
from imgstore_tui.core.model import Cell, Measurement, Plan, Run, with_stop
from imgstore_tui.core.operations import Status
from imgstore_tui.stats.looks import Look
from imgstore_tui.stats.ranking import is_settled, rank_contestants


class _Contest:
    """The trials of cells that differ only in the storage method."""

    def __init__(self, cells: list[Cell]) -> None:
        self.cells = cells
        self.seconds: dict[str, dict[int, float]] = {}
        """Seconds by round, by method."""
        self.tried: set[str] = set()
        """Methods of which a trial was run."""
        self.left_out: set[str] = set()
        """Methods that are not ranked: a trial of them failed, was skipped or was not verified."""
        self.settled = False

    def add(self, measurement: Measurement) -> None:
        if measurement.status is not Status.SKIPPED:
            self.tried.add(measurement.spec)
        if measurement.status is not Status.OK or measurement.seconds is None or not measurement.verified:
            self.left_out.add(measurement.spec)
            return
        self.seconds.setdefault(measurement.spec, {})[measurement.round] = measurement.seconds

    @property
    def ranked(self) -> dict[str, dict[int, float]]:
        """The rounds of the methods that can be ranked, those without a trial so far included."""
        specs = [cell.spec for cell in self.cells if cell.spec not in self.left_out]
        return {spec: self.seconds.get(spec, {}) for spec in specs}


class StopRule:
    """Says which cells of a run need no further round, from its trials in the order run.

    The same trials give the same answer, so that a run that is resumed or followed stops where it would have stopped.
    """

    def __init__(self, plan: Plan, cells: Iterable[Cell]) -> None:
        """Start before the first trial.

        Args:
            plan: The plan of the run.
            cells: All its cells.
        """
        self._plan = plan
        members: dict[Cell, list[Cell]] = {}
        for cell in cells:
            members.setdefault(cell.contest, []).append(cell)
        self._contests = {key: _Contest(cells) for key, cells in members.items()}
        self._parts = error_parts(contest for contest, cells in members.items() if len(cells) > 1)

    @property
    def all_settled(self) -> bool:
        """Whether no cell needs a further round."""
        return bool(self._contests) and all(contest.settled for contest in self._contests.values())

    def is_settled(self, cell: Cell) -> bool:
        """Return whether a cell needs no further round."""
        contest = self._contests.get(cell.contest)
        return contest is not None and contest.settled

    def add(self, measurement: Measurement) -> tuple[Cell, ...]:
        """Add a trial that has ended; return the cells that it lets stop, all that are compared with each other."""
        contest = self._contests.get(measurement.cell.contest)
        if contest is None or not self._plan.looks:
            return ()
        contest.add(measurement)
        if contest.settled:
            return ()
        look = self._look_reached(contest)
        if look is None:
            return ()
        methods = sum(cell.spec in contest.tried for cell in contest.cells)
        part = self._parts.get(measurement.cell.contest, 1.0)
        standings = rank_contestants(contest.ranked, look, methods=methods, part=part)
        contest.settled = is_settled(standings)
        return tuple(contest.cells) if contest.settled else ()

    def _look_reached(self, contest: _Contest) -> Look | None:
        """Return the look that all methods have reached just now; None between looks."""
        counts = {len(rounds) for rounds in contest.ranked.values()}
        if len(counts) != 1:
            return None
        looks = looks_of(self._plan, sum(cell.spec in contest.tried for cell in contest.cells))
        # The last look needs no rule: the rounds end there.
        return next((look for look in looks[:-1] if look.rounds in counts), None)


def with_stops(run: Run) -> Run:
    """Return a run that has ended with the rule noted that ended the rounds of each cell, see ``Measurement.stop``."""
    cells = [measurement.cell for measurement in run.measurements]
    done: dict[Cell, set[int]] = {}
    for cell, measurement in zip(cells, run.measurements, strict=True):
        rounds = done.get(cell)
        if rounds is None:
            rounds = done[cell] = set()
        rounds.add(measurement.round)
    rule = StopRule(run.plan, done)
    for measurement in run.measurements if run.plan.looks else ():
        rule.add(measurement)
    rest = "budget" if run.status == "budget" else None
    stops = {
        cell: "rounds" if len(rounds) >= run.plan.rounds else "settled" if rule.is_settled(cell) else rest
        for cell, rounds in done.items()
    }
    trials = zip(run.measurements, cells, strict=True)
    return replace(run, measurements=tuple([with_stop(trial, stops[cell]) for trial, cell in trials]))
