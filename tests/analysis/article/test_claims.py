"""Tests the article's claims: each result follows from the numbers, and from nothing else."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.article.claims import CLAIMS, JudgedClaim, check_claims
from imgstore_tui.analysis.article.evidence import ClaimCase, ClaimResult, combine_results, judge_ratio
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.testing.fake_runs import fake_article_run


def judged(run: Run) -> dict[str, JudgedClaim]:
    return {entry.claim.key: entry for entry in check_claims(run, summarise(run))}


def timed(run: Run, operation: Operation, **seconds: float) -> Run:
    """Return the run with these seconds an image for an operation on the article's own images."""
    first = run.plan.datasets[0]
    return replace(
        run,
        measurements=tuple(
            replace(trial, seconds=seconds[trial.backend] * trial.images)
            if trial.operation is operation and trial.dataset == first
            else trial
            for trial in run.measurements
        ),
    )


def sized(run: Run, **image_bytes: int) -> Run:
    return replace(
        run,
        measurements=tuple(
            replace(trial, allocated_bytes=image_bytes[trial.backend] * trial.cutoff)
            if trial.allocated_bytes
            else trial
            for trial in run.measurements
        ),
    )


def test_every_claim_of_the_article_is_judged_and_says_why() -> None:
    claims = judged(fake_article_run((1, 10, 1000)))
    assert list(claims) == [claim.key for claim in CLAIMS]
    assert all(entry.text for entry in claims.values())
    assert all(entry.result is not ClaimResult.UNMEASURED for entry in claims.values())


def test_slowest_by_far_is_twice_as_slow_as_each_of_the_others() -> None:
    run = fake_article_run((1, 10, 1000))
    for disk, lmdb, finding in (
        (5.0, 1.0, ClaimResult.HOLDS),
        (1.5, 1.0, ClaimResult.FAILS),
        (5.0, 4.0, ClaimResult.PARTLY),
    ):
        entry = judged(timed(run, Operation.READ_MANY, disk=disk, lmdb=lmdb, hdf5=1.0))["read-png"]
        assert entry.result is finding
    assert "over LMDB, 1,000 images: 1.25 (1.25 to 1.25) (does not hold)" in entry.text


@pytest.mark.parametrize(
    ("hdf5", "start", "end"),
    [
        (0.7, ClaimResult.FAILS, ClaimResult.HOLDS),
        (0.2, ClaimResult.FAILS, ClaimResult.FAILS),
        (1.3, ClaimResult.HOLDS, ClaimResult.FAILS),
    ],
)
def test_hdf5_against_lmdb(hdf5: float, start: ClaimResult, end: ClaimResult) -> None:
    claims = judged(timed(fake_article_run((1, 10, 1000)), Operation.WRITE_MANY, disk=9.0, lmdb=1.0, hdf5=hdf5))
    assert (claims["store-start"].result, claims["store-end"].result) == (start, end)


@pytest.mark.parametrize(
    ("slowest", "finding"),
    [
        ((0.2,) * 6, ClaimResult.FAILS),
        ((0.09, 0.09, 0.09, 0.11, 0.11, 0.11), ClaimResult.OPEN),
        ((0.09,) * 6, ClaimResult.HOLDS),
    ],
)
def test_one_image_is_fast_where_all_are_for_sure(slowest: tuple[float, ...], finding: ClaimResult) -> None:
    run = fake_article_run((1, 10))
    trials = tuple(
        replace(trial, seconds=slowest[trial.round - 1])
        if trial.backend == "hdf5" and trial.operation is Operation.READ_ONE
        else trial
        for trial in run.measurements
    )
    part = judged(replace(run, measurements=trials))["one-fast"].cases[-1]
    assert (part.text.startswith("read: "), part.result) == (True, finding)


def test_too_few_rounds_tell_nothing_of_times_but_of_sizes() -> None:
    claims = judged(fake_article_run((1, 10, 1000), rounds=3))
    assert claims["one-fast"].result is claims["store-png"].result is ClaimResult.OPEN
    assert claims["epochs"].result is ClaimResult.OPEN
    assert claims["disk-grows"].result is ClaimResult.HOLDS


def test_more_disk() -> None:
    run = fake_article_run((1, 10, 1000))
    assert judged(sized(run, disk=3000, lmdb=4096, hdf5=3100))["disk-more"].result is ClaimResult.HOLDS
    assert judged(sized(run, disk=4096, lmdb=4097, hdf5=3100))["disk-more"].result is ClaimResult.PARTLY
    same = judged(sized(run, disk=3000, lmdb=4096, hdf5=3100))["disk-grows"]
    assert (same.result, "1.37 at 32x32, 1.37 at 256x256" in same.text) == (ClaimResult.FAILS, True)


def test_an_hour_of_reading() -> None:
    run = timed(fake_article_run((1, 10, 1000)), Operation.READ_MANY, disk=0.04, lmdb=0.004, hdf5=0.02)
    entry = judged(run)["epochs"]
    assert entry.result is ClaimResult.HOLDS
    assert "600 epochs of 1,000 images: PNG files 6.67 h, LMDB 40 min, HDF5 3.33 h" in entry.text


def test_storing_twice_and_types_come_from_the_probes() -> None:
    run = fake_article_run((1, 10))
    claims = judged(run)
    assert (claims["twice-map"].result, claims["twice-full"].result) == (ClaimResult.HOLDS, ClaimResult.PARTLY)
    assert claims["dtype"].result is ClaimResult.HOLDS
    none = judged(replace(run, probes=()))
    assert {none[key].result for key in ("twice-map", "twice-full", "dtype")} == {ClaimResult.UNMEASURED}


def test_what_failed_or_is_missing_was_not_measured() -> None:
    run = fake_article_run((1, 10, 1000))
    empty = replace(run, measurements=(), probes=(), datasets=())
    assert {entry.result for entry in judged(empty).values()} == {ClaimResult.UNMEASURED}
    unverified = replace(
        run, measurements=tuple(replace(trial, verified=trial.backend != "lmdb") for trial in run.measurements)
    )
    assert judged(unverified)["store-png"].result is ClaimResult.UNMEASURED
    other = replace(run, plan=replace(run.plan, specs=run.plan.specs[:1], sync=(SyncLevel.END,)))
    assert judged(other)["store-png"].result is ClaimResult.UNMEASURED


def test_bounds_and_cases() -> None:
    def interval(low: float, high: float, coverage: float | None = 0.97) -> Interval:
        return Interval((low + high) / 2, low, high, coverage, 6)

    assert judge_ratio(interval(2.1, 3.0), 2.0, math.inf) is ClaimResult.HOLDS
    assert judge_ratio(interval(1.9, 3.0), 2.0, math.inf) is ClaimResult.OPEN
    assert judge_ratio(interval(1.0, 2.0), 2.0, math.inf) is ClaimResult.FAILS
    assert judge_ratio(interval(2.1, 3.0, None), 2.0, math.inf) is ClaimResult.OPEN
    assert judge_ratio(None, 0.0, 1.0) is ClaimResult.UNMEASURED
    parts = {finding: ClaimCase(finding, "") for finding in ClaimResult}
    assert combine_results([]) is ClaimResult.UNMEASURED
    assert combine_results([parts[ClaimResult.HOLDS], parts[ClaimResult.UNMEASURED]]) is ClaimResult.HOLDS
    assert combine_results([parts[ClaimResult.HOLDS], parts[ClaimResult.OPEN]]) is ClaimResult.PARTLY
    assert combine_results([parts[ClaimResult.FAILS], parts[ClaimResult.OPEN]]) is ClaimResult.FAILS
