"""Judges contests: who wins, by how much, who ties, and why there may be no verdict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import is_

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell
from imgstore_tui.core.units import format_number
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ranking import Placement, Standing, rank_contestants


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one contest: the cells that differ only in the spec."""

    contest: Cell
    """A cell without a spec."""
    standings: tuple[Standing, ...]
    """Specs with a valid time, by ascending median."""
    reason: str | None
    """Why there is no verdict; None where there is one."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Specs that could not be ranked, and why."""
    lossy: tuple[tuple[str, float], ...] = ()
    """Ranked specs that do not keep every bit of the pixels, and their PSNR in dB."""

    @property
    def best(self) -> tuple[str, ...]:
        """The winner alone, or all that tie for the first place, by ascending median; empty if there is no verdict."""
        return tuple(entry.name for entry in self.standings if entry.placement in (Placement.BEST, Placement.TIE))

    @property
    def winner(self) -> str | None:
        """The spec that beats all others; None for a tie or no verdict."""
        return self.best[0] if len(self.best) == 1 else None

    @property
    def is_tie(self) -> bool:
        """Whether two or more specs share the first place: as equal, or because they cannot be told apart yet."""
        return len(self.best) > 1

    @property
    def alike(self) -> tuple[str, ...]:
        """The first of those that share the first place and all with a ratio to it surely near 1; empty if none is."""
        near = tuple(entry.name for entry in self.standings if entry.placement is Placement.TIE and entry.is_near)
        return (self.best[0], *near) if near else ()

    @property
    def unsure(self) -> tuple[str, ...]:
        """Those that share the first place and whose ratio to its first is too uncertain to call them equal."""
        return tuple(entry.name for entry in self.standings if entry.placement is Placement.TIE and not entry.is_near)

    def standing(self, spec: str) -> Standing | None:
        """Return the standing of a spec; None if it has no valid time."""
        return next((entry for entry in self.standings if entry.name == spec), None)

    def describe(self, most: int | None = None) -> str:
        """Return the verdict as a sentence.

        Args:
            most: Number of slower specs that are named, the others are counted; None for all.
        """
        if self.reason:
            return f"No verdict: {self.reason}."
        if self.alike:
            text = f"Tie: {_listed(self.alike)} cannot be told apart"
            if self.unsure:
                text += f"; unsure: {_listed(self.unsure)} cannot be told apart from them yet, more rounds may"
        elif self.unsure:
            text = f"Unsure: {_listed(self.best)} cannot be told apart yet, more rounds may"
        else:
            text = f"{self.winner} is fastest"
        slower = [
            (entry.name, ratio)
            for entry in self.standings
            if entry.placement is Placement.SLOWER and (ratio := entry.ratio)
        ]
        # One more is named, as naming it is as short as counting it.
        named = slower if most is None or len(slower) <= most + 1 else slower[:most]
        parts = [
            f"{name} takes {format_number(ratio.median)} times as long "
            f"({format_number(ratio.low)} to {format_number(ratio.high)})"
            for name, ratio in named
        ]
        if rest := [ratio.median for _, ratio in slower[len(named) :]]:
            parts.append(
                f"{len(rest)} more take {format_number(min(rest))} to {format_number(max(rest))} times as long"
            )
        return "; ".join([text, *parts]) + "." + self._lossy_text()

    def _lossy_text(self) -> str:
        """Return a sentence where lossy methods are ranked beside lossless ones; else an empty text."""
        if not self.lossy or len(self.lossy) == len(self.standings):
            return ""
        named = ", ".join(f"{spec} ({psnr:.0f} dB)" for spec, psnr in self.lossy)
        return f" Not like for like: lossy {'is' if len(self.lossy) == 1 else 'are'} {named}."


def _listed(names: Sequence[str]) -> str:
    """Return names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def verdicts(summaries: Iterable[CellSummary], planned: Collection[str] = ()) -> tuple[Verdict, ...]:
    """Return the verdict of every contest, in the order of the summaries.

    A spec with a failed, skipped or unverified trial is left out of the ranking: the missing rounds may be the slow
    ones.

    Args:
        summaries: The summaries of the cells.
        planned: All specs that the plan compares, measured or not.
    """
    return VerdictCache().verdicts(summaries, planned)


class VerdictCache:
    """Judges contests and keeps the verdicts; judges again only contests whose summaries have changed."""

    def __init__(self) -> None:
        self._judged: dict[Cell, tuple[list[CellSummary], list[float | None], Verdict]] = {}
        """Summaries, PSNRs and verdict by contest."""

    def verdicts(self, summaries: Iterable[CellSummary], planned: Collection[str] = ()) -> tuple[Verdict, ...]:
        """Return the verdict of every contest, as the function ``verdicts`` does."""
        contests: dict[Cell, list[CellSummary]] = {}
        psnr_of: dict[tuple[str, str], float] = {}
        for summary in summaries:
            contests.setdefault(summary.cell.contest, []).append(summary)
            if summary.psnr_db is not None:  # measured when the store is written, and valid for all reads of it
                psnr_of[summary.cell.dataset, summary.cell.spec] = summary.psnr_db
        verdicts = []
        for contest, entries in contests.items():
            psnrs = [psnr_of.get((contest.dataset, entry.cell.spec)) for entry in entries]
            old_entries, old_psnrs, verdict = self._judged.get(contest, ([], [], None))
            same = psnrs == old_psnrs and len(entries) == len(old_entries) and all(map(is_, entries, old_entries))
            if verdict is None or not same:
                verdict = _verdict(contest, entries, psnr_of, planned)
                self._judged[contest] = (entries, psnrs, verdict)
            verdicts.append(verdict)
        return tuple(verdicts)


def _verdict(
    contest: Cell, entries: list[CellSummary], psnr_of: Mapping[tuple[str, str], float], planned: Collection[str]
) -> Verdict:
    valid = {entry.cell.spec: dict(entry.rounds) for entry in entries if _exclusion_reason(entry) is None}
    left_out = [(entry.cell.spec, reason) for entry in entries if (reason := _exclusion_reason(entry)) is not None]
    standings = rank_contestants(valid)
    decided = any(entry.placement is not Placement.NONE for entry in standings)
    if decided:
        left_out += [
            (entry.name, _too_few(len(valid[entry.name]))) for entry in standings if entry.placement is Placement.NONE
        ]
    ranked = [(entry.name, psnr_of.get((contest.dataset, entry.name))) for entry in standings]
    lossy = tuple((name, psnr) for name, psnr in ranked if psnr is not None)
    return Verdict(
        contest, standings, None if decided else _no_verdict(entries, valid, planned), tuple(left_out), lossy
    )


def _exclusion_reason(entry: CellSummary) -> str | None:
    if entry.emulator:
        return f"{entry.emulator} is an emulator, whose speed says nothing about the service"
    if entry.failed:
        return f"{entry.failed + entry.skipped} of {entry.trials} trials failed"
    if entry.skipped:
        return f"{entry.skipped} of {entry.trials} trials were skipped"
    if entry.unverified:
        return f"{entry.unverified} of {entry.trials} trials were not verified"
    return None


def _too_few(rounds: int) -> str:
    return f"{rounds} of the {MIN_ROUNDS} rounds that a verdict needs"


def _no_verdict(entries: list[CellSummary], valid: dict[str, dict[int, float]], planned: Collection[str]) -> str:
    if len(entries) == 1:
        only = entries[0].cell.spec
        others = [spec for spec in planned if spec != only]
        if others:
            return f"only {only} has been measured, {_listed(others)} not yet"
        return "there is only one storage method"
    if all(entry.emulator for entry in entries):
        return "every server that was measured is an emulator"
    if not valid:
        if all(entry.failed + entry.skipped == entry.trials for entry in entries):
            return "every trial failed"
        if any(entry.unverified for entry in entries):
            return "nothing was verified"
        return "no storage method got through without a failure"
    if len(valid) == 1 and any(entry.emulator for entry in entries):
        return f"only {next(iter(valid))} can be ranked"
    if len(valid) == 1:
        return f"only {next(iter(valid))} got through without a failure"
    rounds = sorted(len(entries) for entries in valid.values())[-2]
    return f"there {'is' if rounds == 1 else 'are'} only {_too_few(rounds)}"
