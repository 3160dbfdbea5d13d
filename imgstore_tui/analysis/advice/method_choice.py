"""Chooses the method to take for a dataset: the ranking by weights, beside the user's own files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from imgstore_tui.analysis.advice.costs import CostTables, Figure, Levels, cost_tables
from imgstore_tui.analysis.advice.ranking import Ranking, Threshold, rank, thresholds
from imgstore_tui.analysis.advice.weights import Criterion, Weights
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import listed
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import IN_PLACE

MOST_UNMEASURED = 0.4
"""Share of the weights up to which the rest may decide without what was not measured."""


@dataclass(frozen=True, slots=True)
class MethodChoice:
    """What to take for a dataset, by weights, and what that rests on."""

    dataset: str
    cutoff: int
    """Number of images whose rows are compared."""
    levels: Levels
    """Cache state and sync level of these rows."""
    weights: Weights
    """Shares as asked for, 1 together."""
    ranking: Ranking
    own_files: Ranking | None
    """The ranking with the user's own files among the methods, without the time to write, which they have behind them;
    None where they were not read."""
    pick: str
    """The method to take; empty where there is none."""
    left_out: tuple[tuple[str, str], ...]
    """Methods that are not ranked, and why."""
    unmeasured: tuple[Criterion, ...]
    """Criteria with a weight that the run did not measure."""
    stands_for: tuple[tuple[Criterion, Operation], ...]
    """Criteria for which another operation stands, as its own was not measured."""
    thresholds: tuple[Threshold, ...]

    @property
    def keeps_own_files(self) -> bool:
        """Whether the user's own files share the first place, so that nothing needs to be converted."""
        return self.own_files is not None and IN_PLACE.label in self.own_files.best


def choose_method(
    run: Run, summaries: Sequence[CellSummary], dataset: str, weights: Weights, *, cold: bool = False,
    unsuitable: Mapping[str, str] | None = None,
) -> MethodChoice:  # fmt: skip
    """Rank the methods of a run for one dataset.

    Args:
        run: The run.
        summaries: The summaries of its cells.
        dataset: The dataset as the plan has it.
        weights: Shares of the criteria, 1 together.
        cold: Whether the images do not fit in memory, so that cold reads count where they were measured.
        unsuitable: Methods that are left out whatever they cost, with the reason.
    """
    tables = cost_tables(run, summaries, dataset, weights, cold=cold)
    shares = _normalised({criterion: share for criterion, share in weights.items() if criterion in tables.measured})
    left_out, eligible = [], {}
    for spec, figures in tables.figures.items():
        missing = next((criterion for criterion in shares if criterion not in figures), None)
        if spec == IN_PLACE.label:
            continue
        if missing is not None:
            left_out.append((spec, tables.missing_reason(spec, missing)))
        elif reason := (unsuitable or {}).get(spec):
            left_out.append((spec, reason))
        else:
            eligible[spec] = figures
    ranking = rank(run, eligible, shares, tables.psnr_db)
    unmeasured = tuple(criterion for criterion in weights if criterion not in tables.measured)
    if sum(weights[criterion] for criterion in unmeasured) > MOST_UNMEASURED:
        ranking = replace(ranking, standings=(), reason=_too_little_measured(weights, unmeasured))
    pick = _pick(run, ranking)
    return MethodChoice(
        dataset=dataset,
        cutoff=tables.cutoff,
        levels=tables.levels,
        weights=weights,
        ranking=ranking,
        own_files=_beside_own_files(run, tables, eligible, shares),
        pick=pick,
        left_out=tuple(left_out),
        unmeasured=unmeasured,
        stands_for=tuple(
            (criterion, operation)
            for criterion, operation in tables.operations.items()
            if criterion in shares and operation is not None and operation is not criterion.operations[0]
        ),
        thresholds=thresholds(ranking, pick),
    )


def _too_little_measured(weights: Weights, unmeasured: Sequence[Criterion]) -> str:
    """Return a clause on what most of the weight is about."""
    named = listed([criterion.describe for criterion in unmeasured])
    share = round(100 * sum(weights[criterion] for criterion in unmeasured))
    return f"{named}, {share} % of the weight, {'was' if len(unmeasured) == 1 else 'were'} not measured"


def _beside_own_files(
    run: Run, tables: CostTables, methods: Mapping[str, Mapping[Criterion, Figure]], shares: Weights
) -> Ranking | None:
    """Return the ranking with the user's own files, by all that they have a figure of."""
    own = tables.figures.get(IN_PLACE.label, {})
    there = _normalised({criterion: share for criterion, share in shares.items() if criterion in own})
    if not any(criterion.operations for criterion in there):
        return None
    return rank(run, {IN_PLACE.label: own, **methods}, there, tables.psnr_db)


def _normalised(weights: Weights) -> dict[Criterion, float]:
    total = sum(weights.values())
    return {criterion: share / total for criterion, share in weights.items()} if total > 0 else {}


def _pick(run: Run, ranking: Ranking) -> str:
    """Return the method to take, of those that keep every bit where there is one.

    Of methods shown to be alike the first of the plan, of methods too close to call the one that costs least so far.
    """
    if ranking.reason:
        return ""
    lossy = {method.spec for method in ranking.methods if method.psnr_db is not None}
    candidates = [spec for spec in ranking.best if spec not in lossy] or list(ranking.best)
    if not ranking.are_alike:
        return next((method.spec for method in ranking.methods if method.spec in candidates), "")
    order = [spec.label for spec in run.plan.specs]
    # Which of those that are alike has the lowest median is chance, and another run has another.
    return min(candidates, key=lambda spec: (order.index(spec) if spec in order else len(order), spec), default="")
