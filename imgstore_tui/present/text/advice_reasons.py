"""Writes what makes the difference between methods: decoding, the heaviest cost, or memory that holds the whole set."""

from __future__ import annotations

import math
from collections.abc import Iterator

from imgstore_tui.analysis.advice.ranking import Ranking
from imgstore_tui.analysis.advice.run_advice import DatasetAdvice
from imgstore_tui.analysis.growth import Prediction
from imgstore_tui.analysis.verdict import listed
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.core.units import counted, format_bytes, format_count
from imgstore_tui.present.text.advice_times import Sentence, time_text

FITS = 0.25
"""Share of the memory up to which a program can keep the pixels of the whole set beside all else."""
_MOSTLY = 0.5
"""Share of a difference from which on one criterion makes most of it."""


def reason_sentences(given: DatasetAdvice) -> Iterator[Sentence]:
    """Yield what makes the difference, where that is not plain from the figures."""
    yield from _memory(given)
    yield from _decoding(given)


def _memory(given: DatasetAdvice) -> Iterator[Sentence]:
    """Yield that storage is paid for once where the whole set fits into memory, and is read often."""
    passes, size, memory = given.situation.passes, given.pixel_bytes, given.memory_bytes
    if passes < 2 or not size or not memory or size > FITS * memory:
        return
    text = (
        f"The pixels of {counted(given.images, 'image')} are {format_bytes(size)}: a program that keeps them in memory "
        "reads the store once"
    )
    epochs = [entry for entry in given.training if isinstance(entry.epoch, Prediction)]
    if len(epochs) > 1:
        seconds = {entry.spec: entry.epoch.interval.median for entry in epochs if isinstance(entry.epoch, Prediction)}
        most = max(seconds.values()) - min(seconds.values())
        text += (
            f", and then no method saves more than {time_text(most)} over another in all {format_count(passes)} epochs"
        )
    yield "memory", f"{text}.", tuple(row for entry in epochs for row in entry.rows)


def _decoding(given: DatasetAdvice) -> Iterator[Sentence]:
    """Yield that some methods keep raw pixels and others decode, as the codec may be all the difference."""
    specs = [method.spec for method in given.advice.ranking.methods]
    raw = [spec for spec in specs if spec in given.raw_pixels]
    encoded = [spec for spec in specs if spec not in given.raw_pixels]
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
