"""Who wins each contest, by how much, who ties, and why there is sometimes no saying."""

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
    """The outcome of one contest: the cells that differ in nothing but the spec."""

    contest: Cell
    """A cell without a spec."""
    standings: tuple[Standing, ...]
    """Specs with a score, by ascending median."""
    reason: str | None
    """Why there is no verdict; None where there is one."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Specs that could not be ranked, and why."""
    lossy: tuple[tuple[str, float], ...] = ()
    """Ranked specs that do not keep every bit of the pixels, and how near they come: PSNR in dB."""

    @property
    def best(self) -> tuple[str, ...]:
        """The winner alone, or all who tie for the first place, quickest median first; empty with no verdict."""
        return tuple(entry.name for entry in self.standings if entry.placement in (Placement.BEST, Placement.TIE))

    @property
    def winner(self) -> str | None:
        """The one spec that beats all others; None for a tie or no verdict."""
        return self.best[0] if len(self.best) == 1 else None

    @property
    def is_tie(self) -> bool:
        """Whether two or more specs share the first place: as alike, or because nothing tells them apart yet."""
        return len(self.best) > 1

    @property
    def alike(self) -> tuple[str, ...]:
        """The first of those who share the first place and all who take as long as it, by more than a lack of rounds.

        Empty where there are no two of them.
        """
        near = tuple(entry.name for entry in self.standings if entry.placement is Placement.TIE and entry.is_near)
        return (self.best[0], *near) if near else ()

    @property
    def unsure(self) -> tuple[str, ...]:
        """Those of the first place whose ratio to its first is too uncertain to call them alike."""
        return tuple(entry.name for entry in self.standings if entry.placement is Placement.TIE and not entry.is_near)

    def standing(self, spec: str) -> Standing | None:
        """Return where ``spec`` stands; None if it has no score."""
        return next((entry for entry in self.standings if entry.name == spec), None)

    def describe(self, most: int | None = None) -> str:
        """Return the verdict as a sentence.

        Args:
            most: So many of the slower ones are named, the others are counted; None for all.
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
        behind = [
            (entry.name, ratio)
            for entry in self.standings
            if entry.placement is Placement.SLOWER and (ratio := entry.ratio)
        ]
        # One more is named as quickly as it is counted.
        named = behind if most is None or len(behind) <= most + 1 else behind[:most]
        slower = [
            f"{name} takes {format_number(ratio.median)} times as long "
            f"({format_number(ratio.low)} to {format_number(ratio.high)})"
            for name, ratio in named
        ]
        if rest := [ratio.median for _, ratio in behind[len(named) :]]:
            slower.append(
                f"{len(rest)} more take {format_number(min(rest))} to {format_number(max(rest))} times as long"
            )
        return "; ".join([text, *slower]) + "." + self._losses()

    def _losses(self) -> str:
        """Return what must be known where methods that lose are ranked beside methods that keep every bit."""
        if not self.lossy or len(self.lossy) == len(self.standings):
            return ""
        named = ", ".join(f"{spec} ({psnr:.0f} dB)" for spec, psnr in self.lossy)
        return f" Not like for like: lossy {'is' if len(self.lossy) == 1 else 'are'} {named}."


def _listed(names: Sequence[str]) -> str:
    """Return names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def verdicts(summaries: Iterable[CellSummary], planned: Collection[str] = ()) -> tuple[Verdict, ...]:
    """Return the verdict of every contest, in the order of the summaries.

    A spec with a failed, skipped or unverified trial is left out of the ranking: the rounds that are missing may be
    the hard ones.

    Args:
        summaries: What was measured.
        planned: The specs that the plan compares, those included that nothing has been measured of.
    """
    return VerdictCache().verdicts(summaries, planned)


class VerdictCache:
    """Judges contests; asked again, it judges only those anew that have new evidence."""

    def __init__(self) -> None:
        self._judged: dict[Cell, tuple[list[CellSummary], list[float | None], Verdict]] = {}
        """What each verdict rests on, and the verdict, by contest."""

    def verdicts(self, summaries: Iterable[CellSummary], planned: Collection[str] = ()) -> tuple[Verdict, ...]:
        """Return the verdict of every contest, as the function ``verdicts`` does."""
        contests: dict[Cell, list[CellSummary]] = {}
        likeness: dict[tuple[str, str], float] = {}
        for summary in summaries:
            contests.setdefault(summary.cell.contest, []).append(summary)
            if summary.psnr_db is not None:  # known where the store was made; what is read from it is no more alike
                likeness[summary.cell.dataset, summary.cell.spec] = summary.psnr_db
        found = []
        for contest, entries in contests.items():
            alike = [likeness.get((contest.dataset, entry.cell.spec)) for entry in entries]
            before, alike_before, verdict = self._judged.get(contest, ([], [], None))
            same = alike == alike_before and len(entries) == len(before) and all(map(is_, entries, before))
            if verdict is None or not same:
                verdict = _verdict(contest, entries, likeness, planned)
                self._judged[contest] = (entries, alike, verdict)
            found.append(verdict)
        return tuple(found)


def _verdict(
    contest: Cell, entries: list[CellSummary], likeness: Mapping[tuple[str, str], float], planned: Collection[str]
) -> Verdict:
    fit = {entry.cell.spec: dict(entry.rounds) for entry in entries if _why_not(entry) is None}
    left_out = [(entry.cell.spec, why) for entry in entries for why in [_why_not(entry)] if why is not None]
    standings = rank_contestants(fit)
    decided = any(entry.placement is not Placement.NONE for entry in standings)
    if decided:
        left_out += [
            (entry.name, _too_few(len(fit[entry.name]))) for entry in standings if entry.placement is Placement.NONE
        ]
    ranked = [(entry.name, likeness.get((contest.dataset, entry.name))) for entry in standings]
    lossy = tuple((name, psnr) for name, psnr in ranked if psnr is not None)
    return Verdict(contest, standings, None if decided else _no_verdict(entries, fit, planned), tuple(left_out), lossy)


def _why_not(entry: CellSummary) -> str | None:
    if entry.failed:
        return f"{entry.failed + entry.skipped} of {entry.trials} trials failed"
    if entry.skipped:
        return f"{entry.skipped} of {entry.trials} trials were skipped"
    if entry.unverified:
        return f"{entry.unverified} of {entry.trials} trials were not verified"
    return None


def _too_few(rounds: int) -> str:
    return f"{rounds} of the {MIN_ROUNDS} rounds that a verdict needs"


def _no_verdict(entries: list[CellSummary], fit: dict[str, dict[int, float]], planned: Collection[str]) -> str:
    if len(entries) == 1:
        only = entries[0].cell.spec
        others = [spec for spec in planned if spec != only]
        if others:
            return f"only {only} has been measured, {_listed(others)} not yet"
        return "there is only one storage method"
    if not fit:
        if all(entry.failed + entry.skipped == entry.trials for entry in entries):
            return "every trial failed"
        if any(entry.unverified for entry in entries):
            return "nothing was verified"
        return "no storage method got through without a failure"
    if len(fit) == 1:
        return f"only {next(iter(fit))} got through without a failure"
    rounds = sorted(len(entries) for entries in fit.values())[-2]
    return f"there {'is' if rounds == 1 else 'are'} only {_too_few(rounds)}"
