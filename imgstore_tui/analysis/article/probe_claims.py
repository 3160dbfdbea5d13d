"""What backends found out about themselves, held against what the article says of them."""

from __future__ import annotations

from imgstore_tui.analysis.article.evidence import ClaimCase, ClaimResult, Evidence, judge_ratio, ratio_range_text
from imgstore_tui.core.units import format_bytes, format_count, format_number
from imgstore_tui.stats.ratios import paired_ratio

GROWTH = (1.8, 2.2)
"""What counts as twice."""


def judge_repeated_writes(evidence: Evidence) -> list[ClaimCase]:
    """Return how LMDB's file grew when the same images were stored again, and then when its map was full."""
    probe = evidence.probe("lmdb")
    if probe is None:
        return []
    lengths, pixels = probe.values.get("length_bytes", ()), probe.values["pixels_bytes"][0]
    parts = []
    count = f"{format_count(probe.images)} images"
    if len(lengths) > 1:
        growth = lengths[1] / lengths[0]
        told = ", ".join(format_number(length / lengths[0]) for length in lengths)
        words = f"{count}, stored again and again: {told} of the first {format_bytes(lengths[0])}"
        parts.append(ClaimCase(ClaimResult.HOLDS if GROWTH[0] < growth < GROWTH[1] else ClaimResult.FAILS, words))
    else:
        parts.append(ClaimCase(ClaimResult.UNMEASURED, "the map was full before the images were stored twice"))
    for name in ("", "tight_"):
        size, full = probe.values[f"{name}map_bytes"][0], int(probe.values[f"{name}full_count"][0])
        end = f"full at time {full}" if full else f"never full in {len(lengths)} times, since old pages are used again"
        words = f"a map of {format_number(size / pixels)} times the pixels: {end}"
        parts.append(ClaimCase(ClaimResult.HOLDS if full else ClaimResult.FAILS, words))
    own = probe.values.get("own_length_bytes", ())
    if own:
        told = ", ".join(format_number(length / own[0]) for length in own)
        words = f"a store of this program grows its map; overwritten whole: {told} of its first {format_bytes(own[0])}"
        parts.append(ClaimCase(ClaimResult.FAILS, words))
    return parts


def judge_dtypes(evidence: Evidence) -> list[ClaimCase]:
    """Return what 64-bit integers take beside 8-bit ones in HDF5: space, time to store, time to read."""
    probe = evidence.probe("hdf5")
    if probe is None:
        return []
    values = {name: dict(enumerate(found)) for name, found in probe.values.items()}
    parts = []
    for what, verb, least in (
        ("length_bytes", "space", 2.0),
        ("write_s", "time to store", 1.0),
        ("read_s", "time to read", 1.0),
    ):
        ratio = paired_ratio(values.get(f"int64_{what}", {}), values.get(f"uint8_{what}", {}))
        if ratio is not None:
            words = f"{verb}, int64 over uint8, {format_count(probe.images)} images: {ratio_range_text(ratio)}"
            parts.append(ClaimCase(judge_ratio(ratio, least, float("inf")), words))
    return parts
