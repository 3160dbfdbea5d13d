"""Judges the article's claims about LMDB's file growth and HDF5's data types from the probes of the backends."""

from __future__ import annotations

from imgstore_tui.analysis.article.evidence import ClaimCase, ClaimResult, Evidence, judge_ratio, ratio_range_text
from imgstore_tui.core.units import format_bytes, format_count, format_number
from imgstore_tui.stats.ratios import paired_ratio

GROWTH = (1.8, 2.2)
"""Ratios that count as twice."""


def judge_repeated_writes(evidence: Evidence) -> list[ClaimCase]:
    """Return how much LMDB's file grew when the same images were stored again, and when its map was full."""
    probe = evidence.probe("lmdb")
    if probe is None:
        return []
    lengths, pixels = probe.values.get("length_bytes", ()), probe.values["pixels_bytes"][0]
    cases = []
    count = f"{format_count(probe.images)} images"
    if len(lengths) > 1:
        growth = lengths[1] / lengths[0]
        ratios = ", ".join(format_number(length / lengths[0]) for length in lengths)
        text = f"{count}, stored again and again: {ratios} of the first {format_bytes(lengths[0])}"
        cases.append(ClaimCase(ClaimResult.HOLDS if GROWTH[0] < growth < GROWTH[1] else ClaimResult.FAILS, text))
    else:
        cases.append(ClaimCase(ClaimResult.UNMEASURED, "the map was full before the images were stored twice"))
    for name in ("", "tight_"):
        size, full = probe.values[f"{name}map_bytes"][0], int(probe.values[f"{name}full_count"][0])
        end = f"full at time {full}" if full else f"never full in {len(lengths)} times, since old pages are used again"
        text = f"a map of {format_number(size / pixels)} times the pixels: {end}"
        cases.append(ClaimCase(ClaimResult.HOLDS if full else ClaimResult.FAILS, text))
    own = probe.values.get("own_length_bytes", ())
    if own:
        ratios = ", ".join(format_number(length / own[0]) for length in own)
        text = f"a store of this program grows its map; overwritten whole: {ratios} of its first {format_bytes(own[0])}"
        cases.append(ClaimCase(ClaimResult.FAILS, text))
    return cases


def judge_dtypes(evidence: Evidence) -> list[ClaimCase]:
    """Return the ratios of 64-bit to 8-bit integers in HDF5: space, time to store, time to read."""
    probe = evidence.probe("hdf5")
    if probe is None:
        return []
    samples = {name: dict(enumerate(values)) for name, values in probe.values.items()}
    cases = []
    for quantity, title, least in (
        ("length_bytes", "space", 2.0),
        ("write_s", "time to store", 1.0),
        ("read_s", "time to read", 1.0),
    ):
        ratio = paired_ratio(samples.get(f"int64_{quantity}", {}), samples.get(f"uint8_{quantity}", {}))
        if ratio is not None:
            text = f"{title}, int64 over uint8, {format_count(probe.images)} images: {ratio_range_text(ratio)}"
            cases.append(ClaimCase(judge_ratio(ratio, least, float("inf")), text))
    return cases
