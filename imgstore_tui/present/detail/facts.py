"""What a cell took beside time, and what vouches for its numbers, in words."""

from __future__ import annotations

from imgstore_tui.analysis.cell_breakdown import CellBreakdown
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.operations import CacheState
from imgstore_tui.core.units import counted, format_bytes, format_count, format_seconds
from imgstore_tui.present.text.text_page import TextPage


def add_resources(page: TextPage, inside: CellBreakdown, summary: CellSummary | None) -> None:
    """Say what memory, processor, disk and neighbours had to do with it."""
    if not inside.valid_trials:
        return
    page.heading("Memory, processor, disk")
    pairs = [
        ("memory", _told(inside.worst("peak_private_bytes"), "at most {} of its own, above what it began with")),
        ("CPU", _cpu(inside, summary)),
        ("neighbours", _neighbours(inside)),
        ("input", _told(inside.median("io_read_bytes"), "{} fetched from storage while the clock ran")),
        ("output", _told(inside.median("io_dirtied_bytes"), "{} of page cache made dirty while the clock ran")),
    ]
    drain = inside.median("drain_s")
    if drain is not None:
        pairs.append(("drain", f"{format_seconds(drain)} after the clock to force what was left behind to the device"))
    disk = None if summary is None else summary.disk
    if disk is not None:
        files = "" if disk.files is None else f" in {counted(disk.files, 'file')}"
        words = f"{format_bytes(disk.allocated_bytes)} allocated, {format_bytes(disk.apparent_bytes)} long{files}"
        raw = None if summary is None else summary.store_pixel_bytes
        if disk.allocated_bytes is not None and raw:
            words += f"; {disk.allocated_bytes / raw:,.2f}x the bare pixels"
        pairs.append(("disk", words))
    for label, words in pairs:
        page.pair(label, words or "not known", style="" if words else "dim")


def _told(count: float | None, words: str) -> str:
    return "" if count is None else words.format(format_bytes(count))


def _cpu(inside: CellBreakdown, summary: CellSummary | None) -> str:
    if summary is None or summary.cpu_s is None:
        return ""
    user, system = inside.median("cpu_user_s") or 0.0, inside.median("cpu_system_s") or 0.0
    share = f", {user / (user + system):.0%} of it user" if user + system else ""
    return f"{format_seconds(summary.cpu_s)} a sample{share}"


def _neighbours(inside: CellBreakdown) -> str:
    busy = inside.worst("foreign_cpu")
    return "" if busy is None else f"others kept at most {busy:.2f} cores busy meanwhile"


def add_proof(page: TextPage, inside: CellBreakdown) -> None:
    """Say how the stores were verified, and how cache state and sync level are known."""
    page.heading("How it was verified")
    good = [trial for trial in inside.trials if trial.verified]
    wrong = [trial for trial in inside.trials if trial.verified is False]
    words = f"{format_count(len(good))} of {format_count(len(inside.trials))} trials: every image and label was read "
    page.pair("proof", words + "back off the clock and compared with the source", style="" if good else "red")
    if wrong:
        page.pair("", f"{format_count(len(wrong))} found wrong or not compared: they do not count", style="red")
    psnr = inside.median("psnr_db")
    if psnr is not None:
        page.pair("likeness", f"lossy: {psnr:.1f} dB PSNR to the source, the mean over images")
    cell = inside.trials[0].cell
    before, after = inside.median("resident_before"), inside.median("resident_after")
    if cell.cache is not None:
        told = [f"{cell.cache}"]
        if before is not None:
            told.append(f"{before:.0%} of the store in memory when the clock started")
        if after is not None:
            told.append(f"{after:.0%} when it stopped")
        page.pair("cache", "; ".join(told))
        proofs = dict.fromkeys(trial.cache_proof for trial in inside.trials if trial.cache_proof)
        for proof in proofs:
            page.pair("", proof)
        if cell.cache is CacheState.COLD and not proofs:
            page.pair("", "data only; directory entries stay warm, and what the device keeps nobody can tell")
    if cell.sync is not None:
        calls = inside.median("sync_count")
        forced = "" if calls is None else f"; {counted(round(calls), 'sync call')} inside the clock"
        page.pair("sync", f"{cell.sync}{forced}")
