"""Warns of a run's data before its first trial: images that repeat, files left out, what codecs drop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from imgstore_tui.bench.plan.grid import cutoffs_of
from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.core.codec import DEPTH, TRANSPARENCY
from imgstore_tui.core.model import DatasetFacts, Plan, Run
from imgstore_tui.core.operations import Payload
from imgstore_tui.core.units import counted
from imgstore_tui.plugins import registry

_AFFECTED = {TRANSPARENCY: "an alpha channel", DEPTH: "16 bits a channel"}


def warnings_of(run: Run, facts: Mapping[str, DatasetFacts], pixel_caches: Mapping[str, Path]) -> Iterator[str]:
    """Yield what affects the numbers of a run, one sentence each.

    Args:
        run: The run, without measurements yet.
        facts: Facts of each of its datasets, by its text.
        pixel_caches: Folder of the pixel cache of each.
    """
    plan = run.plan
    for text, fact in facts.items():
        if fact.repeated:
            yield (
                f"{text} has {counted(fact.used, 'image')}: cutoffs beyond that repeat them, "
                "which a store or file system that deduplicates would notice."
            )
        cutoffs = cutoffs_of(plan, text)
        if len(cutoffs) < len(plan.cutoffs):
            most = f"up to {counted(max(cutoffs), 'image')}" if cutoffs else "one image only"
            yield f"{text} is run with {most}: its option upto leaves larger cutoffs out."
        if fact.excluded_count:
            verb = "was" if fact.excluded_count == 1 else "were"
            yield (
                f"{text}: {counted(fact.excluded_count, 'file')} could not be used and {verb} left out; to list them: "
                f"imgstore-tui show {run.id} all"
            )
        yield from _losses(plan, text, pixel_caches[text])
    if run.environment.same_device_as_data is False:
        yield f"The stores are made on another device than the data: {run.environment.scratch}."


def _losses(plan: Plan, text: str, cache: Path) -> Iterator[str]:
    """Yield which codecs drop something that no PSNR shows, and in how many images."""
    if plan.payload is Payload.RAW:
        return
    pixel_cache, reported = PixelCache(cache), set()
    for spec in plan.specs:
        for dropped, count in pixel_cache.dropped_by(registry.make_codec(spec)).items():
            if (spec.codec, dropped) not in reported:
                reported.add((spec.codec, dropped))
                affected = f"image{' has' if count == 1 else 's have'} {_AFFECTED[dropped]}"
                yield f"{text}: {count:,} {affected}; {spec.codec} drops {dropped}."
