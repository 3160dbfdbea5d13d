"""What each storage method says of itself, what the article says of it, and what was measured for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.article.claims import JudgedClaim, check_claims
from imgstore_tui.analysis.article.evidence import ClaimResult
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import Spec
from imgstore_tui.plugins import registry
from imgstore_tui.stats.ranking import Standing

UNKNOWN = "its backend is not installed here, so there is nothing to say of it but what was measured"


@dataclass(frozen=True, slots=True)
class MethodResult:
    """How a method did in one contest: that of the most images it was measured with."""

    summary: CellSummary
    standing: Standing | None
    """None where it could not be ranked."""
    competitors: int
    """How many methods took part, itself included."""
    best: tuple[str, ...]
    """The fastest, or those that tie for it."""


@dataclass(frozen=True, slots=True)
class MethodSummary:
    """One storage method of a run."""

    spec: Spec
    title: str
    when_to_choose: str
    caveats: str
    results: tuple[MethodResult, ...]
    """Each operation at each level, of the first dataset."""
    largest_store: CellSummary | None
    """The cell that knows what its store of the most images weighs."""
    claims: tuple[JudgedClaim, ...]
    """What the article says of it, as far as this run can judge that."""


def summarise_methods(
    run: Run, summaries: Sequence[CellSummary], found: Sequence[Verdict]
) -> tuple[MethodSummary, ...]:
    """Return a note on every storage method of the plan that was measured.

    Args:
        run: The run.
        summaries: Its cells.
        found: The verdicts of its contests.
    """
    entrants = Counter(entry.cell.contest for entry in summaries)
    verdict_of = {verdict.contest: verdict for verdict in found}
    judged = [claim for claim in check_claims(run, summaries) if claim.result is not ClaimResult.UNMEASURED]
    firsts = {spec.backend: spec.label for spec in reversed(run.plan.specs)}
    notes = []
    for spec in run.plan.specs:
        own = [entry for entry in summaries if entry.cell.spec == spec.label]
        if own:
            # The article's methods are judged by the first spec of their backend.
            claims = judged if firsts[spec.backend] == spec.label else []
            notes.append(_note(spec, own, entrants, verdict_of, claims))
    return tuple(notes)


def _note(
    spec: Spec, own: Sequence[CellSummary], entrants: Mapping[Cell, int], verdict_of: Mapping[Cell, Verdict],
    judged: Sequence[JudgedClaim],
) -> MethodSummary:  # fmt: skip
    title, when, caveats = _words(spec)
    dataset = own[0].cell.dataset
    showings = []
    for operation in Operation:
        here = [entry for entry in own if (entry.cell.operation, entry.cell.dataset) == (operation, dataset)]
        for level in dict.fromkeys((entry.cell.sync, entry.cell.cache) for entry in here):
            at = [entry for entry in here if (entry.cell.sync, entry.cell.cache) == level]
            most = max(at, key=lambda entry: entry.cell.cutoff)
            contest = most.cell.contest
            verdict = verdict_of.get(contest)
            standing = None if verdict is None else verdict.standing(spec.label)
            showings.append(MethodResult(most, standing, entrants[contest], () if verdict is None else verdict.best))
    weighed = [entry for entry in own if entry.cell.dataset == dataset and entry.disk is not None]
    claims = tuple(claim for claim in judged if spec.backend in claim.claim.about)
    most_weighed = max(weighed, key=lambda entry: entry.cell.cutoff, default=None)
    return MethodSummary(spec, title, when, caveats, tuple(showings), most_weighed, claims)


def _words(spec: Spec) -> tuple[str, str, str]:
    """Return what a backend says of itself; of one that is gone, that it is gone."""
    try:
        backend = registry.backends.get(spec.backend)
    except ImgstoreError:
        return spec.backend, UNKNOWN, ""
    return backend.title, backend.when_to_choose, backend.caveats
