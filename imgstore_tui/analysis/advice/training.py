"""Predicts what an epoch, a training and the conversion of the whole set take, and after how many epochs that pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from imgstore_tui.analysis.growth import Growth, NoPrediction, Prediction
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.stats.intervals import Interval, median_interval


@dataclass(frozen=True, slots=True)
class TrainingTime:
    """What reading the whole set takes with one method, once and for a training."""

    spec: str
    images: int
    epochs: int
    epoch: Prediction | NoPrediction
    """An epoch after the first; the first one, too, unless ``first`` says otherwise."""
    first: Prediction | None
    """The first epoch, where cold reads were measured and the set then stays in memory."""
    training: Interval | None
    """Seconds of all epochs; None where an epoch cannot be predicted."""

    @property
    def rows(self) -> tuple[Cell, ...]:
        """The cells that it rests on."""
        parts = [part.rows for part in (self.first, self.epoch) if isinstance(part, Prediction)]
        return tuple(dict.fromkeys(row for rows in parts for row in rows))


class Payback(StrEnum):
    """Whether a conversion pays back."""

    AFTER = "after"
    """After a number of epochs."""
    NEVER = "never"
    """The method takes as long an epoch as the user's own files, or longer."""
    UNSURE = "unsure"
    """It cannot be told whether an epoch takes less time."""
    UNKNOWN = "unknown"
    """Something that it takes was not measured, or cannot be predicted."""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """After how many epochs the time to convert the user's own files is made up for."""

    spec: str
    images: int
    payback: Payback
    reason: str = ""
    """What is missing, for ``UNKNOWN``: a clause."""
    convert: Interval | None = None
    """Seconds to read all files once and to write them to the method."""
    saved: Interval | None = None
    """Seconds that an epoch takes less."""
    epochs: Interval | None = None
    """Epochs after which it pays back, for ``AFTER``."""
    rows: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rounds:
    """Seconds of each round, and the factor by which they may be off to either side."""

    seconds: Mapping[int, float]
    factor: float
    rows: tuple[Cell, ...]


def training_times(
    grown: Mapping[Cell, Growth], specs: Sequence[str], like: Cell, images: int, epochs: int
) -> tuple[TrainingTime, ...]:
    """Return what an epoch and a training take with each method.

    Args:
        grown: How the times of the run grow, by cell with a cutoff of 0.
        specs: The methods.
        like: A cell of the operation that is an epoch, at the cache state that is compared.
        images: Number of images of the whole set.
        epochs: Number of epochs.
    """
    times = []
    for spec in specs:
        growth = grown.get(replace(like, spec=spec, cutoff=0))
        if growth is None:
            unmeasured = NoPrediction(images, f"{like.operation} was not measured for it")
            times.append(TrainingTime(spec, images, epochs, unmeasured, None, None))
            continue
        epoch = growth.predict(images)
        cold = grown.get(replace(growth.cell, cache=CacheState.COLD)) if like.cache is CacheState.HOT else None
        first = cold.predict(images) if cold is not None else None
        first = first if isinstance(first, Prediction) else None
        training = None
        if isinstance(epoch, Prediction):
            training = _scaled(epoch.interval, epochs)
            if first is not None:
                later = _scaled(epoch.interval, epochs - 1)
                training = Interval(
                    first.interval.median + later.median,
                    first.interval.low + later.low,
                    first.interval.high + later.high,
                    None if first.interval.is_range or later.is_range else first.interval.coverage,
                    min(first.interval.n, later.n),
                )
        times.append(TrainingTime(spec, images, epochs, epoch, first, training))
    return tuple(times)


def _scaled(interval: Interval, factor: float) -> Interval:
    return replace(interval, median=interval.median * factor, low=interval.low * factor, high=interval.high * factor)


def break_evens(
    grown: Mapping[Cell, Growth], specs: Sequence[str], like: Cell, sync: SyncLevel | None, images: int
) -> tuple[BreakEven, ...]:
    """Return after how many epochs converting the user's own files to each method pays back.

    Everything is paired by round: the time to read all files in order once and to write them, over the time that an
    epoch takes less. Where times are predicted, each counts at the end of its widened interval that is against it.

    Args:
        grown: How the times of the run grow, by cell with a cutoff of 0.
        specs: The methods.
        like: A cell of the operation that is an epoch, at the cache state that is compared.
        sync: The sync level of the writes.
        images: Number of images of the whole set.
    """
    own = replace(like, spec=IN_PLACE.label, cutoff=0)
    return tuple(_break_even(grown, spec, own, sync, images) for spec in specs if spec != IN_PLACE.label)


def _break_even(grown: Mapping[Cell, Growth], spec: str, own: Cell, sync: SyncLevel | None, images: int) -> BreakEven:
    in_order = replace(own, operation=Operation.READ_MANY)
    cells = {
        "an epoch of your files": own,
        f"an epoch of {spec}": replace(own, spec=spec),
        "reading your files": in_order if in_order in grown else own,
        f"writing {spec}": replace(own, spec=spec, operation=Operation.WRITE_MANY, cache=None, sync=sync),
    }
    parts = []
    for name, cell in cells.items():
        part = _rounds(grown.get(cell), images)
        if isinstance(part, str):
            growth = grown.get(cell)
            rows = () if growth is None else growth.rows
            return BreakEven(spec, images, Payback.UNKNOWN, f"{name}: {part}", rows=rows)
        parts.append(part)
    source, method, read, write = parts
    rows = tuple(dict.fromkeys(row for part in parts for row in part.rows))
    shared = sorted(set.intersection(*(set(part.seconds) for part in parts)))

    def convert(push: int) -> dict[int, float]:
        return {n: read.seconds[n] * read.factor**push + write.seconds[n] * write.factor**push for n in shared}

    def saved(push: int) -> dict[int, float]:
        return {n: source.seconds[n] * source.factor**push - method.seconds[n] * method.factor**-push for n in shared}

    if not shared:
        return BreakEven(spec, images, Payback.UNKNOWN, "no round has all of it", rows=rows)
    cost, gain = _span(convert(-1), convert(0), convert(1)), _span(saved(-1), saved(0), saved(1))
    if gain.is_range or gain.low <= 0 < gain.high:
        payback = Payback.UNSURE
    elif gain.high <= 0:
        payback = Payback.NEVER
    else:
        payback = Payback.AFTER
    epochs = None
    if payback is Payback.AFTER:
        epochs = replace(gain, median=cost.median / gain.median, low=cost.low / gain.high, high=cost.high / gain.low)
    return BreakEven(spec, images, payback, "", cost, gain, epochs, rows)


def _span(low: Mapping[int, float], middle: Mapping[int, float], high: Mapping[int, float]) -> Interval:
    """Return the median of values by round, and what surrounds it with each pushed to the side that is against it."""
    plain = median_interval(list(middle.values()))
    return replace(plain, low=median_interval(list(low.values())).low, high=median_interval(list(high.values())).high)


def _rounds(growth: Growth | None, images: int) -> _Rounds | str:
    """Return the seconds of each round, or why there are none."""
    if growth is None:
        return "it was not measured"
    prediction = growth.predict(images)
    if isinstance(prediction, NoPrediction):
        return prediction.reason
    return _Rounds(growth.seconds_by_round(images), prediction.widened, prediction.rows)
