"""Gathers all advice on a run: for each dataset the ranking, its growth, and what the whole set takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from imgstore_tui.analysis.advice.keeping import Keeping, keepings, unsuitable_for_archive
from imgstore_tui.analysis.advice.method_choice import MethodChoice, choose_method
from imgstore_tui.analysis.advice.missing import MissingRow, missing_rows
from imgstore_tui.analysis.advice.phase_shares import PhaseShares, phase_shares
from imgstore_tui.analysis.advice.set_costs import SetCost, set_costs
from imgstore_tui.analysis.advice.tails import Tail, tails
from imgstore_tui.analysis.advice.training import BreakEven, TrainingTime, break_evens, training_times
from imgstore_tui.analysis.advice.weights import Criterion, Use, Weights, weights_for
from imgstore_tui.analysis.ceilings import Headroom, headrooms
from imgstore_tui.analysis.crossings import Crossing, crossings
from imgstore_tui.analysis.growth import MEMORY_SHARE, Growth, growths
from imgstore_tui.analysis.prices import EXAMPLE, PriceSheet
from imgstore_tui.analysis.scaling import ScalingCurve, scaling_curves
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.access import Access
from imgstore_tui.core.model import Cell, DatasetFacts, Plan, Run
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import MAX_CUTOFF

DEFAULT_EPOCHS = 100
"""Epochs of a training for which the user names no number."""
_FARTHER = 10
"""How many times beyond the images measured crossings are looked for, unless the whole set is larger."""
_RESUMABLE = ("budget", "stopped", "interrupted")
"""States in which a run has something left to measure."""
_KEPT_FOR_OTHERS = (Use.ARCHIVE, Use.SHARING)
"""Uses in which other people and programs meet the store."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What the user does with the images."""

    use: Use | None = None
    weights: Weights | None = None
    """Weights of the user, which come before those of the use."""
    images: int | None = None
    """Images of the whole set; None for those that the data has."""
    epochs: int | None = None
    """How often the whole set is read; None for what is usual for the use."""
    clients: int | None = None
    """How many clients read the set at once; None where that is not asked."""
    images_per_s: float | None = None
    """Images per second that the training takes; None where it is not known."""
    prices: PriceSheet = EXAMPLE
    """Prices of an object store."""

    @property
    def passes(self) -> int:
        """How often the whole set is read: unless the user says, ``DEFAULT_EPOCHS`` in training and else once."""
        usual = DEFAULT_EPOCHS if self.use in (None, Use.TRAINING) else 1
        return usual if self.epochs is None else self.epochs

    @property
    def shares(self) -> Weights:
        """The share of each criterion, 1 together."""
        return weights_for(self.use, self.weights or {})


@dataclass(frozen=True, slots=True)
class DatasetAdvice:
    """All advice on one dataset of a run."""

    situation: Situation
    choice: MethodChoice
    """The method to take."""
    images: int
    """Images of the whole set."""
    is_beyond_memory: bool
    """Whether a store of the whole set of some method surely does not stay in memory."""
    deciding: Cell | None
    """The read that the weights are mostly about, without a method and a number of images."""
    growths: Mapping[Cell, Growth]
    """How the time of each ranked method and operation grows, by cell with a cutoff of 0."""
    crossings: tuple[Crossing, ...]
    """Where another method takes over from the one to take in that read, or it from another."""
    training: tuple[TrainingTime, ...]
    """Empty where the weights are not about reading the whole set."""
    break_evens: tuple[BreakEven, ...]
    """Empty without rows of the user's own files."""
    shares: PhaseShares | None
    """How much of the read that the weights are mostly about is storage, with the method to take."""
    headroom: Headroom | None
    """How far that read is from what the machine does without a storage method; None where that was not measured."""
    keepings: tuple[Keeping, ...]
    """What the ranked methods keep, and the user's own files; empty where the use does not ask for it."""
    set_costs: tuple[SetCost, ...]
    """What the whole set costs in an object store, with each method of a known size."""
    own_code: frozenset[str]
    """Methods whose own library cannot do that read, so that code of this program was measured."""
    tails: tuple[Tail, ...]
    """The slow end of single reads, where the weights are mostly about them."""
    missing: tuple[MissingRow, ...]
    """Rows of times with a weight that were not measured, or in too few rounds."""
    plan: Plan
    """The plan of the run."""
    resumable_run: str = ""
    """The run, if it ended before all that its plan has was measured; else empty."""
    pixel_bytes: float | None = None
    """Bytes of the pixels of the whole set."""
    memory_bytes: int | None = None
    """Memory of the machine."""
    scalings: tuple[ScalingCurve, ...] = ()
    """What several clients of one store reached together, those of the method to take first."""


def advise_run(run: Run, summaries: Sequence[CellSummary], situation: Situation) -> tuple[DatasetAdvice, ...]:
    """Return the advice for each dataset of a run that has a measurement.

    Args:
        run: The run.
        summaries: The summaries of its cells.
        situation: What the user does with the images.
    """
    grown = growths(run, summaries)
    measured = {summary.cell.dataset for summary in summaries} | {entry.dataset for entry in run.client_rounds}
    return tuple(
        _dataset_advice(run, summaries, grown, dataset, situation)
        for dataset in run.plan.datasets
        if dataset in measured
    )


def _dataset_advice(
    run: Run, summaries: Sequence[CellSummary], grown: Mapping[Cell, Growth], dataset: str, situation: Situation
) -> DatasetAdvice:
    own = {cell: growth for cell, growth in grown.items() if cell.dataset == dataset}
    facts = next((facts for facts in run.datasets if facts.text == dataset), None)
    images = situation.images or (0 if facts is None else _set_size(facts))
    memory = run.environment.memory_bytes
    sizes = [size for growth in own.values() if (size := growth.store_bytes(images)) is not None]
    beyond = memory is not None and any(size > MEMORY_SHARE * memory for size in sizes)
    labels = dict.fromkeys(summary.cell.spec for summary in summaries if summary.cell.dataset == dataset)
    preserved = keepings(run.plan.specs, labels)
    unsuitable = {}
    if situation.use is Use.ARCHIVE:
        unsuitable = unsuitable_for_archive([keeping for keeping in preserved if keeping.spec != IN_PLACE.label])
    choice = choose_method(run, summaries, dataset, situation.shares, cold=beyond, unsuitable=unsuitable)
    ranked = [method.spec for method in choice.ranking.methods]
    specs = [*([IN_PLACE.label] if any(cell.spec == IN_PLACE.label for cell in own) else []), *ranked]
    deciding = _read_cell(choice, tuple(choice.ranking.shares))
    passes = [criterion for criterion in choice.ranking.shares if criterion in (Criterion.RANDOM, Criterion.READ)]
    whole = _read_cell(choice, passes)
    training: tuple[TrainingTime, ...] = ()
    pays: tuple[BreakEven, ...] = ()
    if whole is not None and images:
        training = training_times(own, specs, whole, images, situation.passes)
        if IN_PLACE.label in specs:
            pays = break_evens(own, ranked, whole, choice.levels.sync, images)
    return DatasetAdvice(
        situation=situation,
        choice=choice,
        images=images,
        is_beyond_memory=beyond,
        deciding=deciding,
        growths={cell: growth for cell, growth in own.items() if cell.spec in specs},
        crossings=_crossings(own, choice, deciding, max(images, _FARTHER * choice.cutoff)),
        training=training,
        break_evens=pays,
        shares=_shares(run, choice, deciding),
        headroom=_headroom(run, summaries, choice, deciding),
        keepings=(
            tuple(entry for entry in preserved if entry.spec in specs) if situation.use in _KEPT_FOR_OTHERS else ()
        ),
        set_costs=tuple(
            cost
            for cost in set_costs(run, summaries, dataset, images, situation.passes, situation.prices)
            if cost.spec in specs
        ),
        own_code=_own_code(summaries, choice, deciding),
        tails=_tails(run, choice, deciding),
        missing=missing_rows(run, summaries, choice),
        plan=run.plan,
        resumable_run=run.id if run.status in _RESUMABLE and not run.servers_end else "",
        pixel_bytes=None if facts is None else facts.image_bytes * images,
        memory_bytes=memory,
        scalings=tuple(
            sorted(
                (curve for curve in scaling_curves(run) if curve.row.dataset == dataset),
                key=lambda curve: curve.row.spec != choice.pick,
            )
        ),
    )


def _shares(run: Run, choice: MethodChoice, deciding: Cell | None) -> PhaseShares | None:
    spec = IN_PLACE.label if choice.keeps_own_files else choice.pick
    return (
        None if deciding is None or not spec else phase_shares(run, replace(deciding, spec=spec, cutoff=choice.cutoff))
    )


def _own_code(summaries: Sequence[CellSummary], choice: MethodChoice, deciding: Cell | None) -> frozenset[str]:
    if deciding is None:
        return frozenset()
    rows = {replace(deciding, spec=method.spec, cutoff=choice.cutoff) for method in choice.ranking.methods}
    return frozenset(entry.cell.spec for entry in summaries if entry.cell in rows and entry.access is Access.OWN)


def _tails(run: Run, choice: MethodChoice, deciding: Cell | None) -> tuple[Tail, ...]:
    if deciding is None or deciding.operation not in Criterion.SINGLE.operations:
        return ()
    rows = [replace(deciding, spec=method.spec, cutoff=choice.cutoff) for method in choice.ranking.methods]
    return tails(run, rows)


def _headroom(
    run: Run, summaries: Sequence[CellSummary], choice: MethodChoice, deciding: Cell | None
) -> Headroom | None:
    spec = IN_PLACE.label if choice.keeps_own_files else choice.pick
    if deciding is None or not spec:
        return None
    row = replace(deciding, spec=spec, cutoff=choice.cutoff)
    return next(iter(headrooms(run, [entry for entry in summaries if entry.cell == row])), None)


def _set_size(facts: DatasetFacts) -> int:
    """Return the images of a dataset; of one that is generated without end, those that were used."""
    return facts.images if facts.images < MAX_CUTOFF else facts.used


def _read_cell(choice: MethodChoice, criteria: Sequence[Criterion]) -> Cell | None:
    """Return the row of the first criterion that is a read, without its method and number of images."""
    for criterion in criteria:
        if criterion.operations and criterion is not Criterion.WRITE:
            for method in choice.ranking.methods:
                return replace(method.figures[criterion].row, spec="", cutoff=0)
    return None


def _crossings(
    grown: Mapping[Cell, Growth], choice: MethodChoice, deciding: Cell | None, most: int
) -> tuple[Crossing, ...]:
    own = None if deciding is None else grown.get(replace(deciding, spec=choice.pick))
    if own is None or deciding is None:
        return ()
    changes: list[Crossing] = []
    for method in choice.ranking.methods:
        other = grown.get(replace(deciding, spec=method.spec))
        if other is not None and method.spec != choice.pick:
            changes += crossings(own, other, most)
    return tuple(sorted(changes, key=lambda crossing: crossing.images))
