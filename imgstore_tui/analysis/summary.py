"""Summarises the trials of a cell: median and interval, rates, memory, disk use, failures, warnings."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imgstore_tui.core.access import Access
from imgstore_tui.core.content import DiskUsage, pixel_bytes
from imgstore_tui.core.model import Cell, DatasetFacts, Measurement
from imgstore_tui.core.operations import Operation, Status
from imgstore_tui.stats.intervals import Interval, median_interval, relative_spread
from imgstore_tui.stats.warnings import NoiseWarning, noise_warnings

UNVERIFIED = "the store was not verified, so its time does not count"


@dataclass(frozen=True, slots=True)
class CellSummary:
    """The summary of one cell over its rounds. Only trials that were successful and verified count."""

    cell: Cell
    ok: int
    """Number of trials that count."""
    failed: int
    skipped: int
    unverified: int
    """Number of successful trials whose store was not verified."""
    reasons: tuple[tuple[str, int], ...]
    """Reasons why trials do not count, each with its number of trials."""
    rounds: tuple[tuple[int, float], ...]
    """Round and seconds of every trial that counts, in the order run."""
    interval: Interval | None
    """Median seconds of a sample and its interval; None while no trial counts."""
    spread: float | None
    """1.4826 MAD / median of the rounds."""
    pixel_bytes: int | None
    """Bytes of the raw pixels that one sample handles; None where there are none, or they are unknown."""
    store_pixel_bytes: int | None
    """Bytes of the raw pixels of all images of the cutoff; None where they are unknown."""
    peak_private_bytes: int | None
    cpu_s: float | None
    """CPU seconds, user and system, of one sample."""
    disk: DiskUsage | None
    """Disk use of the store of this dataset, spec and cutoff; None where no trial measured it."""
    psnr_db: float | None
    warnings: tuple[NoiseWarning, ...]
    notes: tuple[str, ...]
    """Warnings of the trials, each once."""
    access: Access | None = None
    """Who read or wrote the bytes of the store; None where it is not known, or not the same in all trials."""
    emulator: str = ""
    """Name of the emulator that was measured in the place of a service, whose times are never ranked; else empty."""
    resident_before: tuple[float, float] | None = None
    """Least and most share of the store in the page cache when the clock of a trial that counts started, 0 to 1; None
    where it is not known of all of them."""

    @property
    def seconds(self) -> float | None:
        """Median seconds of a sample."""
        return self.interval.median if self.interval else None

    @property
    def images(self) -> int:
        """Number of images that one sample handles."""
        return self.cell.operation.images(self.cell.cutoff)

    @property
    def seconds_per_image(self) -> float | None:
        """Median seconds over the images of a sample."""
        return self.interval.median / self.images if self.interval else None

    @property
    def images_per_s(self) -> float | None:
        """Images per second: those of a sample over its median seconds."""
        return self.images / self.interval.median if self.interval and self.interval.median > 0 else None

    @property
    def pixel_bytes_per_s(self) -> float | None:
        """Bytes of raw pixels per second: those of a sample over its median seconds."""
        if self.pixel_bytes is None or not self.interval or self.interval.median <= 0:
            return None
        return self.pixel_bytes / self.interval.median

    @property
    def verified(self) -> bool | None:
        """Whether all successful trials were verified; None while there is none."""
        return self.unverified == 0 if self.ok or self.unverified else None

    @property
    def invalid_reason(self) -> str:
        """Why no trial counts: ``failed``, ``unverified`` or ``skipped``; empty where one does."""
        if self.interval is not None:
            return ""
        return "failed" if self.failed else "unverified" if self.unverified else "skipped"

    @property
    def trials(self) -> int:
        """Number of all trials, of any status."""
        return self.ok + self.failed + self.skipped + self.unverified


def summarise_cell(
    cell: Cell,
    trials: Sequence[Measurement],
    facts: DatasetFacts | None,
    disk: DiskUsage | None = None,
    whole_bytes: int | None = None,
    emulator: str = "",
) -> CellSummary:
    """Return the summary of a cell.

    Args:
        cell: The cell.
        trials: Its trials in the order run.
        facts: Its dataset, if known.
        disk: Disk use of its store, if measured.
        whole_bytes: Bytes of the raw pixels of all images of the cutoff, if a trial measured them; otherwise they are
            computed from the facts.
        emulator: Name of the emulator that was measured, if it was one.
    """
    done = [trial for trial in trials if trial.status is Status.OK and trial.seconds is not None]
    counted = [trial for trial in done if trial.verified]
    reasons = Counter(
        trial.reason or "no reason was given"
        for trial in trials
        if trial.status is not Status.OK or trial.seconds is None
    )
    if len(done) > len(counted):
        reasons[UNVERIFIED] += len(done) - len(counted)
    rounds = [trial.seconds for trial in counted if trial.seconds is not None]
    skipped = sum(trial.status is Status.SKIPPED for trial in trials)
    return CellSummary(
        cell=cell,
        ok=len(counted),
        failed=len(trials) - len(done) - skipped,
        skipped=skipped,
        unverified=len(done) - len(counted),
        reasons=tuple(reasons.items()),
        rounds=tuple((trial.round, trial.seconds) for trial in counted if trial.seconds is not None),
        interval=median_interval(rounds) if rounds else None,
        spread=relative_spread(rounds) if rounds else None,
        pixel_bytes=_sample_pixels(cell, counted, facts),
        store_pixel_bytes=whole_bytes or _pixel_bytes(facts, cell.cutoff),
        peak_private_bytes=median_int(trial.peak_private_bytes for trial in counted),
        cpu_s=_median(_cpu(trial) for trial in counted),
        disk=disk,
        psnr_db=_median(trial.psnr_db for trial in counted),
        warnings=noise_warnings(
            rounds,
            [sum(trial.samples) for trial in counted if trial.samples],
        ),
        notes=tuple(dict.fromkeys(note for trial in trials for note in trial.warnings)),
        access=_common_access(trials),
        emulator=emulator,
        resident_before=_resident_range(counted),
    )


def _resident_range(trials: Sequence[Measurement]) -> tuple[float, float] | None:
    shares = [trial.resident_before for trial in trials]
    known = [share for share in shares if share is not None]
    return (min(known), max(known)) if known and len(known) == len(shares) else None


def _common_access(trials: Sequence[Measurement]) -> Access | None:
    kinds = {trial.access for trial in trials}
    return kinds.pop() if len(kinds) == 1 else None


def _cpu(trial: Measurement) -> float | None:
    if trial.cpu_user_s is None or trial.cpu_system_s is None:
        return None
    return (trial.cpu_user_s + trial.cpu_system_s) / max(1, len(trial.samples))


def _sample_pixels(cell: Cell, trials: Sequence[Measurement], facts: DatasetFacts | None) -> int | None:
    """Return the bytes of raw pixels of the median trial: as measured, else as computed from the facts."""
    if cell.operation in (Operation.READ_LABELS, Operation.DELETE):
        return None
    # Where each round reads another image, the median trial stands for all, as its time does.
    measured = sorted((trial.seconds or 0.0, trial.pixel_bytes) for trial in trials if trial.pixel_bytes is not None)
    if measured:
        return measured[(len(measured) - 1) // 2][1]
    return _pixel_bytes(facts, cell.operation.images(cell.cutoff))


def _pixel_bytes(facts: DatasetFacts | None, images: int) -> int | None:
    """Return the bytes of raw pixels of the first images; where sizes vary, only of whole passes over the data."""
    if facts is None:
        return None
    if facts.shape is not None and facts.dtype is not None:
        return pixel_bytes(facts.shape, facts.dtype) * images
    if facts.used and images % facts.used == 0:
        return facts.pixel_bytes * (images // facts.used)
    return None


def _median(values: Iterable[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.median(present) if present else None


def median_int(values: Iterable[int | None]) -> int | None:
    """Return the lower median of the values that are not None; None if there are none."""
    present = [value for value in values if value is not None]
    return statistics.median_low(present) if present else None
