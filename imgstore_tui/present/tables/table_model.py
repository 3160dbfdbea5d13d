"""The one row model: tables and trials as harmless text and plain values, before any format is chosen."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.analysis.verdict import Verdict
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import seconds_unit
from imgstore_tui.stats.intervals import Interval

Value = str | int | float | bool | None


class Emphasis(StrEnum):
    """What an entry wants to say beside its text; colour may follow it, the text says it too."""

    PLAIN = "plain"
    BEST = "best"
    TIE = "tie"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """One entry of a table; whatever text it is given, it holds one that no terminal obeys."""

    text: str
    emphasis: Emphasis = Emphasis.PLAIN
    value: float | None = field(default=None, compare=False)
    """The number behind the text, to sort by; None where the text itself is what there is."""
    cell: Cell | None = field(default=None, compare=False)
    """The cell that it is about, where there is one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", safe_text(self.text))


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column of a table."""

    title: str
    right: bool = True
    """Numbers stand right, words left."""
    wide: bool = False
    """Left out where there are fewer than some hundred columns."""
    wraps: bool = False
    """Its text may be folded over several lines."""
    grouped: bool = False
    """Its text is the same for all rows of a group, so that showing it once is enough."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that says what was measured; title and caption are made harmless like its entries."""

    title: str
    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[TableEntry, ...], ...]
    caption: str = ""
    breaks: frozenset[int] = field(default=frozenset())
    """Indexes of rows after which a group ends."""
    heads: frozenset[int] = field(default=frozenset())
    """Indexes of rows that say what the rows below them are about."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", safe_text(self.title))
        object.__setattr__(self, "caption", safe_text(self.caption))


NOTHING = TableEntry("-", Emphasis.QUIET)


TRIAL_FIELDS = (
    "spec", "backend", "codec", "preset", "options", "dataset", "operation", "cutoff", "round", "payload", "workers",
    "cache", "cache_proof", "sync", "sync_count", "status", "reason", "warnings", "stop", "seconds", "samples",
    "pixel_bytes", "open_s", "storage_s", "codec_s", "sync_s", "close_s", "cpu_user_s", "cpu_system_s", "foreign_cpu",
    "peak_private_bytes", "io_read_bytes", "io_dirtied_bytes", "resident_before", "resident_after", "apparent_bytes",
    "allocated_bytes", "files", "verified", "psnr_db", "server", "round_trip_s", "requests", "retries", "batch",
    "start", "started_at", "elapsed_s", "drain_s", "dirty_before", "scratch",
)  # fmt: skip
"""Every field of a measurement, in the order of columns."""


def trial_rows(run: Run) -> Iterator[tuple[Value, ...]]:
    """Yield one row a trial, ``TRIAL_FIELDS`` in order; lists and options as compact JSON text."""
    for measurement in run.measurements:
        values = measurement.to_json()
        yield tuple(_plain(values[name]) for name in TRIAL_FIELDS)


def _plain(value: object) -> Value:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else None


def summary_row(summary: CellSummary, verdict: Verdict | None) -> dict[str, object]:
    """Return a cell's summary as JSON values; durations in seconds, sizes in bytes.

    Args:
        summary: The cell.
        verdict: That of its contest, if known.
    """
    cell, interval = summary.cell, summary.interval
    standing = verdict.standing(cell.spec) if verdict else None
    ratio = standing.ratio if standing else None
    return {
        "spec": cell.spec,
        "dataset": cell.dataset,
        "operation": cell.operation.value,
        "cutoff": cell.cutoff,
        "cache": None if cell.cache is None else cell.cache.value,
        "sync": None if cell.sync is None else cell.sync.value,
        "payload": cell.payload.value,
        "workers": cell.workers,
        "scratch": cell.scratch,
        "ok": summary.ok,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "unverified": summary.unverified,
        "verified": summary.verified,
        "reasons": [{"reason": reason, "trials": trials} for reason, trials in summary.reasons],
        "median_s": summary.seconds,
        "low_s": None if interval is None else interval.low,
        "high_s": None if interval is None else interval.high,
        "coverage": None if interval is None else interval.coverage,
        "spread": summary.spread,
        "images": summary.images,
        "images_per_s": summary.images_per_s,
        "seconds_per_image": summary.seconds_per_image,
        "pixel_bytes_per_s": summary.pixel_bytes_per_s,
        "cpu_s": summary.cpu_s,
        "peak_private_bytes": summary.peak_private_bytes,
        "apparent_bytes": None if summary.disk is None else summary.disk.apparent_bytes,
        "allocated_bytes": None if summary.disk is None else summary.disk.allocated_bytes,
        "files": None if summary.disk is None else summary.disk.files,
        "raw_pixel_bytes": summary.store_pixel_bytes,
        "psnr_db": summary.psnr_db,
        "place": None if standing is None else standing.placement.value,
        "ratio": None if ratio is None else ratio.median,
        "ratio_low": None if ratio is None else ratio.low,
        "ratio_high": None if ratio is None else ratio.high,
        "verdict": None if verdict is None else verdict.describe(),
        "warnings": [
            {"kind": warning.kind.value, "text": warning.text, "advice": warning.advice} for warning in summary.warnings
        ],
        "notes": list(summary.notes),
    }


def verdicts_by_contest(found: Iterable[Verdict]) -> dict[Cell, Verdict]:
    """Return verdicts by their contest."""
    return {verdict.contest: verdict for verdict in found}


def interval_text(interval: Interval) -> str:
    """Return low and high in the median's unit and digits, ``1.21-1.31``; a mere range in brackets."""
    scale, _ = seconds_unit(interval.median)
    text = _low_high(interval.low / scale, interval.high / scale, interval.median / scale)
    return f"({text})" if interval.is_range else text


def ratio_text(ratio: Interval) -> str:
    """Return a ratio with three digits: ``1.02x``, ``14.3x``."""
    return f"{ratio.median:,.{_decimals(ratio.median)}f}x"


def ratio_interval_text(ratio: Interval) -> str:
    """Return the interval of a ratio, in brackets if it is a mere range."""
    text = _low_high(ratio.low, ratio.high, ratio.median)
    return f"({text})" if ratio.is_range else text


def _low_high(low: float, high: float, middle: float) -> str:
    digits = _decimals(middle)
    return f"{low:,.{digits}f}-{high:,.{digits}f}"


def _decimals(value: float) -> int:
    if not math.isfinite(value) or value >= 99.95:
        return 0
    return 1 if value >= 9.995 else 2
