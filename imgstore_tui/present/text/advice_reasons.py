"""Writes what makes the difference between methods: decoding, the heaviest cost, or memory that holds the whole set."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgstore_tui.analysis.advice.ranking import Ranking
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.advice.weights import Criterion
from imgstore_tui.analysis.growth import Prediction
from imgstore_tui.analysis.verdict import listed
from imgstore_tui.core.content import RAW_CODEC
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import counted, format_bytes, format_number
from imgstore_tui.present.text.advice_times import Sentence, time_text

FITS = 0.25
"""Share of the memory up to which a program can keep the pixels of the whole set beside all else."""
LITTLE_S = 60.0
"""Seconds that nobody chooses a storage method by."""
UNLIKE = 1.5
"""Ratio of two costs from which on they are not alike."""
LARGE_FILE = 100 * 2**30
"""Bytes from which on one file is unwieldy."""
_MOSTLY = 0.5
"""Share of a difference from which on one criterion makes most of it."""


def reason_sentences(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield what makes the difference, where that is not plain from the figures."""
    yield from _decoding(advice)
    yield from _own_code(advice)
    yield from _opposite_costs(advice)
    yield from _tails(advice)
    yield from _one_file(advice)


def memory_sentences(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield that storage is paid for once where the whole set fits into memory, and is read often."""
    passes, size, memory = advice.situation.passes, advice.pixel_bytes, advice.memory_bytes
    if passes < 2 or not size or not memory or size > FITS * memory:
        return
    pixels = f"the pixels of {counted(advice.images, 'image')} in memory ({format_bytes(size)})"
    epochs = sorted(
        (entry.epoch for entry in advice.training if isinstance(entry.epoch, Prediction)),
        key=lambda epoch: epoch.interval.median,
    )
    if len(epochs) < 2:
        yield "memory", f"A program that keeps {pixels} reads the store once.", ()
        return
    most = epochs[-1].interval.median - epochs[0].interval.median
    saves = f"reads the store once, and then no method saves more than {time_text(most)} over another"
    text = f"A program that keeps {pixels} {saves}."
    if most < LITTLE_S:
        text = f"It hardly matters to a program that keeps {pixels}: it {saves}."
    yield "memory", text, (*epochs[0].rows, *epochs[-1].rows)


def _own_code(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield which methods were read in a way that their own libraries do not have, and what theirs takes."""
    deciding = advice.deciding
    if deciding is None or deciding.operation is not Operation.READ_RANDOM:
        return
    for method in advice.choice.ranking.methods:
        if method.spec not in advice.own_code:
            continue
        shuffled, ordered = method.figures.get(Criterion.RANDOM), method.figures.get(Criterion.READ)
        text = (
            f"{method.spec} is read in random order by code of this program, as its own library reads from front to "
            "back and shuffles in a buffer"
        )
        rows = []
        if shuffled is not None and ordered is not None:
            text += f", which takes about {time_text(ordered.value)} instead of {time_text(shuffled.value)}"
            rows = [ordered.row, shuffled.row]
        yield "own code", f"{text}.", tuple(rows)


def _opposite_costs(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield in which costs methods differ that are alike by all weights together."""
    ranking = advice.choice.ranking
    methods = [method for spec in ranking.best if (method := ranking.method(spec)) is not None]
    if len(methods) < 2 or not ranking.are_alike:
        return
    clauses, rows = [], []
    for criterion in ranking.shares:
        ordered = sorted(methods, key=lambda method: method.ratios[criterion])
        least, most = ordered[0], ordered[-1]
        ratio = most.ratios[criterion] / least.ratios[criterion]
        if ratio >= UNLIKE:
            clauses.append(f"{criterion.describe}, {most.spec} {format_number(ratio)} times {least.spec}")
            rows += [least.figures[criterion].row, most.figures[criterion].row]
    if clauses:
        text = f"Alike by these weights, not in each cost: {'; '.join(clauses)}. Choose by what counts most."
        yield "difference", text, tuple(dict.fromkeys(rows))


def _tails(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield how long the slow reads of a service take."""
    if not advice.tails:
        return
    named = listed([f"{time_text(tail.seconds)} with {tail.row.spec}" for tail in advice.tails])
    yield (
        "tail",
        f"One read in a hundred takes longer than {named} (99th percentile of a round, the median round). One client "
        "asked at a time.",
        tuple(tail.row for tail in advice.tails),
    )


def _one_file(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield that a large store for others is one file."""
    cost = next((cost for cost in advice.set_costs if cost.spec == advice.choice.pick), None)
    if not advice.keepings or advice.choice.keeps_own_files or cost is None:
        return
    if cost.write_requests == 1 and cost.size >= LARGE_FILE:
        yield (
            "one file",
            f"{cost.spec} would be one file of {format_bytes(cost.size)}, to be copied, checked and repaired as a "
            "whole; several stores of a part each are handled more easily.",
            cost.rows,
        )


def _decoding(advice: DatasetAdvice) -> Iterator[Sentence]:
    """Yield that some methods keep raw pixels and others decode, as the codec may be all the difference."""
    specs = [method.spec for method in advice.choice.ranking.methods]
    codecs = {spec.label: spec.codec for spec in advice.plan.specs}
    raw = [spec for spec in specs if codecs.get(spec) == RAW_CODEC]
    encoded = [spec for spec in specs if codecs.get(spec) != RAW_CODEC]
    if not raw or not encoded:
        return
    plain = raw[0].isalnum()  # a name with options has no short form with a codec
    keep, decode = ("keeps" if len(raw) == 1 else "keep"), ("is" if len(encoded) == 1 else "are")
    same = f" With one codec for all, such as {raw[0]}+png, it would be the storage alone." if plain else ""
    yield (
        "decoding",
        f"{listed(raw)} {keep} raw pixels, and {listed(encoded)} {decode} decoded in each reading: much of the "
        f"difference is the codec, not the storage.{same}",
        (),
    )


def mostly(ranking: Ranking, spec: str, base: str) -> str:
    """Return which criterion makes most of what a method costs more than another: ``, mostly for ...``.

    Empty where none does, or where it is the one that weighs most, as is expected.
    """
    one, other = ranking.method(spec), ranking.method(base)
    if one is None or other is None:
        return ""
    parts = {
        criterion: share * math.log(one.ratios[criterion] / other.ratios[criterion])
        for criterion, share in ranking.shares.items()
    }
    gain = sum(part for part in parts.values() if part > 0)
    if gain <= 0:
        return ""
    criterion, part = max(parts.items(), key=lambda entry: entry[1])
    name = "their" if spec == IN_PLACE.label else "its"
    return (
        f", mostly for {name} {criterion.describe}"
        if part >= _MOSTLY * gain and criterion is not next(iter(ranking.shares))
        else ""
    )
