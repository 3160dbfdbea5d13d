"""Summarises each storage method: its own description, its results, the article's claims about it."""

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
    """The result of a method in one contest: that of the most images it was measured with."""

    summary: CellSummary
    standing: Standing | None
    """None where it could not be ranked."""
    competitors: int
    """Number of methods in the contest, this one included."""
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
    """Each operation at each level, on the first dataset."""
    largest_store: CellSummary | None
    """The cell of the most images that has disk use."""
    claims: tuple[JudgedClaim, ...]
    """The article's claims about the method that this run can judge."""


def summarise_methods(
    run: Run, summaries: Sequence[CellSummary], verdicts: Sequence[Verdict]
) -> tuple[MethodSummary, ...]:
    """Return a summary of every storage method of the plan that was measured.

    Args:
        run: The run.
        summaries: Its cells.
        verdicts: The verdicts of its contests.
    """
    competitors = Counter(entry.cell.contest for entry in summaries)
    verdict_of = {verdict.contest: verdict for verdict in verdicts}
    judged = [claim for claim in check_claims(run, summaries) if claim.result is not ClaimResult.UNMEASURED]
    firsts = {spec.backend: spec.label for spec in reversed(run.plan.specs)}
    methods = []
    for spec in run.plan.specs:
        own = [entry for entry in summaries if entry.cell.spec == spec.label]
        if own:
            # The article's methods are judged by the first spec of their backend.
            claims = judged if firsts[spec.backend] == spec.label else []
            methods.append(_summary(spec, own, competitors, verdict_of, claims))
    return tuple(methods)


def _summary(
    spec: Spec, own: Sequence[CellSummary], competitors: Mapping[Cell, int], verdict_of: Mapping[Cell, Verdict],
    judged: Sequence[JudgedClaim],
) -> MethodSummary:  # fmt: skip
    title, when_to_choose, caveats = _description(spec)
    dataset = own[0].cell.dataset
    results = []
    for operation in Operation:
        cells = [entry for entry in own if (entry.cell.operation, entry.cell.dataset) == (operation, dataset)]
        for level in dict.fromkeys((entry.cell.sync, entry.cell.cache) for entry in cells):
            at_level = [entry for entry in cells if (entry.cell.sync, entry.cell.cache) == level]
            most = max(at_level, key=lambda entry: entry.cell.cutoff)
            contest = most.cell.contest
            verdict = verdict_of.get(contest)
            standing = None if verdict is None else verdict.standing(spec.label)
            results.append(MethodResult(most, standing, competitors[contest], () if verdict is None else verdict.best))
    stores = [entry for entry in own if entry.cell.dataset == dataset and entry.disk is not None]
    largest_store = max(stores, key=lambda entry: entry.cell.cutoff, default=None)
    claims = tuple(claim for claim in judged if spec.backend in claim.claim.about)
    return MethodSummary(spec, title, when_to_choose, caveats, tuple(results), largest_store, claims)


def _description(spec: Spec) -> tuple[str, str, str]:
    """Return title, when to choose and caveats of a backend; of one that is not installed, that it is not."""
    try:
        backend = registry.backends.get(spec.backend)
    except ImgstoreError:
        return spec.backend, UNKNOWN, ""
    return backend.title, backend.when_to_choose, backend.caveats
