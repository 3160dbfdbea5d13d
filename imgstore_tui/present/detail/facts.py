"""Adds the resources of a cell and the proof of its numbers to the detail page."""

from __future__ import annotations

from collections.abc import Iterator

from imgstore_tui.analysis.cell_breakdown import CellBreakdown
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.operations import CacheState
from imgstore_tui.core.units import counted, format_bytes, format_count, format_seconds
from imgstore_tui.present.text.text_page import TextPage


def add_resources(page: TextPage, breakdown: CellBreakdown, summary: CellSummary | None) -> None:
    """Add memory, CPU, input, output and disk of a cell, and the CPU use of other processes."""
    if not breakdown.valid_trials:
        return
    page.heading("Memory, processor, disk")
    pairs = [
        (
            "memory",
            _bytes_text(breakdown.worst("peak_private_bytes"), "{} at the peak, above the start"),
        ),
        ("CPU", _cpu(breakdown, summary)),
        ("others", _foreign_cpu(breakdown)),
        ("read", _bytes_text(breakdown.median("io_read_bytes"), "{} from storage while the clock ran")),
        (
            "written",
            _bytes_text(breakdown.median("io_dirtied_bytes"), "{} to the page cache while the clock ran"),
        ),
    ]
    drain = breakdown.median("drain_s")
    if drain is not None:
        pairs.append(("flush", f"{format_seconds(drain)} after the clock, to force what was left to the device"))
    disk = None if summary is None else summary.disk
    if disk is not None:
        files = "" if disk.files is None else f" in {counted(disk.files, 'file')}"
        text = f"{format_bytes(disk.allocated_bytes)} allocated, {format_bytes(disk.apparent_bytes)} long{files}"
        raw = None if summary is None else summary.store_pixel_bytes
        if disk.allocated_bytes is not None and raw:
            text += f"; {disk.allocated_bytes / raw:,.2f}x the bare pixels"
        pairs.append(("disk", text))
        if disk.parts:
            pairs.append(("", ", ".join(f"{format_bytes(size)} {name}" for name, size in disk.parts)))
        if summary is not None and disk.server_log_bytes is not None:
            log = f"{format_bytes(disk.server_log_bytes)}, which all its stores share; not counted above"
            pairs.append(("server log", log))
    for label, text in pairs:
        page.pair(label, text or "not known", style="" if text else "dim")


def server_pairs(breakdown: CellBreakdown) -> Iterator[tuple[str, str]]:
    """Yield what is known of the server of a cell, its distance, and the requests to it, as label and text."""
    for server in dict.fromkeys(trial.server for trial in breakdown.trials if trial.server):
        yield "server", server
    if (round_trip := breakdown.median("round_trip_s")) is not None:
        yield "round trip", f"{format_seconds(round_trip)}, that of its smallest request, off the clock"
    if (requests := breakdown.median("requests")) is not None:
        again = sum(trial.retries or 0 for trial in breakdown.valid_trials)
        more = f"; {counted(again, 'request')} in all sent again" if again else "; none was sent again"
        yield "requests", f"{format_count(round(requests))} a sample{more}"


def _bytes_text(count: float | None, template: str) -> str:
    return "" if count is None else template.format(format_bytes(count))


def _cpu(breakdown: CellBreakdown, summary: CellSummary | None) -> str:
    if summary is None or summary.cpu_s is None:
        return ""
    user, system = breakdown.median("cpu_user_s") or 0.0, breakdown.median("cpu_system_s") or 0.0
    share = f", {user / (user + system):.0%} of it user" if user + system else ""
    return f"{format_seconds(summary.cpu_s)} a sample{share}"


def _foreign_cpu(breakdown: CellBreakdown) -> str:
    busy = breakdown.worst("foreign_cpu")
    return "" if busy is None else f"other programs used at most {busy:.2f} cores meanwhile"


def add_proof(page: TextPage, breakdown: CellBreakdown) -> None:
    """Add how the stores were verified, and how cache state and sync level were proven."""
    page.heading("How it was verified")
    good = [trial for trial in breakdown.trials if trial.verified]
    wrong = [trial for trial in breakdown.trials if trial.verified is False]
    text = f"{format_count(len(good))} of {format_count(len(breakdown.trials))} trials: every image and label was read "
    page.pair("proof", text + "back off the clock and compared with the source", style="" if good else "red")
    if wrong:
        page.pair("", f"{format_count(len(wrong))} found wrong or not compared: they do not count", style="red")
    psnr = breakdown.median("psnr_db")
    if psnr is not None:
        page.pair("likeness", f"lossy: {psnr:.1f} dB PSNR to the source, the mean over images")
    cell = breakdown.trials[0].cell
    before, after = breakdown.median("resident_before"), breakdown.median("resident_after")
    if cell.cache is not None:
        parts = [f"{cell.cache}"]
        if before is not None:
            parts.append(f"{before:.0%} of the store in memory when the clock started")
        if after is not None:
            parts.append(f"{after:.0%} when it stopped")
        page.pair("cache", "; ".join(parts))
        proofs = dict.fromkeys(trial.cache_proof for trial in breakdown.trials if trial.cache_proof)
        for proof in proofs:
            page.pair("", proof)
        if cell.cache is CacheState.COLD and not proofs:
            page.pair("", "data only; directory entries stay warm, and what the device keeps nobody can tell")
    if cell.sync is not None:
        calls = breakdown.median("sync_count")
        forced = "" if calls is None else f"; {counted(round(calls), 'sync call')} inside the clock"
        page.pair("sync", f"{cell.sync}{forced}")
