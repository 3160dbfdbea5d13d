"""Writes what several clients of one store reach together: how that scales, where it stops, what more would do."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from imgstore_tui.analysis.scaling import (
    GAIN,
    LEAST_ROUNDS,
    SHARED,
    ClientFigures,
    Extension,
    ScalingCurve,
    rate_range,
    scaling_curves,
)
from imgstore_tui.core.client_round import ClientWork
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count, format_number, format_percent, format_rate
from imgstore_tui.present.text.captions import level_text
from imgstore_tui.present.text.shared_options import short_names
from imgstore_tui.present.text.text_page import folded_line
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.stats.universal_scalability import LawFit

TITLE = "Clients"

Sentence = tuple[str, str, tuple[Cell, ...]]
"""What it is about, the sentence, and the rows that it rests on."""


def client_sentences(
    curve: ScalingCurve, *, clients: int | None = None, images_per_s: float | None = None
) -> Iterator[Sentence]:
    """Yield what a contest of several clients says.

    Args:
        curve: The contest.
        clients: A number of clients that the user means to have; None for none.
        images_per_s: The rate that the user's training takes, images per second; None where it is not known.
    """
    rows = (curve.row,)
    measured = curve.measured
    if not measured:
        reasons = [reason for entry in curve.figures for reason, _ in entry.reasons]
        yield "clients", f"{_head(curve)}: no round counts: {reasons[0] if reasons else 'none was measured'}", rows
        return
    yield "clients", f"{_head(curve)}: {_throughputs(curve)}. {_gain_text(curve)}", rows
    if images_per_s is not None:
        yield "feeding", _feeding_text(curve, images_per_s), rows
    if clients is not None:
        yield "more clients", _extension_text(curve, clients), rows


def clients_text(run: Run, width: int | None) -> Text:
    """Return what the rounds of clients of a run say, under a heading; empty where it has none.

    Args:
        run: The run.
        width: Columns available; None folds nothing.
    """
    text = Text()
    sentences = [sentence for curve in scaling_curves(run) for _, sentence, _ in client_sentences(curve)]
    for number, sentence in enumerate(sentences):
        text.append("" if number else f"{TITLE}\n", style="bold yellow")
        text.append_text(folded_line("- ", "dim", short_names(safe_text(sentence), run.plan), width))
    return text


def request_cost_text(curve: ScalingCurve, clients: int | None, image_price: float, currency: str) -> str:
    """Return what the requests of clients cost in an hour; empty where their throughput is not known.

    Args:
        curve: The contest.
        clients: A number of clients; None for those with the most throughput.
        image_price: Price of the requests that one image takes.
        currency: Its unit.
    """
    figures = next((entry for entry in curve.measured if entry.clients == clients), None)
    if clients is None and curve.measured:
        figures = max(curve.measured, key=lambda entry: entry.throughput.median if entry.throughput else 0.0)
    extension = None if clients is None or figures is not None else curve.extend(clients)
    rate = extension.throughput if isinstance(extension, Extension) else figures.throughput if figures else None
    if rate is None:
        return ""
    many = figures.clients if figures is not None else clients or 0
    low, middle, high = (3600 * value * image_price for value in (rate.low, rate.median, rate.high))
    return (
        f"The requests of {counted(many, 'client')} of {curve.row.spec} cost about {format_number(middle)} {currency} "
        f"an hour ({format_number(low)} to {format_number(high)}) at {rate_range(rate)}; an epoch costs the same with "
        "any number of clients."
    )


def work_text(curve: ScalingCurve) -> str:
    """Return what each client does, and for how long: ``each its share for 10 s``."""
    what = "each its share" if curve.work is ClientWork.SHARE else "each all images"
    return f"{what}, {'one pass' if not curve.window_s else f'for {curve.window_s:g} s'}"


def contest_text(curve: ScalingCurve) -> str:
    """Return operation, level, images and work: ``read-random, cache hot, 1,000 images, each its share, for 10 s``."""
    row = curve.row
    parts = [str(row.operation), level_text(row), counted(row.cutoff, "image"), work_text(curve)]
    return ", ".join(part for part in parts if part)


def _head(curve: ScalingCurve) -> str:
    return f"Clients of {curve.row.spec}, {contest_text(curve)}"


def _throughputs(curve: ScalingCurve) -> str:
    """Return the throughput of the fewest clients, and of those with the most, with the scaling between both."""
    fewest = curve.measured[0]
    most = max(curve.measured, key=lambda entry: entry.throughput.median if entry.throughput else 0.0)
    text = f"{counted(fewest.clients, 'client')} {_reach(fewest)} {_rate(fewest)}"
    if most.clients == fewest.clients:
        return text
    text += f", {counted(most.clients, 'client')} {_rate(most)}"
    return text if most.scaling is None else f"{text}: {_times(most.scaling)} that of one"


def _reach(figures: ClientFigures) -> str:
    return "reaches" if figures.clients == 1 else "reach"


def _rate(figures: ClientFigures) -> str:
    return "-" if figures.throughput is None else rate_range(figures.throughput)


def _times(ratio: Interval) -> str:
    return f"{format_number(ratio.median)} times ({format_number(ratio.low)} to {format_number(ratio.high)})"


def _gain_text(curve: ScalingCurve) -> str:
    """Return from which number of clients on more gain nothing, or why that is not said."""
    if curve.shares_cores:
        return f"{SHARED[0].upper()}{SHARED[1:]}."
    gain, margin = curve.gain, format_percent(GAIN - 1)
    if gain is None:
        open_ones = [entry for entry in curve.figures if entry.unclaimed or entry.throughput is None]
        if not open_ones:
            return "Whether more would gain was not measured."
        first = open_ones[0]
        why = first.unclaimed or "no round counts"
        return f"How it scales is unsure: at {counted(first.clients, 'client')}, {why}."
    if gain.clients == gain.most:
        return f"It gains up to {counted(gain.most, 'client')}, the most measured."
    if gain.is_sure:
        return (
            f"It stops gaining at {counted(gain.clients, 'client')} here: up to {format_count(gain.most)}, no larger "
            f"number is faster by more than {margin}."
        )
    return (
        f"Beyond {counted(gain.clients, 'client')} no gain was shown here: up to {format_count(gain.most)}, no larger "
        f"number was shown to be faster by more than {margin}, though some may be."
    )


def _feeding_text(curve: ScalingCurve, images_per_s: float) -> str:
    """Return how many clients suffice for a rate."""
    rate = f"{format_rate(images_per_s)} images/s"
    if curve.shares_cores:
        return f"How many clients of {curve.row.spec} suffice to feed {rate} is not said ({SHARED})."
    enough = curve.feeding(images_per_s)
    if enough is not None and enough.throughput is not None:
        suffice = "suffices" if enough.clients == 1 else "suffice"
        return (
            f"{counted(enough.clients, 'client')} of {curve.row.spec} {suffice} to feed {rate}: together at least "
            f"{format_rate(enough.throughput.low)} images/s."
        )
    sure = [entry for entry in curve.measured if entry.throughput is not None and len(entry.rounds) >= LEAST_ROUNDS]
    if not sure:
        return f"How many clients of {curve.row.spec} suffice to feed {rate} takes {LEAST_ROUNDS} rounds to say."
    best = max(sure, key=lambda entry: entry.throughput.low if entry.throughput else 0.0)
    return (
        f"No number of clients of {curve.row.spec} that was measured surely feeds {rate}: "
        f"{counted(best.clients, 'client')} {_reach(best)} {_rate(best)}."
    )


def _extension_text(curve: ScalingCurve, clients: int) -> str:
    """Return what more clients than were measured would reach, or why that is not said."""
    known = next((entry for entry in curve.measured if entry.clients == clients), None)
    if known is not None and known.throughput is not None:
        return f"{counted(clients, 'client')} of {curve.row.spec} were measured: {_rate(known)}."
    extension, fit = curve.extend(clients), curve.law
    if not isinstance(extension, Extension) or not isinstance(fit, LawFit):
        return f"What {counted(clients, 'client')} of {curve.row.spec} reach is not predicted: {extension}."
    tested = extension.tested
    contention, coherency = fit.constants()
    text = (
        f"{counted(clients, 'client')} of {curve.row.spec} would reach {rate_range(extension.throughput)}, by the "
        f"universal scalability law fitted to {fit.clients[0]} to {format_count(fit.clients[-1])} clients (contention "
        f"{_constant(contention)}, coherency {_constant(coherency)}). Tested: from {format_count(tested.from_clients)} "
        f"clients at most it predicts {rate_range(tested.predicted)} for {format_count(tested.clients)}, and "
        f"{format_rate(tested.measured)} were measured; the interval is wider for it by a factor of "
        f"{format_number(extension.widened)} to either side."
    )
    most = fit.law.most_clients
    if most is not None and most < clients:
        text += f" By the law throughput is highest at about {format_count(max(1, round(most)))} clients."
    return text


def _constant(value: Interval) -> str:
    return f"{value.median:.2g}, {value.low:.2g} to {value.high:.2g}"
