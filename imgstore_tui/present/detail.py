"""One cell in full: every sample, where the time went, memory, disk, how it was verified, on what machine."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.cells import cell_len
from rich.text import Text

from imgstore_tui.analysis.inside import Inside, counts, look_inside
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Cell, Measurement
from imgstore_tui.core.operations import CacheState, Operation, Status
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_bytes, format_count, format_rate, format_seconds
from imgstore_tui.present.digest import Digest
from imgstore_tui.present.matrix import state_of
from imgstore_tui.present.plain import ascii_text
from imgstore_tui.present.rows import interval_text, ratio_interval_text, ratio_text
from imgstore_tui.present.strip import Scale, interval_strip, sample_strip, scale_for
from imgstore_tui.present.words import images_words, level_words, setting_words
from imgstore_tui.stats.intervals import MIN_ROUNDS
from imgstore_tui.stats.ranking import Place

MOST_SAMPLES = 2000
"""So many samples are spelled out; the exports have all."""
_LABEL = 11
"""Columns of the words at the left."""
_LEAST = 24
"""Columns below which nothing is drawn, only said."""


def cell_title(cell: Cell) -> str:
    """Return what a cell is, in one line of harmless text."""
    parts = [cell.spec, str(cell.operation), images_words(cell.cutoff), level_words(cell)]
    return safe_text(", ".join(part for part in parts if part))


def cell_detail(found: Digest, cell: Cell, width: int, *, ascii_only: bool = False) -> Text:
    """Return all that is known of a cell, as lines of text that nothing reads as markup.

    Args:
        found: The run.
        cell: One of its cells; it need not have been measured yet.
        width: Columns there are.
        ascii_only: Whether nothing beyond ASCII may be drawn.
    """
    summary = next((entry for entry in found.summaries if entry.cell == cell), None)
    inside = look_inside(found.run, cell)
    page = _Page(max(_LEAST, width))
    page.pair("timed", f"{cell.operation.describe}; {setting_words(cell)}")
    page.pair("data", cell.dataset)
    page.pair("state", _state(summary, found.run.plan.rounds))
    if summary is not None:
        _figures(page, found, summary)
        for reason, trials in summary.reasons:
            page.pair("reason", f"{reason} ({format_count(trials)} of {format_count(summary.trials)})", style="red")
    if inside.trials:
        _samples(page, inside, summary)
        _phase_bars(page, inside)
        _resources(page, inside, summary)
        _proof(page, inside)
    page.heading("Where and with what")
    for label, words in _setting(found, cell, inside):
        page.pair(label, words)
    if summary is not None:
        for warning in summary.warnings:
            page.pair("warning", f"{warning.text} {warning.advice}", style="yellow")
        for note in summary.notes:
            page.pair("note", note, style="yellow")
    _every_sample(page, inside)
    return page.text(ascii_only=ascii_only)


class _Page:
    """Lines being gathered: labels at the left, words folded beside them, headings between."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[Text] = []

    def heading(self, words: str) -> None:
        """Begin a part."""
        self.lines += [Text(), *(Text(line, style="bold") for line in textwrap.wrap(words, self.width))]

    def pair(self, label: str, words: str, *, style: str = "") -> None:
        """Say something under a label."""
        folded = textwrap.wrap(safe_text(words), max(_LEAST - _LABEL, self.width - _LABEL)) or [""]
        for number, line in enumerate(folded):
            self.lines.append(Text.assemble((f"{label if not number else '':<{_LABEL}}", "dim"), (line, style)))

    def add(self, line: Text) -> None:
        """Add a line that was laid out already; where it has no room its end gives way, with a sign."""
        line.truncate(self.width, overflow="ellipsis")
        self.lines.append(line)

    def text(self, *, ascii_only: bool) -> Text:
        """Return everything."""
        for line in self.lines if ascii_only else ():
            line.plain = ascii_text(line.plain)
        text = Text("\n").join(self.lines)
        text.no_wrap = True
        return text


def _state(summary: CellSummary | None, rounds: int) -> str:
    state = state_of(summary, rounds)
    if summary is None:
        return f"{state.glyph} {state}: no trial of it has ended yet"
    count = f"{format_count(summary.ok)} of {format_count(max(rounds, summary.trials))} rounds count"
    return f"{state.glyph} {state}: {count}"


def _figures(page: _Page, found: Digest, summary: CellSummary) -> None:
    interval = summary.interval
    if interval is None:
        return
    kind = (
        f"is the range: an interval needs {MIN_ROUNDS} rounds"
        if interval.coverage is None
        else f"is its {100 * interval.coverage:.1f} % confidence interval"
    )
    spread = "" if summary.spread is None else f"; spread {100 * summary.spread:.1f} %"
    page.pair("median", f"{format_seconds(interval.median)}; {interval_text(interval)} {kind}{spread}")
    if summary.images > 1:
        page.pair("an image", format_seconds(summary.seconds_per_image))
    rate = f"{format_rate(summary.images_per_s)} images/s"
    if summary.pixel_bytes_per_s is not None:
        rate += f", {format_bytes(summary.pixel_bytes_per_s)}/s of pixels"
    page.pair("rate", rate)
    page.pair("standing", _standing(found, summary))


def _standing(found: Digest, summary: CellSummary) -> str:
    verdict = found.verdict_of.get(summary.cell.contest)
    standing = None if verdict is None else verdict.standing(summary.cell.spec)
    if verdict is None or standing is None:
        left_out = dict(verdict.left_out).get(summary.cell.spec) if verdict else None
        return f"not ranked: {left_out}" if left_out else "not ranked"
    if standing.place is Place.NONE:
        return f"no verdict: {verdict.reason}" if verdict.reason else "no verdict"
    if standing.place is Place.BEST and not verdict.is_tie:
        return "the fastest of its contest"
    if standing.place is Place.BEST:
        return f"lowest median, not told apart from {', '.join(verdict.best[1:])}"
    ratio = "" if standing.ratio is None else f"{ratio_text(standing.ratio)} ({ratio_interval_text(standing.ratio)}) "
    if standing.place is Place.TIE:
        return f"{ratio}the lowest median, {verdict.best[0]}: cannot be told apart"
    return f"{ratio}as long as the fastest, {verdict.standings[0].name}"


def _samples(page: _Page, inside: Inside, summary: CellSummary | None) -> None:
    """Draw a line a round, its samples where they lie between the quickest and the slowest of all."""
    page.heading("Rounds")
    values = [sample for trial in inside.counted for sample in trial.samples or (trial.seconds or 0.0,)]
    room = page.width - _LABEL - 20
    scale = scale_for(values, max(8, room)) if values else None
    for trial in inside.trials:
        page.add(_round_line(trial, scale))
    if scale is None:
        return
    interval = None if summary is None else summary.interval
    if interval is not None:
        _strip_line(page, "median", format_seconds(interval.median), interval_strip(interval, scale), "bold green")
    left, right = format_seconds(scale.low), format_seconds(scale.high)
    middle = "log scale" if scale.log else ""
    if scale.width > cell_len(left) + cell_len(right) + cell_len(middle) + 4:
        ruler = left + middle.center(scale.width - cell_len(left) - cell_len(right)) + right
        _strip_line(page, "", "", ruler, "dim")
    if len(values) > len(inside.counted):
        page.pair("", "● the median sample of a round; the darker, the more samples lie there", style="dim")


def _round_line(trial: Measurement, scale: Scale | None) -> Text:
    label = f"round {trial.round + 1}"
    if scale is None or not counts(trial):
        what = trial.status if trial.status is not Status.OK else "not verified: does not count"
        return Text.assemble((f"{label:<{_LABEL}}", "dim"), (str(what), "red"))
    samples = trial.samples or (trial.seconds or 0.0,)
    number = f"{len(samples)} samples" if len(samples) > 1 else ""
    line = Text.assemble((f"{label:<{_LABEL}}", "dim"), f"{format_seconds(trial.seconds):>8} ")
    line.append(sample_strip(samples, scale))
    return line.append(f" {number}", style="dim") if number else line


def _strip_line(page: _Page, label: str, value: str, strip: str, style: str) -> None:
    page.add(Text.assemble((f"{label:<{_LABEL}}", "dim"), f"{value:>8} ", (strip, style)))


def _phase_bars(page: _Page, inside: Inside) -> None:
    """Draw a bar a phase, each beginning where the one before it ended."""
    if not inside.phases or inside.middle is None:
        return
    page.heading(f"Where the time went, in round {inside.middle.round + 1}, the one in the middle")
    room = max(8, page.width - _LABEL - 4 - 9 - 7)
    for phase in inside.phases:
        if phase.seconds is None:
            page.pair(phase.name, "   not separable, or none", style="dim")
            continue
        start = min(room - 1, round(phase.start * room))
        length = max(1 if phase.seconds else 0, round((phase.start + phase.share) * room) - start)
        bar = " " * start + "█" * length
        label = f"{phase.name:<{_LABEL + 4}}"
        page.add(
            Text.assemble(
                (label, "dim"), f"{format_seconds(phase.seconds):>8} {phase.share:>5.0%}  ", (bar[:room], "cyan")
            )
        )
    if inside.overlapping:
        page.pair("", "Phases are the workers' seconds added up: they overlap.", style="dim")


def _resources(page: _Page, inside: Inside, summary: CellSummary | None) -> None:
    if not inside.counted:
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
        files = "" if disk.files is None else f" in {format_count(disk.files)} file{'' if disk.files == 1 else 's'}"
        words = f"{format_bytes(disk.allocated_bytes)} allocated, {format_bytes(disk.apparent_bytes)} long{files}"
        raw = None if summary is None else summary.store_pixel_bytes
        if disk.allocated_bytes is not None and raw:
            words += f"; {disk.allocated_bytes / raw:,.2f}x the bare pixels"
        pairs.append(("disk", words))
    for label, words in pairs:
        page.pair(label, words or "not known", style="" if words else "dim")


def _told(count: float | None, words: str) -> str:
    return "" if count is None else words.format(format_bytes(count))


def _cpu(inside: Inside, summary: CellSummary | None) -> str:
    if summary is None or summary.cpu_s is None:
        return ""
    user, system = inside.median("cpu_user_s") or 0.0, inside.median("cpu_system_s") or 0.0
    share = f", {user / (user + system):.0%} of it user" if user + system else ""
    return f"{format_seconds(summary.cpu_s)} a sample{share}"


def _neighbours(inside: Inside) -> str:
    busy = inside.worst("foreign_cpu")
    return "" if busy is None else f"others kept at most {busy:.2f} cores busy meanwhile"


def _proof(page: _Page, inside: Inside) -> None:
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
        plural = "" if calls == 1 else "s"
        forced = "" if calls is None else f"; {format_count(calls)} sync call{plural} inside the clock"
        page.pair("sync", f"{cell.sync}{forced}")


def _setting(found: Digest, cell: Cell, inside: Inside) -> Iterator[tuple[str, str]]:
    """Yield where and with what it ran."""
    environment = found.run.environment
    first = inside.trials[0] if inside.trials else None
    if first is not None:
        options = ", ".join(f"{name}={value}" for name, value in first.options.items())
        method = f"{first.backend}, codec {first.codec}, preset {first.preset}"
        yield "method", f"{method}: {options}" if options else method
        starts = " and ".join(dict.fromkeys(trial.start for trial in inside.trials if trial.start)) or "unknown"
        yield "process", f"one a trial, started by {starts}; batches of at most {format_count(first.batch)} images"
        times = [trial.started_at for trial in inside.trials if trial.started_at]
        if times:
            yield "when", times[0] if times[0] == times[-1] else f"{times[0]} to {times[-1]}"
    yield "machine", f"{environment.cpu}, {environment.cores} core{'' if environment.cores == 1 else 's'}"
    yield "scratch", f"{environment.scratch_filesystem} {environment.scratch}"
    libraries = ", ".join(f"{name} {version}" for name, version in environment.libraries.items())
    yield "software", f"Python {environment.python}, {libraries}"
    if cell.operation is Operation.READ_ONE or cell.operation is Operation.GET_ONE:
        yield "samples", "each reads another image, drawn at random by the plan's seed"


def _every_sample(page: _Page, inside: Inside) -> None:
    """Spell every sample out where a trial has several."""
    if all(len(trial.samples) <= 1 for trial in inside.trials):
        return
    page.heading("Every sample, in the order taken")
    left = MOST_SAMPLES
    for trial in inside.trials:
        samples = trial.samples[:left]
        left -= len(samples)
        if samples:
            page.pair(f"round {trial.round + 1}", "  ".join(format_seconds(sample) for sample in samples))
    if not left:
        page.pair("", "The exports csv and json have the rest.", style="dim")
