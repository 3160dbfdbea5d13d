"""Fits how a method's time grows with the number of images, and predicts numbers that were not measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from imgstore_tui.analysis.ceilings import ceiling_rates
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import exclusion_reason
from imgstore_tui.core.ceiling import CeilingKind
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.stats.intervals import Interval, median_interval
from imgstore_tui.stats.line import Line, fit_lines

LEAST_ROUNDS = 3
"""Rounds below which nothing is predicted."""
LEAST_CUTOFFS = 3
"""Numbers of images below which a line cannot be tested, so that nothing is predicted beyond the largest."""
MEMORY_SHARE = 0.7
"""Share of the memory up to which a store can be expected to stay in the page cache."""
_COMPRESSION_OPTIONS = ("compression", "filter")
"""Options of backends that may compress several images together, by their names; ``none`` is off."""
_OFF = ("", "none", "off", "0", "false")


@dataclass(frozen=True, slots=True)
class TestedError:
    """How far off a prediction of the largest number of images is that is made from all others."""

    __test__ = False
    """The name begins as those of pytest's classes do."""
    images: int
    """The largest number of images measured."""
    from_images: int
    """The largest number of images that the prediction was made from."""
    ratio: Interval
    """Predicted over measured seconds, paired by round."""

    @property
    def factor(self) -> float:
        """How many times too much or too little may have been predicted, 1 or more: the farther end of the interval.

        Its median says too little: with costs per image that change by a fifth with each tenfold of images, intervals
        that are widened by it hold the truth at fifty times as many in one of two simulations, not in 19 of 20.
        """
        return math.exp(max(abs(math.log(end)) for end in (self.ratio.low, self.ratio.high)))


@dataclass(frozen=True, slots=True)
class Prediction:
    """Seconds of one operation at a number of images."""

    images: int
    interval: Interval
    """Median over the rounds, and its interval; beyond what was measured it is widened by the tested error."""
    rows: tuple[Cell, ...]
    """The cells that it rests on."""
    tested: TestedError | None
    """The error of a prediction that was tested; None for numbers of images within those measured."""
    widened: float = 1.0
    """Factor by which the interval was widened to both sides."""
    ceiling_bound: bool = False
    """Whether the device, as measured in this run, cannot be faster than the lower end of the interval."""

    @property
    def is_measured(self) -> bool:
        """Whether exactly this number of images was measured."""
        return len(self.rows) == 1


@dataclass(frozen=True, slots=True)
class NoPrediction:
    """A number of images for which nothing can be predicted."""

    images: int
    reason: str
    """One clause, without a full stop."""
    rows: tuple[Cell, ...] = ()
    """The cells that the reason rests on."""


@dataclass(frozen=True)
class Growth:
    """How the time of one method, operation and level grows with the number of images."""

    cell: Cell
    """The cells' common part; its cutoff is 0."""
    summaries: tuple[CellSummary, ...]
    """By ascending number of images; those that can be ranked and whose images are all different where that matters."""
    left_out: tuple[int, ...] = ()
    """Numbers of images left out, because compression could see that images repeat."""
    memory_bytes: int | None = None
    ceiling_bytes_per_s: float | None = None
    """Bytes per second that a plain sequential file reached in the same run on the same file system."""

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """Numbers of images measured, ascending."""
        return tuple(summary.cell.cutoff for summary in self.summaries)

    @property
    def rows(self) -> tuple[Cell, ...]:
        """The cells that everything rests on."""
        return tuple(summary.cell for summary in self.summaries)

    @cached_property
    def rounds(self) -> dict[int, tuple[float, ...]]:
        """Seconds at each number of images, for every round that has them all."""
        measured = [dict(summary.rounds) for summary in self.summaries]
        common = set.intersection(*(set(rounds) for rounds in measured)) if measured else set()
        return {number: tuple(rounds[number] for rounds in measured) for number in sorted(common)}

    @cached_property
    def lines(self) -> dict[int, Line]:
        """The line of each round; empty with one number of images."""
        if len(self.cutoffs) < 2:
            return {}
        return dict(zip(self.rounds, fit_lines(self.cutoffs, list(self.rounds.values())), strict=True))

    @property
    def start_s(self) -> Interval | None:
        """Seconds that do not depend on the number of images; None where there is no line."""
        return self._coefficient([line.start_s for line in self.lines.values()])

    @property
    def per_image_s(self) -> Interval | None:
        """Seconds that each image adds; None where there is no line."""
        return self._coefficient([line.per_image_s for line in self.lines.values()])

    def _coefficient(self, values: Sequence[float]) -> Interval | None:
        """Return the median of a coefficient over the rounds; what noise makes negative is 0, as costs are not."""
        if len(values) < LEAST_ROUNDS:
            return None
        interval = median_interval(values)
        return replace(
            interval, median=max(0.0, interval.median), low=max(0.0, interval.low), high=max(0.0, interval.high)
        )

    def seconds_by_round(self, images: float) -> dict[int, float]:
        """Return the seconds at a number of images for each round, as measured or between and beyond what was measured.

        Between two numbers of images the values are joined by a straight line. Beyond the largest the cost per image
        of the round's fitted line is added to what was measured there, which can only grow.
        """
        cutoffs = self.cutoffs
        return {
            number: _between(cutoffs, seconds, images)
            if images <= cutoffs[-1]
            else seconds[-1] + max(0.0, self.lines[number].per_image_s) * (images - cutoffs[-1])
            for number, seconds in self.rounds.items()
        }

    def extrapolate(self, images: float) -> Interval:
        """Return the seconds at a number of images as the rounds have them, with no allowance for a bent line."""
        return median_interval(list(self.seconds_by_round(images).values()))

    @cached_property
    def tested(self) -> TestedError | None:
        """How far off the largest number of images is predicted from all others; None where they are too few."""
        if len(self.cutoffs) < LEAST_CUTOFFS or len(self.rounds) < LEAST_ROUNDS:
            return None
        fewer = replace(self, summaries=self.summaries[:-1])
        images = self.cutoffs[-1]
        measured = dict(self.summaries[-1].rounds)
        predicted = fewer.seconds_by_round(images)
        ratios = [predicted[number] / measured[number] for number in predicted if measured.get(number, 0.0) > 0]
        return TestedError(images, fewer.cutoffs[-1], median_interval(ratios))

    def widening(self, images: float) -> float:
        """Return the factor by which intervals are widened at a number of images: 1 within what was measured.

        Beyond it the tested error counts once for each step as long as the tested one was (from the second largest
        number of images to the largest, as a ratio): a bent line bends on.
        """
        largest = self.cutoffs[-1]
        if images <= largest or self.tested is None:
            return 1.0
        steps = math.log(images / largest) / math.log(largest / self.cutoffs[-2])
        return float(self.tested.factor ** max(1.0, steps))

    def store_bytes(self, images: float) -> float | None:
        """Return the expected bytes of a store: those of the largest that was measured, in proportion."""
        last = self.summaries[-1]
        size = None if last.disk is None else last.disk.allocated_bytes or last.disk.apparent_bytes
        size = size or last.store_pixel_bytes
        return None if size is None else size / last.cell.cutoff * images

    def predict(self, images: int) -> Prediction | NoPrediction:
        """Return the seconds at a number of images, or why they cannot be predicted."""
        if images in self.cutoffs:
            summary = self.summaries[self.cutoffs.index(images)]
            if summary.interval is not None:
                return Prediction(images, summary.interval, (summary.cell,), None)
        if reason := self.obstacle(images):
            return NoPrediction(images, reason, self.rows)
        interval, factor = self.extrapolate(images), self.widening(images)
        if images <= self.cutoffs[-1]:
            return Prediction(images, interval, self._neighbours(images), None)
        low, size = interval.low / factor, self.store_bytes(images)
        bound = (
            size / self.ceiling_bytes_per_s
            if size and self.ceiling_bytes_per_s and self.cell.cache is CacheState.COLD
            else 0.0
        )
        widened = replace(
            interval, median=max(interval.median, bound), low=max(low, bound), high=max(interval.high * factor, bound)
        )
        return Prediction(images, widened, self.rows, self.tested, factor, bound > low)

    def _neighbours(self, images: int) -> tuple[Cell, ...]:
        """Return the rows of the numbers of images below and above one."""
        above = next(index for index, cutoff in enumerate(self.cutoffs) if cutoff >= images)
        return self.rows[above - 1 : above + 1]

    def rows_around(self, fewest: float, most: float) -> tuple[Cell, ...]:
        """Return the rows from which the seconds at numbers of images follow: those beside them, or all beyond these.

        Args:
            fewest: The least number of images.
            most: The largest.
        """
        if most > self.cutoffs[-1]:
            return self.rows
        below = max((index for index, cutoff in enumerate(self.cutoffs) if cutoff <= fewest), default=0)
        above = next(index for index, cutoff in enumerate(self.cutoffs) if cutoff >= most)
        return self.rows[below : above + 1]

    def obstacle(self, images: float) -> str:
        """Return why nothing can be predicted for a number of images; empty where something can."""
        if len(self.rounds) < LEAST_ROUNDS:
            have = f"{counted(len(self.rounds), 'round')} {'has' if len(self.rounds) == 1 else 'have'}"
            return f"{have} every number of images, and it takes {LEAST_ROUNDS}"
        if images < self.cutoffs[0]:
            return f"it is below the fewest images measured, {format_count(self.cutoffs[0])}"
        if images <= self.cutoffs[-1]:
            return ""
        if len(self.cutoffs) < LEAST_CUTOFFS:
            repeats = " whose images are all different" if self.left_out else ""
            return (
                f"it was measured at {len(self.cutoffs)} of the {LEAST_CUTOFFS} numbers of images{repeats} that it "
                "takes to test a prediction beyond them"
            )
        return self._memory_obstacle(images)

    def _memory_obstacle(self, images: float) -> str:
        """Return why what stays in memory now says nothing of so many images; empty where it does, or nothing stays."""
        if self.cell.cache is CacheState.COLD or self.cell.sync in (SyncLevel.END, SyncLevel.BATCH):
            return ""
        cure = "measure cold reads (--cache cold)" if self.cell.sync is None else "measure forced writes (--sync end)"
        size = self.store_bytes(images)
        if size is None or self.memory_bytes is None:
            unknown = "its size on disk" if size is None else "the memory of the machine"
            return f"{unknown} is not known, so that what was measured in memory says nothing of it: {cure}"
        if size <= MEMORY_SHARE * self.memory_bytes:
            return ""
        return (
            f"it would take {format_bytes(size)}, more than {100 * MEMORY_SHARE:.0f} % of the "
            f"{format_bytes(self.memory_bytes)} of memory, and was measured in memory: {cure}"
        )


def _between(cutoffs: Sequence[int], seconds: Sequence[float], images: float) -> float:
    """Return the value between those of the numbers of images beside it."""
    above = next(index for index, cutoff in enumerate(cutoffs) if cutoff >= images)
    if above == 0:
        return seconds[0]
    low, high = cutoffs[above - 1], cutoffs[above]
    share = (images - low) / (high - low)
    return seconds[above - 1] * (1 - share) + seconds[above] * share


def growths(run: Run, summaries: Iterable[CellSummary]) -> dict[Cell, Growth]:
    """Return how each method's time grows, by the cell with a cutoff of 0.

    Args:
        run: The run.
        summaries: The summaries of its cells.
    """
    series: dict[Cell, list[CellSummary]] = {}
    for summary in summaries:
        if summary.rounds and exclusion_reason(summary) is None:
            series.setdefault(replace(summary.cell, cutoff=0), []).append(summary)
    specs = {spec.label: spec for spec in run.plan.specs}
    distinct = {facts.text: facts.images for facts in run.datasets if facts.repeated}
    memory = run.environment.memory_bytes
    cold_files = {
        rate.dataset: rate.bytes_per_s.median
        for rate in ceiling_rates(run)
        if rate.kind is CeilingKind.FILE_READ and rate.cache is CacheState.COLD and rate.bytes_per_s is not None
    }
    grown = {}
    for cell, entries in series.items():
        ordered = sorted(entries, key=lambda entry: entry.cell.cutoff)
        most = distinct.get(cell.dataset)
        repeated: tuple[int, ...] = ()
        if most is not None and compresses_together(specs.get(cell.spec)):
            repeated = tuple(entry.cell.cutoff for entry in ordered if entry.cell.cutoff > most)
        distinct_entries = tuple(entry for entry in ordered if entry.cell.cutoff not in repeated)
        if distinct_entries:
            grown[cell] = Growth(cell, distinct_entries, repeated, memory, cold_files.get(cell.dataset))
    return grown


def compresses_together(spec: Spec | None) -> bool:
    """Return whether a method may compress several images together, so that it gains from images that repeat."""
    options: Mapping[str, object] = dict(spec.options) if spec is not None else {}
    return any(str(options.get(name, "none")).lower() not in _OFF for name in _COMPRESSION_OPTIONS)
