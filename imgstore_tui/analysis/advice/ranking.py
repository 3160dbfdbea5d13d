"""Ranks methods by their weighted costs, and says at which weights another one would take over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.advice.costs import Figure
from imgstore_tui.analysis.advice.weights import Criterion, Weights
from imgstore_tui.analysis.verdict import VerdictRules
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.units import format_count
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.ranking import MARGIN, Placement, Standing, rank_contestants


@dataclass(frozen=True, slots=True)
class MethodCost:
    """A method with all its figures."""

    spec: str
    figures: Mapping[Criterion, Figure]
    ratios: Mapping[Criterion, float]
    """Each figure over the lowest of all methods that are compared."""
    score: float
    """The weighted geometric mean of the ratios: how many times as much as a method that is best in everything."""
    is_efficient: bool
    """Whether no other method is as good in everything that counts and better in something: the Pareto set."""
    psnr_db: float | None = None
    """PSNR of a lossy method, decibels."""

    @property
    def rows(self) -> tuple[Cell, ...]:
        """The cells of all figures, each once."""
        return tuple(dict.fromkeys(figure.row for figure in self.figures.values()))


@dataclass(frozen=True, slots=True)
class Threshold:
    """A weight at which another method takes over, all other weights staying in proportion."""

    criterion: Criterion
    share: float
    """0 to 1."""
    is_upper: bool
    """Whether the other method is first above the share, or below it."""
    spec: str
    """The method that takes over."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Methods ranked by their weighted costs."""

    shares: Weights
    """Weights of the criteria that were measured, 1 together, the largest first."""
    methods: tuple[MethodCost, ...]
    """By ascending score."""
    standings: tuple[Standing, ...]
    """By ascending median of the weighted cost over the rounds; its unit has no meaning, its ratios have."""
    reason: str = ""
    """Why none can be called best; empty where one can, or some tie."""

    @property
    def best(self) -> tuple[str, ...]:
        """The best method, or those that tie for it; empty if there is no verdict."""
        return tuple(entry.name for entry in self.standings if entry.placement in (Placement.BEST, Placement.TIE))

    @property
    def are_alike(self) -> bool:
        """Whether all that share the first place surely cost nearly the same, so that any of them will do."""
        tied = [entry for entry in self.standings if entry.placement is Placement.TIE]
        return bool(tied) and all(entry.is_near for entry in tied)

    def method(self, spec: str) -> MethodCost | None:
        """Return a method; None if it is not ranked."""
        return next((method for method in self.methods if method.spec == spec), None)

    def standing(self, spec: str) -> Standing | None:
        """Return the standing of a method; None if it is not ranked."""
        return next((standing for standing in self.standings if standing.name == spec), None)


def rank(
    run: Run, tables: Mapping[str, Mapping[Criterion, Figure]], shares: Weights, psnr: Mapping[str, float]
) -> Ranking:
    """Rank methods by the weighted geometric mean of their costs, paired by round.

    Args:
        run: The run, whose plan says when its methods are compared.
        tables: Figures of each method, by every criterion that has a share.
        shares: Weights of the criteria, 1 together.
        psnr: PSNR of the lossy methods, decibels.
    """
    if not tables or not shares:
        return Ranking(shares, (), (), "nothing that has a weight was measured")
    least = {criterion: min(figures[criterion].weighed for figures in tables.values()) for criterion in shares}
    ratios = {
        spec: {criterion: figures[criterion].weighed / least[criterion] for criterion in shares}
        for spec, figures in tables.items()
    }
    methods = [
        MethodCost(
            spec,
            figures,
            ratios[spec],
            math.exp(_log_score(ratios[spec], shares)),
            not any(_dominates(ratios[other], ratios[spec]) for other in tables if other != spec),
            psnr.get(spec),
        )
        for spec, figures in tables.items()
    ]
    methods.sort(key=lambda method: (method.score, method.spec))
    timed = [criterion for criterion in shares if criterion.operations]
    if not timed:
        return Ranking(shares, tuple(methods), _exact_standings(methods))
    costs = {spec: _weighted_rounds(figures, shares, timed) for spec, figures in tables.items()}
    shared = set.intersection(*(set(rounds) for rounds in costs.values()))
    look = VerdictRules.of(run).look(len(costs), len(shared))
    standings = rank_contestants(costs, look, methods=len(costs))
    needed = VerdictRules.of(run).rounds_needed(len(costs))
    reason = ""
    if len(tables) < 2:
        reason = f"only {methods[0].spec} can be ranked"
    elif all(entry.placement is Placement.NONE for entry in standings):
        reason = f"{format_count(len(shared))} of the {needed} rounds that a verdict needs"
    return Ranking(shares, tuple(methods), standings, reason)


def _log_score(ratios: Mapping[Criterion, float], shares: Weights) -> float:
    return sum(share * math.log(ratios[criterion]) for criterion, share in shares.items())


def _dominates(one: Mapping[Criterion, float], other: Mapping[Criterion, float]) -> bool:
    """Return whether a method is as good as another in everything and better in something."""
    return all(one[criterion] <= other[criterion] for criterion in one) and any(
        one[criterion] < other[criterion] for criterion in one
    )


def _weighted_rounds(
    figures: Mapping[Criterion, Figure], shares: Weights, timed: Sequence[Criterion]
) -> dict[int, float]:
    """Return the weighted cost in every round that has all times; what is no time is the same in each."""
    fixed = sum(
        share * math.log(figures[criterion].weighed) for criterion, share in shares.items() if criterion not in timed
    )
    common = set.intersection(*(set(figures[criterion].rounds) for criterion in timed))
    return {
        number: math.exp(
            fixed + sum(shares[criterion] * math.log(figures[criterion].rounds[number]) for criterion in timed)
        )
        for number in sorted(common)
    }


def _exact_standings(methods: Sequence[MethodCost]) -> tuple[Standing, ...]:
    """Return the standings by costs that are the same in every round, such as disk use."""
    standings: list[Standing] = []
    for method in methods:
        ratio = method.score / methods[0].score
        placement = Placement.SLOWER if ratio > MARGIN else Placement.TIE
        standings.append(
            Standing(
                method.spec,
                method.score,
                placement if standings else Placement.BEST,
                Interval(ratio, ratio, ratio, 1.0, 1),
            )
        )
    return tuple(standings)


def thresholds(ranking: Ranking, pick: str) -> tuple[Threshold, ...]:
    """Return at which weights another method would cost less than the one to take, nearest first.

    The weight of one criterion changes at a time, and the others keep their proportions. By the medians.

    Args:
        ranking: The ranking.
        pick: The method to take.
    """
    chosen = ranking.method(pick)
    if chosen is None:
        return ()
    tied = set(ranking.best)
    measured = [criterion for criterion in Criterion if all(criterion in method.figures for method in ranking.methods)]
    changes = []
    for criterion in measured:
        now = ranking.shares.get(criterion, 0.0)
        if now >= 1.0:
            continue
        upper: tuple[float, str] | None = None
        lower: tuple[float, str] | None = None
        for method in ranking.methods:
            if method.spec in tied:
                continue
            share = _equal_share(chosen, method, criterion, ranking.shares)
            if share is not None and share > now and (upper is None or share < upper[0]):
                upper = share, method.spec
            elif share is not None and share < now and (lower is None or share > lower[0]):
                lower = share, method.spec
        changes += [Threshold(criterion, upper[0], True, upper[1])] if upper else []
        changes += [Threshold(criterion, lower[0], False, lower[1])] if lower else []
    return tuple(
        sorted(
            changes, key=lambda entry: (abs(entry.share - ranking.shares.get(entry.criterion, 0.0)), entry.criterion)
        )
    )


def _equal_share(pick: MethodCost, other: MethodCost, criterion: Criterion, shares: Weights) -> float | None:
    """Return the share of a criterion, above 0 and below 1, at which two methods cost the same; None if there is none.

    The logarithm of the ratio of their costs is a straight line in the share: from that of all other criteria at 0 to
    that of the criterion alone at 1.
    """
    rest = 1.0 - shares.get(criterion, 0.0)
    others = sum(
        share / rest * _log_ratio(pick, other, weighed) for weighed, share in shares.items() if weighed is not criterion
    )
    alone = _log_ratio(pick, other, criterion)
    if others == alone:
        return None
    share = others / (others - alone)
    return share if 0.0 < share < 1.0 else None


def _log_ratio(pick: MethodCost, other: MethodCost, criterion: Criterion) -> float:
    return math.log(pick.figures[criterion].weighed / other.figures[criterion].weighed)
