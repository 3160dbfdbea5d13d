"""Writes what the whole set takes: an epoch, a training, a conversion, and after how many epochs that pays back."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.training import BreakEven, Payback, TrainingTime
from imgstore_tui.analysis.growth import NoPrediction, Prediction
from imgstore_tui.core.model import Cell
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import counted, format_count, format_number, format_seconds
from imgstore_tui.stats.intervals import Interval

Sentence = tuple[str, str, tuple[Cell, ...]]
"""What it is about, the sentence, and the rows that it rests on."""


def time_sentences(given: DatasetAdvice) -> Iterator[Sentence]:
    """Yield what the whole set takes with the method to take, and beside what."""
    pick = IN_PLACE.label if given.advice.keeps_own_files else given.advice.pick
    taken = next((entry for entry in given.training if entry.spec == pick), None)
    if taken is None:
        return
    if isinstance(taken.epoch, NoPrediction):
        yield "epoch", f"What all {_many(given)} take cannot be predicted for {_name(pick)}: {taken.epoch.reason}.", ()
    else:
        yield from _epoch(given, taken, taken.epoch)
    pays = next((entry for entry in given.break_evens if entry.spec == pick), None)
    # What keeps an epoch from being predicted keeps the break-even from it, too, and is said already.
    if pays is not None and not (pays.payback is Payback.UNKNOWN and isinstance(taken.epoch, NoPrediction)):
        yield "break-even", _break_even_text(given, pays), pays.rows


def _epoch(given: DatasetAdvice, taken: TrainingTime, epoch: Prediction) -> Iterator[Sentence]:
    beside = _beside(given, taken.spec)
    work = f"An epoch of all {_many(given)}" if given.situation.passes > 1 else f"Reading all {_many(given)} once"
    text = f"{work} takes {span(epoch.interval)} with {_name(taken.spec)}"
    rows = taken.rows
    if beside is not None and isinstance(beside.epoch, Prediction):
        text += f", {span(beside.epoch.interval)} {_with(beside.spec)}"
        rows = (*rows, *beside.rows)
    yield "epoch", f"{text}.", rows
    if taken.training is not None and taken.epochs > 1:
        text = f"{format_count(taken.epochs)} epochs take {span(taken.training)} with {_name(taken.spec)}"
        if beside is not None and beside.training is not None:
            text += f", {span(beside.training)} {_with(beside.spec)}"
        if taken.first is not None:
            text += f"; the first, cold, {span(taken.first.interval)}"
        yield "training", f"{text}. Storage and decoding alone: what the model computes comes on top.", rows
    if epoch.tested is not None:
        tested = epoch.tested
        more = "more" if tested.ratio.median >= 1 else "less"
        off = (
            f"predicted {format_number(100 * abs(tested.ratio.median - 1))} % {more} than was measured"
            if abs(tested.ratio.median - 1) >= 0.005
            else "was right within 1 %"
        )
        yield (
            "tested",
            f"That is predicted from {format_count(tested.images)} images at most, and tested: from "
            f"{format_count(tested.from_images)} at most, the same line {off} for {format_count(tested.images)}; the "
            f"interval is wider for it by a factor of {format_number(epoch.widened)} to either side.",
            taken.rows,
        )
    if epoch.ceiling_bound:
        yield "ceiling", "It is not put lower than a plain sequential file on the same file system takes.", taken.rows


def _beside(given: DatasetAdvice, spec: str) -> TrainingTime | None:
    """Return what a method is held against: the user's own files, else the first that is ranked behind the best."""
    others = {entry.spec: entry for entry in given.training if entry.spec != spec}
    if IN_PLACE.label in others:
        return others[IN_PLACE.label]
    behind = [entry.name for entry in given.advice.ranking.standings if entry.name not in given.advice.ranking.best]
    behind += [entry.name for entry in given.advice.ranking.standings if entry.name in given.advice.ranking.best]
    return next((others[name] for name in behind if name in others), None)


def _break_even_text(given: DatasetAdvice, pays: BreakEven) -> str:
    text = f"Converting your files to {pays.spec}"
    if pays.convert is None or pays.saved is None:
        if given.situation.passes > 1:
            return f"After how many epochs it pays to convert to {pays.spec} cannot be told: {pays.reason}."
        return f"What it takes to convert to {pays.spec} cannot be told: {pays.reason}."
    text += f" takes {span(pays.convert)}"
    word = "epochs" if given.situation.passes > 1 else "readings of the whole set"
    one = word.removesuffix("s") if word == "epochs" else "reading of the whole set"
    if pays.payback is Payback.NEVER:
        return f"{text}, and never pays back: an epoch takes no less time."
    if pays.payback is Payback.UNSURE or pays.epochs is None:
        return f"{text}; whether it ever pays back cannot be told, as an epoch may take no less time."
    low, middle, high = (max(1, math.ceil(value)) for value in (pays.epochs.low, pays.epochs.median, pays.epochs.high))
    about = "" if low == high else f" ({format_count(low)} to {format_count(high)})"
    passes = given.situation.passes
    text += f", and pays back after {format_count(middle)} {one if middle == 1 else word}{about}"
    if passes > 1:
        text += ": within your training" if high <= passes else ": not surely within your training"
        text += f" of {format_count(passes)}"
    return f"{text}."


def payback_text(pays: BreakEven) -> str:
    """Return after how many epochs a conversion pays back, for a table: ``3 (2-4)``, ``never``, ``unsure``, ``-``."""
    if pays.payback is Payback.AFTER and pays.epochs is not None:
        low, middle, high = (max(1, math.ceil(v)) for v in (pays.epochs.low, pays.epochs.median, pays.epochs.high))
        return format_count(middle) if low == high else f"{format_count(middle)} ({low:,}-{high:,})"
    return "-" if pays.payback is Payback.UNKNOWN else str(pays.payback)


def _many(given: DatasetAdvice) -> str:
    return counted(given.images, "image")


def _name(spec: str) -> str:
    return "your files as they are" if spec == IN_PLACE.label else spec


def _with(spec: str) -> str:
    return "from your files as they are" if spec == IN_PLACE.label else f"with {spec}"


def span(interval: Interval) -> str:
    """Return a time and its interval: ``102 ms (95.0 ms to 110 ms)``."""
    return f"{time_text(interval.median)} ({time_text(interval.low)} to {time_text(interval.high)})"


def time_text(seconds: float) -> str:
    """Return a time of any length with three digits: ``12.3 ms``, ``45.6 s``, ``3.25 min``, ``2.5 h``, ``4 days``."""
    for scale, unit, least in ((86400.0, "days", 2 * 86400.0), (3600.0, "h", 5400.0), (60.0, "min", 100.0)):
        if seconds >= least:
            return f"{format_number(seconds / scale)} {unit}"
    return format_seconds(seconds)
