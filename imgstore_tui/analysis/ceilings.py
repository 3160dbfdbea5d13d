"""Holds each result against the ceilings of its run: what share of its time is storage, and how far it could get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.advice.phase_shares import phase_shares
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.ceiling import Ceiling, CeilingKind
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import CacheState, Operation, Payload, Status, SyncLevel
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.spec import IN_PLACE, Spec
from imgstore_tui.plugins import registry
from imgstore_tui.stats.intervals import Interval, median_interval

WHOLE_SET = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)
"""Operations that handle all images, for which rates of many images say something."""


@dataclass(frozen=True, slots=True)
class CeilingRate:
    """The rate of one ceiling over its rounds."""

    dataset: str
    kind: CeilingKind
    codec: str | None
    codec_options: Mapping[str, OptionValue]
    cache: CacheState | None
    sync: SyncLevel | None
    bytes_per_s: Interval | None
    """Median over the rounds and its interval; None where no trial has a time."""
    images_per_s: Interval | None
    """The same in images; None unless it is a codec."""
    reason: str
    """Why there is none; empty where there is one."""


def ceiling_rates(run: Run) -> tuple[CeilingRate, ...]:
    """Return the ceilings of a run, in the order in which they were measured."""
    trials: dict[tuple[object, ...], list[Ceiling]] = {}
    for ceiling in run.ceilings:
        trials.setdefault(ceiling.key, []).append(ceiling)
    return tuple(_rate(group) for group in trials.values())


def _rate(group: Sequence[Ceiling]) -> CeilingRate:
    first = group[0]
    timed = [entry for entry in group if entry.status is Status.OK and entry.seconds and entry.bytes]
    images = [entry.images / entry.seconds for entry in timed if entry.images and entry.seconds]
    speeds = [speed for entry in timed if (speed := entry.bytes_per_s) is not None]
    reasons = [entry.reason for entry in group if entry.reason]
    return CeilingRate(
        first.dataset,
        first.kind,
        first.codec,
        first.codec_options,
        first.cache,
        first.sync,
        median_interval(speeds) if speeds else None,
        median_interval(images) if images else None,
        "" if speeds else reasons[0] if reasons else "it was not measured",
    )


@dataclass(frozen=True, slots=True)
class Headroom:
    """How one result stands against the ceilings of its run."""

    row: Cell
    seconds: float
    """Median seconds of the result."""
    codec_s: float
    """Seconds that the codec alone takes for the same pixels, in memory; 0 where there is no codec on the clock."""
    file_s: float | None
    """Seconds that a plain file of the same size takes at the same level, or for a read from memory the copy alone if
    that is faster; None where it cannot be known."""
    storage: float
    """Share of the time that is storage, 0 to 1."""
    is_measured: bool
    """Whether that share is from the phases of the trials; else what the codec alone takes was left out."""

    @property
    def ceiling_s(self) -> float | None:
        """Seconds that codec and plain file take together: no storage can be faster by much."""
        return None if self.file_s is None else self.codec_s + self.file_s

    @property
    def distance(self) -> float | None:
        """How many times as long as the ceiling the result takes; None where that is not known."""
        ceiling = self.ceiling_s
        return self.seconds / ceiling if ceiling else None

    @property
    def most_gain(self) -> float:
        """How many times as fast it would be if storage took no time at all."""
        return 1 / (1 - self.storage) if self.storage < 1 else float("inf")


def headrooms(run: Run, summaries: Iterable[CellSummary]) -> tuple[Headroom, ...]:
    """Return how the results of all images stand against the ceilings; empty where the run has no ceilings.

    Args:
        run: The run.
        summaries: The summaries of its cells.
    """
    rates = ceiling_rates(run)
    specs = {spec.label: spec for spec in (IN_PLACE, *run.plan.specs)}
    entries = (_headroom(run, summary, specs.get(summary.cell.spec), rates) for summary in summaries)
    return tuple(entry for entry in entries if entry is not None)


def _headroom(run: Run, summary: CellSummary, spec: Spec | None, rates: Sequence[CeilingRate]) -> Headroom | None:
    cell, seconds, pixels = summary.cell, summary.seconds, summary.pixel_bytes
    if spec is None or not seconds or not pixels or cell.operation not in WHOLE_SET or cell.workers > 1:
        return None
    own = [rate for rate in rates if rate.dataset == cell.dataset]
    codec_s = _codec_s(own, cell, spec, pixels)
    if not own or codec_s is None:
        return None
    measured = phase_shares(run, cell)
    storage = max(0.0, 1 - codec_s / seconds) if measured is None else measured.storage
    return Headroom(cell, seconds, codec_s, _file_s(own, summary, spec), storage, measured is not None or not codec_s)


def _codec_s(rates: Sequence[CeilingRate], cell: Cell, spec: Spec, pixels: int) -> float | None:
    """Return the seconds of the codec alone; None where it was not measured."""
    if cell.payload is not Payload.END_TO_END or registry.codecs.get(spec.codec).is_raw:
        return 0.0
    if cell.operation.writes and registry.codecs.get(spec.codec).from_file:
        return 0.0
    kind = CeilingKind.ENCODE if cell.operation.writes else CeilingKind.DECODE
    options = dict(spec.codec_options)
    for rate in rates:
        same = rate.kind is kind and rate.codec == spec.codec and dict(rate.codec_options) == options
        if same and rate.bytes_per_s is not None:
            return pixels / rate.bytes_per_s.median
    return None


def _file_s(rates: Sequence[CeilingRate], summary: CellSummary, spec: Spec) -> float | None:
    """Return the seconds of a plain file as large as the store; None where one of them is not known."""
    cell = summary.cell
    size = None if summary.disk is None else summary.disk.apparent_bytes
    if not size or _is_on_server(spec):
        return None
    kind = CeilingKind.FILE_WRITE if cell.operation.writes else CeilingKind.FILE_READ
    speeds = [
        rate.bytes_per_s.median
        for rate in rates
        if rate.bytes_per_s is not None
        and (
            (rate.kind is kind and (rate.cache, rate.sync) == (cell.cache, cell.sync))
            or (rate.kind is CeilingKind.COPY and cell.cache is CacheState.HOT)
        )
    ]
    files = any(rate.kind is kind and rate.bytes_per_s and (rate.cache, rate.sync) == (cell.cache, cell.sync)
                for rate in rates)  # fmt: skip
    return size / max(speeds) if files else None


def _is_on_server(spec: Spec) -> bool:
    try:
        return spec != IN_PLACE and registry.backends.get(spec.backend).capabilities.server
    except ImgstoreError:
        return True  # of a plug-in that is not here nothing is known
