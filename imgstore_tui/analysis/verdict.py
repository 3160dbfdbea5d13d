"""Judges contests: who wins, by how much, who ties, and why there may be no verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import is_

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.bench.plan.error_parts import error_parts
from imgstore_tui.bench.plan.looks import look_at, rounds_for_verdict
from imgstore_tui.core.model import Cell, Plan, Run
from imgstore_tui.core.units import format_number
from imgstore_tui.stats.intervals import MIN_ROUNDS, Basis, Interval
from imgstore_tui.stats.looks import Look
from imgstore_tui.stats.ranking import MARGIN, Placement, Standing, is_settled, rank_contestants, shared_rounds
from imgstore_tui.stats.ratios import paired_ratios
from imgstore_tui.stats.warnings import NoiseWarning, order_warnings


@dataclass(frozen=True, slots=True)
class VerdictRules:
    """By which rules the contests of a run are judged."""

    plan: Plan
    """Its looks, and the methods that it compares, measured or not."""
    ended: bool = True
    """Whether no further round comes."""

    @classmethod
    def of(cls, run: Run) -> VerdictRules:
        """Return the rules for a run as it is now."""
        return cls(run.plan, run.status != "running")

    def look(self, methods: int, rounds: int) -> Look | None:
        """Return the look at so many rounds of so many methods; None where there is no verdict yet."""
        return look_at(self.plan, methods, rounds, ended=self.ended)

    def rounds_needed(self, methods: int) -> int:
        """Return after how many rounds there may be a verdict, as planned: what a run that has ended lacks, too."""
        return rounds_for_verdict(self.plan, methods)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one contest: the cells that differ only in the spec."""

    contest: Cell
    """A cell without a spec."""
    standings: tuple[Standing, ...]
    """Specs with a valid time, by ascending median; all intervals of the verdict hold together."""
    reason: str | None
    """Why there is no verdict; None where there is one."""
    left_out: tuple[tuple[str, str], ...] = ()
    """Specs that could not be ranked, and why."""
    lossy: tuple[tuple[str, float], ...] = ()
    """Ranked specs that do not keep every bit of the pixels, and their PSNR in dB."""
    headline: tuple[Standing, ...] = ()
    """The standings again, by intervals that hold together with those of all other verdicts of the run."""
    judged_together: int = 1
    """Number of verdicts that the run gives and the headline holds together with, this one included."""
    settled: bool = False
    """Whether further rounds would change nothing, see ``stats.ranking.is_settled``."""
    warnings: tuple[NoiseWarning, ...] = ()
    """Signs that the ratios of its rounds depend on each other."""

    @property
    def best(self) -> tuple[str, ...]:
        """The winner alone, or all that tie for the first place, by ascending median; empty if there is no verdict."""
        return tuple(entry.name for entry in self.standings if entry.placement in (Placement.BEST, Placement.TIE))

    @property
    def winner(self) -> str | None:
        """The spec that beats all others beyond the margin; None for a tie or no verdict."""
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

    @property
    def is_approximate(self) -> bool:
        """Whether an interval of the verdict keeps its level only nearly."""
        return any(ratio is not None and ratio.is_approximate for ratio in self._ratios())

    @property
    def is_exact(self) -> bool:
        """Whether the verdict has an interval that keeps its level exactly, for independent rounds."""
        return any(ratio is not None and ratio.basis is Basis.SIGNED_RANKS for ratio in self._ratios())

    def _ratios(self) -> list[Interval | None]:
        return [entry.ratio for entry in self.standings if entry.placement in (Placement.TIE, Placement.SLOWER)]

    def at_headline(self) -> Verdict:
        """Return the verdict by the intervals that hold together with those of all other verdicts of the run."""
        return replace(self, standings=self.headline)

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
            text = f"Tie: {listed(self.alike)} differ too little to matter"
            if self.unsure:
                text += f"; unsure: {listed(self.unsure)}, too close to them to call, more rounds may decide"
        elif self.unsure:
            text = f"Unsure: {listed(self.best)} are too close to call, more rounds may decide"
        else:
            text = f"{self.winner} is fastest"
        notes = [note for entry in self.standings if (note := _note(entry))]
        slower = [
            (entry.name, ratio)
            for entry in self.standings
            if entry.placement is Placement.SLOWER and (ratio := entry.ratio)
        ]
        # One more is named, as naming it is as short as counting it.
        named = slower if most is None or len(slower) <= most + 1 else slower[:most]
        parts = [f"{name} takes {format_number(ratio.median)} times as long {_span(ratio)}" for name, ratio in named]
        if rest := [ratio.median for _, ratio in slower[len(named) :]]:
            parts.append(
                f"{len(rest)} more take {format_number(min(rest))} to {format_number(max(rest))} times as long"
            )
        return "; ".join([text, *notes, *parts]) + "." + self._lossy_text() + self._warnings_text()

    def _lossy_text(self) -> str:
        """Return a sentence where lossy methods are ranked beside lossless ones; else an empty text."""
        if not self.lossy or len(self.lossy) == len(self.standings):
            return ""
        named = ", ".join(f"{spec} ({psnr:.0f} dB)" for spec, psnr in self.lossy)
        return f" Not like for like: lossy {'is' if len(self.lossy) == 1 else 'are'} {named}."

    def _warnings_text(self) -> str:
        return "".join(f" {warning}" for warning in self.warnings)


def _note(entry: Standing) -> str:
    """Return what is to be said of a method that shares the first place, beside that; empty if nothing is."""
    if entry.ratio is None:
        return ""
    if entry.is_little_slower and entry.is_near:
        return f"{entry.name} is a little slower, too little to choose by {_span(entry.ratio)}"
    if entry.is_little_slower:
        times = f"{entry.name} takes {format_number(entry.ratio.median)} times as long {_span(entry.ratio)}"
        return f"{times}, which is not surely {100 * (MARGIN - 1):.0f} % more"
    if entry.contradicts_medians and not entry.is_near:
        return (
            f"{entry.name} has the higher median, yet took {format_number(entry.ratio.median)} times as long when "
            "paired round by round: the rounds differ more than the methods do"
        )
    return ""


def _span(ratio: Interval) -> str:
    return f"({format_number(ratio.low)} to {format_number(ratio.high)})"


def listed(names: Sequence[str], word: str = "and") -> str:
    """Return names in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return f" {word} ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def coverage_clause(verdicts: Sequence[Verdict]) -> str:
    """Return what the 95 % of the intervals in verdicts cover, and how exactly; empty where there is no interval."""
    judged = [verdict for verdict in verdicts if verdict.reason is None]
    exact, near = any(verdict.is_exact for verdict in judged), sum(verdict.is_approximate for verdict in judged)
    if not exact and not near:
        return ""
    text = "Intervals: 95 % for all methods of a verdict together, however often it was looked at; "
    approximate = "approximate (t on log ratios), as the rounds are too few for the exact test"
    if not exact:
        return f"{text}{approximate}."
    text += "exact for independent rounds (signed ranks)"
    return f"{text}, in {near} of {len(judged)} verdicts {approximate}." if near else f"{text}."


def verdicts(summaries: Iterable[CellSummary], rules: VerdictRules) -> tuple[Verdict, ...]:
    """Return the verdict of every contest, in the order of the summaries.

    A spec with a failed, skipped or unverified trial is left out of the ranking: the missing rounds may be the slow
    ones.

    Args:
        summaries: The summaries of the cells.
        rules: The rules of their run.
    """
    return VerdictCache().verdicts(summaries, rules)


_Basis = tuple[VerdictRules, float]
"""Rules, and the part of the error of all verdicts together that this one may spend."""


class VerdictCache:
    """Judges contests and keeps the verdicts; judges again only contests whose summaries or rules have changed."""

    def __init__(self) -> None:
        self._judged: dict[Cell, tuple[list[CellSummary], list[float | None], _Basis, Verdict]] = {}
        """Summaries, PSNRs, what else it rests on, and verdict by contest."""

    def verdicts(self, summaries: Iterable[CellSummary], rules: VerdictRules) -> tuple[Verdict, ...]:
        """Return the verdict of every contest, as the function ``verdicts`` does."""
        contests: dict[Cell, list[CellSummary]] = {}
        psnr_of: dict[tuple[str, str], float] = {}
        for summary in summaries:
            contests.setdefault(summary.cell.contest, []).append(summary)
            if summary.psnr_db is not None:  # measured when the store is written, and valid for all reads of it
                psnr_of[summary.cell.dataset, summary.cell.spec] = summary.psnr_db
        parts = error_parts(contest for contest, entries in contests.items() if len(entries) > 1)
        verdicts = []
        for contest, entries in contests.items():
            psnrs = [psnr_of.get((contest.dataset, entry.cell.spec)) for entry in entries]
            old_entries, old_psnrs, old_rules, verdict = self._judged.get(contest, ([], [], None, None))
            same = psnrs == old_psnrs and len(entries) == len(old_entries) and all(map(is_, entries, old_entries))
            key = (rules, parts.get(contest, 1.0))
            if verdict is None or not same or old_rules != key:
                verdict = _verdict(contest, entries, psnr_of, *key)
                self._judged[contest] = (entries, psnrs, key, verdict)
            verdicts.append(verdict)
        together = max(1, sum(verdict.reason is None and verdict.contest in parts for verdict in verdicts))
        return tuple(self._together(verdict, together) for verdict in verdicts)

    def _together(self, verdict: Verdict, together: int) -> Verdict:
        """Return a verdict with the number of those that hold together."""
        if verdict.judged_together != together:
            verdict = replace(verdict, judged_together=together)
            self._judged[verdict.contest] = (*self._judged[verdict.contest][:3], verdict)
        return verdict


def _verdict(
    contest: Cell, entries: list[CellSummary], psnr_of: Mapping[tuple[str, str], float], rules: VerdictRules,
    part: float,
) -> Verdict:  # fmt: skip
    valid = {entry.cell.spec: dict(entry.rounds) for entry in entries if exclusion_reason(entry) is None}
    left_out = [(entry.cell.spec, reason) for entry in entries if (reason := exclusion_reason(entry)) is not None]
    methods = sum(entry.skipped < entry.trials for entry in entries)
    look = rules.look(methods, len(shared_rounds(valid)))
    standings = rank_contestants(valid, look, methods=methods)
    headline = rank_contestants(valid, look, methods=methods, part=part)
    needed = rules.rounds_needed(methods)
    decided = any(entry.placement is not Placement.NONE for entry in standings)
    if decided:
        left_out += [
            (entry.name, _too_few(len(valid[entry.name]), MIN_ROUNDS if rules.ended else needed))
            for entry in standings
            if entry.placement is Placement.NONE
        ]
    ranked = [(entry.name, psnr_of.get((contest.dataset, entry.name))) for entry in standings]
    return Verdict(
        contest,
        standings,
        None if decided else _no_verdict(entries, valid, rules, needed),
        tuple(left_out),
        tuple((name, psnr) for name, psnr in ranked if psnr is not None),
        headline,
        settled=is_settled(headline),
        warnings=_dependence_warnings(valid, standings) if decided else (),
    )


def _dependence_warnings(
    valid: Mapping[str, Mapping[int, float]], standings: Sequence[Standing]
) -> tuple[NoiseWarning, ...]:
    """Return a warning of the first method whose ratios to the best drift or come in streaks."""
    best = next(entry.name for entry in standings if entry.placement is Placement.BEST)
    for entry in standings:
        if entry.placement in (Placement.TIE, Placement.SLOWER):
            ratios = paired_ratios(valid[entry.name], valid[best])
            if warnings := order_warnings(ratios, f"The ratios of {entry.name} to {best}"):
                return warnings
    return ()


def exclusion_reason(entry: CellSummary) -> str | None:
    """Return why a method is not ranked; None if it is."""
    if entry.emulator:
        return f"{entry.emulator} is an emulator, whose speed says nothing about the service"
    if entry.failed:
        return f"{entry.failed + entry.skipped} of {entry.trials} trials failed"
    if entry.skipped:
        return f"{entry.skipped} of {entry.trials} trials were skipped"
    if entry.unverified:
        return f"{entry.unverified} of {entry.trials} trials were not verified"
    return None


def _too_few(rounds: int, needed: int) -> str:
    return f"{rounds} of the {needed} rounds that a verdict needs"


def _no_verdict(
    entries: list[CellSummary], valid: dict[str, dict[int, float]], rules: VerdictRules, needed: int
) -> str:
    if len(entries) == 1:
        only = entries[0].cell.spec
        others = [spec.label for spec in rules.plan.specs if spec.label != only]
        if others:
            return f"only {only} has been measured, {listed(others)} not yet"
        return "there is only one storage method"
    if all(entry.emulator for entry in entries):
        return "every server that was measured is an emulator"
    if not valid:
        if all(entry.failed + entry.skipped == entry.trials for entry in entries):
            return "every trial failed"
        if any(entry.unverified for entry in entries):
            return "nothing was verified"
        return "no storage method passed without a failure"
    if len(valid) == 1 and any(entry.emulator for entry in entries):
        return f"only {next(iter(valid))} can be ranked"
    if len(valid) == 1:
        return f"only {next(iter(valid))} passed without a failure"
    rounds = sorted(len(entries) for entries in valid.values())[-2]
    if rounds >= needed:
        return f"it comes with round {rules.plan.rounds}, the last"
    return f"there {'is' if rounds == 1 else 'are'} only {_too_few(rounds, needed)}"
