"""Judges the claims of the article by the measurements of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imgstore_tui.analysis.article.evidence import (
    METHODS,
    ClaimCase,
    ClaimResult,
    Evidence,
    case_label,
    combine_results,
    judge_ratio,
    ratio_range_text,
)
from imgstore_tui.analysis.article.probe_claims import judge_dtypes, judge_repeated_writes
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.units import format_bytes, format_count, format_number, format_seconds

FAST_S = 0.1
"""Seconds that a person perceives as instant."""
BY_FAR = 2.0
SLIGHTLY = 2.0
INFINITE = float("inf")
EPOCHS = 600
"""Of 4 s each they make the article's forty minutes."""
HOURS_TO_MINUTES = 9.0
"""Six hours are nine times forty minutes."""

ClaimTest = Callable[[Evidence], Sequence[ClaimCase]]


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the article, paraphrased, and how it is judged."""

    key: str
    about: tuple[str, ...]
    """Backends of the methods it is about; empty where it is about all."""
    text: str
    rule: str
    """When the claim holds."""
    judge: ClaimTest


@dataclass(frozen=True, slots=True)
class JudgedClaim:
    """A claim with its result in a run."""

    claim: Claim
    result: ClaimResult
    cases: tuple[ClaimCase, ...]

    @property
    def text(self) -> str:
        """The numbers behind the result, case by case."""
        mixed = len({case.result for case in self.cases}) > 1
        return "; ".join(case.text + (f" ({case.result})" if mixed else "") for case in self.cases)


def check_claims(run: Run, summaries: Sequence[CellSummary]) -> tuple[JudgedClaim, ...]:
    """Judge every claim of the article by a run; claims without measurements are marked as not measured."""
    evidence = Evidence(run, tuple(summaries))
    judged = []
    for claim in CLAIMS:
        unmeasured = ClaimCase(ClaimResult.UNMEASURED, "not measured in this run")
        cases = tuple(claim.judge(evidence)) or (unmeasured,)
        judged.append(JudgedClaim(claim, combine_results(cases), cases))
    return tuple(judged)


def _one_is_fast(evidence: Evidence) -> list[ClaimCase]:
    cases = []
    for operation, verb in ((Operation.WRITE_ONE, "store"), (Operation.READ_ONE, "read")):
        for level in evidence.levels(operation):
            cells = [evidence.cell(backend, operation, 1, level) for backend in METHODS]
            intervals = [cell.interval for cell in cells if cell is not None and cell.interval is not None]
            if len(intervals) < len(METHODS):
                continue
            low, high = min(interval.median for interval in intervals), max(interval.median for interval in intervals)
            results = {judge_ratio(interval, 0.0, FAST_S) for interval in intervals}
            worst_first = (ClaimResult.FAILS, ClaimResult.OPEN, ClaimResult.HOLDS)
            result = next(result for result in worst_first if result in results)
            at = verb if level is None else f"{verb}, sync {level}"
            cases.append(ClaimCase(result, f"{at}: {format_seconds(low)} to {format_seconds(high)}"))
    return cases


def _png_slowest(operation: Operation) -> ClaimTest:
    def judge(evidence: Evidence) -> list[ClaimCase]:
        cases = []
        for cutoff in evidence.cutoffs(operation)[-1:]:
            for level in evidence.levels(operation):
                for other in ("lmdb", "hdf5"):
                    ratio = evidence.ratio("disk", other, operation, cutoff, level)
                    if ratio is not None:
                        text = f"over {METHODS[other]}, {case_label(level, cutoff)}: {ratio_range_text(ratio)}"
                        cases.append(ClaimCase(judge_ratio(ratio, BY_FAR, INFINITE), text))
        return cases

    return judge


def _hdf5_to_lmdb(operation: Operation, end: int, low: float, high: float) -> ClaimTest:
    """Judge the ratio of HDF5 to LMDB at the fewest images (``end`` 0) or at the most (-1)."""

    def judge(evidence: Evidence) -> list[ClaimCase]:
        cutoffs = evidence.cutoffs(operation)
        if len(cutoffs) < 2:
            return []
        return _hdf5_cases(evidence, operation, cutoffs[end], None, low, high, "HDF5 over LMDB, ")

    return judge


def _hdf5_cases(
    evidence: Evidence, operation: Operation, cutoff: int, dataset: str | None, low: float, high: float, at: str = ""
) -> list[ClaimCase]:
    cases = []
    for level in evidence.levels(operation):
        ratio = evidence.ratio("hdf5", "lmdb", operation, cutoff, level, dataset)
        if ratio is not None:
            text = f"{at}{case_label(level, cutoff)}: {ratio_range_text(ratio)}"
            cases.append(ClaimCase(judge_ratio(ratio, low, high), text))
    return cases


def _larger_images(evidence: Evidence) -> list[ClaimCase]:
    cases = []
    for dataset, size in evidence.by_size:
        if dataset == evidence.dataset:
            continue
        for operation, verb in ((Operation.WRITE_MANY, "storing"), (Operation.READ_MANY, "reading")):
            for cutoff in evidence.cutoffs(operation, dataset)[-1:]:
                at = f"HDF5 over LMDB, {verb} {size}, "
                cases += _hdf5_cases(evidence, operation, cutoff, dataset, 1 / SLIGHTLY, 1.0, at)
    return cases


def _more_disk(evidence: Evidence) -> list[ClaimCase]:
    cases = []
    for cutoff in evidence.cutoffs(Operation.WRITE_MANY)[-1:]:
        png = evidence.allocated("disk", cutoff)
        for other in ("lmdb", "hdf5"):
            size = evidence.allocated(other, cutoff)
            if png and size:
                text = f"{format_count(cutoff)} images: {METHODS[other]} {format_bytes(size)}, PNG files "
                text += f"{format_bytes(png)} ({format_number(size / png)} times)"
                cases.append(ClaimCase(ClaimResult.HOLDS if size > png else ClaimResult.FAILS, text))
    return cases


def _grows(evidence: Evidence, against: Callable[[str, int], float | None], name: str) -> list[ClaimCase]:
    """Judge whether the ratio of LMDB's disk use to another size grows with the size of the images.

    Args:
        evidence: The run.
        against: Returns the other size, in bytes, of a dataset and a number of images.
        name: Name of the other size.
    """
    sizes = evidence.by_size
    common = [set(evidence.cutoffs(Operation.WRITE_MANY, dataset)) for dataset, _ in sizes]
    shared = set.intersection(*common) if common else set()
    if len(sizes) < 2 or not shared:
        return []
    cutoff = max(shared)
    ratios = []
    for dataset, size in sizes:
        own, other = evidence.allocated("lmdb", cutoff, dataset), against(dataset, cutoff)
        if own and other:
            ratios.append((own / other, size))
    if len(ratios) < 2:
        return []
    text = ", ".join(f"{format_number(ratio)} at {size}" for ratio, size in ratios)
    result = ClaimResult.HOLDS if ratios[-1][0] > ratios[0][0] else ClaimResult.FAILS
    return [ClaimCase(result, f"{format_count(cutoff)} images, LMDB over {name}: {text}")]


def _grows_beside_png(evidence: Evidence) -> list[ClaimCase]:
    return _grows(evidence, lambda dataset, cutoff: evidence.allocated("disk", cutoff, dataset), "PNG files")


def _grows_over_pixels(evidence: Evidence) -> list[ClaimCase]:
    def pixels(dataset: str, cutoff: int) -> float | None:
        entry = evidence.cell("lmdb", Operation.WRITE_MANY, cutoff, evidence.run.plan.sync[0], dataset)
        return None if entry is None else entry.store_pixel_bytes

    return _grows(evidence, pixels, "the bare pixels")


def _epochs(evidence: Evidence) -> list[ClaimCase]:
    cutoffs = evidence.cutoffs(Operation.READ_MANY)
    if not cutoffs:
        return []
    cutoff = cutoffs[-1]
    times = {
        backend: cell.seconds
        for backend in METHODS
        for cell in [evidence.cell(backend, Operation.READ_MANY, cutoff, None)]
        if cell is not None and cell.seconds is not None
    }
    slowest, fastest = max(times, key=lambda name: times[name]), min(times, key=lambda name: times[name])
    ratio = evidence.ratio(slowest, fastest, Operation.READ_MANY, cutoff, None)
    durations = ", ".join(f"{METHODS[name]} {_long(EPOCHS * seconds)}" for name, seconds in times.items())
    text = f"{EPOCHS} epochs of {format_count(cutoff)} images: {durations}"
    if ratio is not None:
        text += f"; {METHODS[slowest]} over {METHODS[fastest]} {ratio_range_text(ratio)}"
    stored = evidence.cell(slowest, Operation.WRITE_MANY, cutoff, SyncLevel(evidence.run.plan.sync[0]))
    if stored is not None:
        text += f"; stored once by {METHODS[slowest]} in {format_seconds(stored.seconds)}"
    return [ClaimCase(judge_ratio(ratio, HOURS_TO_MINUTES, INFINITE), text)]


def _long(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return format_seconds(seconds)
    return f"{format_number(minutes)} min" if minutes < 90 else f"{format_number(minutes / 60)} h"


_BOTH = ("hdf5", "lmdb")
_END = "judged at the most images"
_SLIGHTLY = f"slightly: by less than a factor of {SLIGHTLY:g}; {_END}"
CLAIMS = (
    Claim("one-fast", (), "One image is stored and read at once, whatever the method", "under 0.1 s", _one_is_fast),
    Claim("store-png", ("disk",), "Stored by the thousand, PNG files are slowest by far",
          f"by far: at least {BY_FAR:g} times as long as the others; {_END}", _png_slowest(Operation.WRITE_MANY)),
    Claim("store-start", _BOTH, "HDF5 stores few images slower than LMDB", "judged at the fewest images beyond one",
          _hdf5_to_lmdb(Operation.WRITE_MANY, 0, 1.0, INFINITE)),
    Claim("store-end", _BOTH, "HDF5 stores many images slightly faster than LMDB", _SLIGHTLY,
          _hdf5_to_lmdb(Operation.WRITE_MANY, -1, 1 / SLIGHTLY, 1.0)),
    Claim("read-png", ("disk",), "Read by the thousand, PNG files are slowest by far",
          f"by far: at least {BY_FAR:g} times as long as the others; {_END}", _png_slowest(Operation.READ_MANY)),
    Claim("read-start", _BOTH, "HDF5 reads few images slower than LMDB", "judged at the fewest images beyond one",
          _hdf5_to_lmdb(Operation.READ_MANY, 0, 1.0, INFINITE)),
    Claim("read-end", _BOTH, "HDF5 reads many images slightly faster than LMDB", _SLIGHTLY,
          _hdf5_to_lmdb(Operation.READ_MANY, -1, 1 / SLIGHTLY, 1.0)),
    Claim("disk-more", ("lmdb", "hdf5", "disk"), "LMDB and HDF5 take more disk than PNG files", _END, _more_disk),
    Claim("disk-grows", ("lmdb", "disk"), "Beside PNG files, LMDB takes ever more disk as images grow",
          "more at the largest images than at the smallest", _grows_beside_png),
    Claim("disk-pages", ("lmdb",), "That is because its overflow pages waste more of the disk as images grow",
          "more over the bare pixels at the largest images than at the smallest", _grows_over_pixels),
    Claim("larger", _BOTH, "Larger images (256x256, 512x512) favour HDF5 slightly over LMDB", _SLIGHTLY,
          _larger_images),
    Claim("twice-map", ("lmdb",), "LMDB does not write in place: the same images stored twice take the map twice",
          "the file grows by 80 to 120 %", lambda evidence: judge_repeated_writes(evidence)[:1]),
    Claim("twice-full", ("lmdb",), "So storing again ends in MapFullError", "it does within a few times",
          lambda evidence: judge_repeated_writes(evidence)[1:]),
    Claim("dtype", ("hdf5",), "The data type of HDF5 decides what it takes in time and space",
          "64 bits a number take at least twice the space of 8 bits, and more time", judge_dtypes),
    Claim("epochs", (), "Reading outweighs writing, since training reads every epoch: six hours or forty minutes",
          f"{EPOCHS} epochs: the slowest takes at least {HOURS_TO_MINUTES:g} times as long as the fastest", _epochs),
)  # fmt: skip
