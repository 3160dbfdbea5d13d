"""Writes what the whole set takes: an epoch, a training, a conversion, when that pays back, an object store's price."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.training import BreakEven, Payback, TrainingTime
from imgstore_tui.analysis.growth import NoPrediction, Prediction, TestedError
from imgstore_tui.analysis.prices import EXAMPLE, PriceSheet
from imgstore_tui.core.model import Cell
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import amount_text, counted, format_count, format_number, format_seconds
from imgstore_tui.stats.intervals import Interval

LEAST_PRICE = 0.01
"""Amount below which no figure is shown."""
FAR = 100
"""How many times as many images as were measured are far beyond them."""
WORTH_SAYING = 1.0
"""Amount from which on a price is worth a sentence; the table has all."""

Sentence = tuple[str, str, tuple[Cell, ...]]
"""What it is about, the sentence, and the rows that it rests on."""


def time_sentences(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield what the whole set takes with the method to take, and beside what."""
    pick = IN_PLACE.label if advice.choice.keeps_own_files else advice.choice.pick
    chosen = next((entry for entry in advice.training if entry.spec == pick), None)
    if chosen is None:
        return
    if isinstance(chosen.epoch, NoPrediction):
        yield (
            "epoch",
            f"What all {_many(advice)} take cannot be predicted for {_name(pick)}: {chosen.epoch.reason}.",
            chosen.epoch.rows,
        )
    else:
        yield from _epoch(advice, chosen, chosen.epoch)
    pays = next((entry for entry in advice.break_evens if entry.spec == pick), None)
    # What keeps an epoch from being predicted keeps the break-even from it, too, and is said already.
    if pays is not None and not (pays.payback is Payback.UNKNOWN and isinstance(chosen.epoch, NoPrediction)):
        yield "break-even", _break_even_text(advice, pays), pays.rows


def _epoch(advice: DatasetAdvice, chosen: TrainingTime, epoch: Prediction) -> Iterator[Sentence]:
    beside = _beside(advice, chosen.spec)
    work = f"An epoch of all {_many(advice)}" if advice.situation.passes > 1 else f"Reading all {_many(advice)} once"
    text = f"{work} takes {span(epoch.interval)} with {_name(chosen.spec)}"
    rows = epoch.rows
    if beside is not None and isinstance(beside.epoch, Prediction):
        text += f", {span(beside.epoch.interval)} {_with(beside.spec)}"
        rows = (*rows, *beside.epoch.rows)
    yield "epoch", f"{text}.", rows
    if chosen.training is not None and chosen.epochs > 1:
        text = f"{format_count(chosen.epochs)} epochs take {span(chosen.training)} with {_name(chosen.spec)}"
        rows = chosen.rows
        if beside is not None and beside.training is not None:
            rows = (*rows, *beside.rows)
            text += f", {span(beside.training)} {_with(beside.spec)}"
        if chosen.first is not None:
            text += f"; the first, cold, {span(chosen.first.interval)}"
        yield "training", f"{text}. Storage and decoding alone, in one process{_pace(epoch, beside)}", rows
    if epoch.tested is not None:
        tested, ratio = epoch.tested, epoch.tested.ratio
        off = f"{format_number(ratio.median)} times ({format_number(ratio.low)} to {format_number(ratio.high)})"
        yield (
            "tested",
            f"That is predicted from {format_count(tested.images)} images at most. Tested: from "
            f"{format_count(tested.from_images)} at most the same line predicts {off} what was measured for "
            f"{format_count(tested.images)}, so that the interval is wider by a factor of "
            f"{format_number(epoch.widened)} to either side."
            f"{_farther(epoch, tested)}",
            epoch.rows,
        )
    if epoch.ceiling_bound:
        yield "ceiling", "It is not put lower than a plain sequential file on the same file system takes.", epoch.rows


def _pace(epoch: Prediction, beside: TrainingTime | None) -> str:
    """Return up to how many images a second a training waits for no storage, as the end of a sentence."""
    ends = [epoch.interval.high]
    if beside is not None and isinstance(beside.epoch, Prediction):
        ends.append(beside.epoch.interval.high)
    pace = format_count(float(f"{epoch.images / max(ends):.2g}"))
    waits = "waits for neither" if len(ends) > 1 else "does not wait for it"
    return f"; a model that takes fewer than {pace} images a second, read ahead, {waits}."


def _farther(epoch: Prediction, tested: TestedError) -> str:
    """Return what to measure where a prediction reaches far beyond what was measured; else empty."""
    if epoch.images < FAR * tested.images:
        return ""
    return f" {format_count(epoch.images / tested.images)} times as many is far: a run with more (-n) predicts nearer."


def _beside(advice: DatasetAdvice, spec: str) -> TrainingTime | None:
    """Return what a method is held against: the user's own files, else the first that is ranked behind the best."""
    others = {entry.spec: entry for entry in advice.training if entry.spec != spec}
    if IN_PLACE.label in others:
        return others[IN_PLACE.label]
    behind = [entry.name for entry in advice.choice.ranking.standings if entry.name not in advice.choice.ranking.best]
    behind += [entry.name for entry in advice.choice.ranking.standings if entry.name in advice.choice.ranking.best]
    return next((others[name] for name in behind if name in others), None)


def _break_even_text(advice: DatasetAdvice, pays: BreakEven) -> str:
    text = f"Converting your files to {pays.spec}"
    if pays.convert is None or pays.saved is None:
        reason = f"{pays.reason[:1].upper()}{pays.reason[1:]}"
        if advice.situation.passes > 1:
            return f"After how many epochs it pays to convert to {pays.spec} cannot be told. {reason}."
        return f"What it takes to convert to {pays.spec} cannot be told. {reason}."
    text += f" takes {span(pays.convert)}"
    word = "epochs" if advice.situation.passes > 1 else "readings of the whole set"
    one = word.removesuffix("s") if word == "epochs" else "reading of the whole set"
    if pays.payback is Payback.NEVER:
        return f"{text}, and never pays back: an epoch takes no less time."
    if pays.payback is Payback.UNSURE or pays.epochs is None:
        return f"{text}; whether it ever pays back cannot be told, as an epoch may take no less time."
    low, middle, high = _whole_epochs(pays.epochs)
    about = "" if low == high else f" ({format_count(low)} to {format_count(high)})"
    passes = advice.situation.passes
    text += f", and pays back after {format_count(middle)} {one if middle == 1 else word}{about}"
    if passes > 1:
        text += ": within your training" if high <= passes else ": not surely within your training"
        text += f" of {format_count(passes)}"
    return f"{text}."


def _whole_epochs(epochs: Interval) -> tuple[int, int, int]:
    """Return low end, median and high end as epochs that have ended: one pays back at the end of an epoch."""
    low, middle, high = (max(1, math.ceil(value)) for value in (epochs.low, epochs.median, epochs.high))
    return low, middle, high


def price_sentences(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield what the method to take costs in an object store, beside the user's own files, where that matters."""
    pick = IN_PLACE.label if advice.choice.keeps_own_files else advice.choice.pick
    costs = sorted(
        (cost for cost in advice.set_costs if cost.spec in (pick, IN_PLACE.label)), key=lambda cost: cost.spec != pick
    )
    if not pick or not advice.training or all(max(cost.month, cost.read) < WORTH_SAYING for cost in costs):
        return
    sheet, passes = advice.situation.prices, advice.situation.passes
    reading = f"for the requests of {format_count(passes)} epochs" if passes > 1 else "for the requests of one reading"
    clauses = [
        f"{_name(cost.spec)} {price_text(cost.month)} {sheet.currency} a month and {price_text(cost.read)} "
        f"{sheet.currency} {reading}"
        for cost in costs
    ]
    assumed = "" if all(cost.is_measured for cost in costs) else ", if every file is one object that is fetched whole"
    yield (
        "price",
        f"In an object store{assumed}: {'; '.join(clauses)} ({sheet_text(sheet)}).",
        tuple(row for cost in costs for row in cost.rows),
    )


def sheet_text(sheet: PriceSheet) -> str:
    """Return whose prices these are, of when, and whether they are the user's own or an example."""
    example = ", an example" if sheet == EXAMPLE else ""
    return f"prices of {sheet.service} as of {sheet.date}{example}"


def price_text(value: float) -> str:
    """Return an amount; below a hundredth nobody counts."""
    return f"<{LEAST_PRICE}" if 0 < value < LEAST_PRICE else amount_text(value)


def payback_text(pays: BreakEven) -> str:
    """Return after how many epochs a conversion pays back, for a table: ``3 (2-4)``, ``never``, ``unsure``, ``-``."""
    if pays.payback is Payback.AFTER and pays.epochs is not None:
        low, middle, high = _whole_epochs(pays.epochs)
        return format_count(middle) if low == high else f"{format_count(middle)} ({low:,}-{high:,})"
    return "-" if pays.payback is Payback.UNKNOWN else str(pays.payback)


def _many(advice: DatasetAdvice) -> str:
    return counted(advice.images, "image")


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
