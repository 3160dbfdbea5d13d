"""Costs, predictions and crossings of made-up measurements: within their intervals as often as these claim."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.crossings import crossings, ratio_interval
from imgstore_tui.analysis.growth import (
    MEMORY_SHARE,
    Growth,
    NoPrediction,
    Prediction,
    growths,
)
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation, Status
from tests.support.costed_runs import CROSSING, GIB, IMAGE_BYTES, READ_COSTS, costed_run, is_at_least, true_seconds

READ = Operation.READ_RANDOM
SEEDS = 60
FAR = 50_000


def growth_of(run: Run, spec: str, operation: Operation = READ, cache: CacheState | None = CacheState.HOT) -> Growth:
    """Return the growth of one method."""
    (growth,) = [
        growth
        for cell, growth in growths(run, summarise(run)).items()
        if (cell.spec, cell.operation) == (spec, operation) and cell.cache in (cache, None)
    ]
    return growth


def predicted(growth: Growth, images: int) -> Prediction:
    prediction = growth.predict(images)
    assert isinstance(prediction, Prediction), prediction
    return prediction


def refused(growth: Growth, images: int) -> str:
    prediction = growth.predict(images)
    assert isinstance(prediction, NoPrediction)
    return prediction.reason


@pytest.mark.parametrize(
    ("rounds", "noise"),
    [(12, 0.05), pytest.param(25, 0.1, marks=pytest.mark.full), pytest.param(6, 0.2, marks=pytest.mark.full)],
)
def test_the_truth_lies_in_the_intervals_at_their_rate(rounds: int, noise: float) -> None:
    bare = widened = tested = starts = slopes = within = 0
    for seed in range(SEEDS):
        run = costed_run(READ_COSTS, rounds=rounds, noise=noise, seed=seed)
        for spec in READ_COSTS:
            growth = growth_of(run, spec)
            start, per_image = READ_COSTS[spec][READ]
            assert growth.start_s is not None
            assert growth.per_image_s is not None
            assert growth.tested is not None
            bare += growth.extrapolate(FAR).contains(true_seconds(READ_COSTS, spec, READ, FAR))
            widened += predicted(growth, FAR).interval.contains(true_seconds(READ_COSTS, spec, READ, FAR))
            within += predicted(growth, 400).interval.contains(true_seconds(READ_COSTS, spec, READ, 400))
            tested += growth.tested.ratio.contains(1.0)
            starts += growth.start_s.contains(start)
            slopes += growth.per_image_s.contains(per_image)
    trials = 2 * SEEDS
    for hits in (bare, within, tested, starts, slopes):
        assert is_at_least(hits, trials)
    assert bare < trials  # an interval that always holds the truth would be too wide to be of use
    assert widened >= bare


@pytest.mark.parametrize(("rounds", "noise"), [(12, 0.05), pytest.param(25, 0.1, marks=pytest.mark.full)])
def test_the_crossing_lies_in_its_interval_at_its_rate(rounds: int, noise: float) -> None:
    hits = 0
    for seed in range(SEEDS):
        run = costed_run(READ_COSTS, rounds=rounds, noise=noise, seed=f"crossing/{seed}")
        (crossing,) = crossings(growth_of(run, "quickstart"), growth_of(run, "steady"), FAR)
        assert (crossing.below.spec, crossing.above.spec) == ("quickstart", "steady")
        assert crossing.low <= crossing.images <= crossing.high
        hits += crossing.low <= CROSSING <= crossing.high
    assert is_at_least(hits, SEEDS)


def test_a_crossing_beyond_what_was_measured_is_widened_by_the_tested_error() -> None:
    costs = {"early": {READ: (1e-4, 6e-6)}, "late": {READ: (2e-2, 2e-6)}}
    run = costed_run(costs, (10, 100, 1000), noise=0.01, weather=0.05)
    early, late = growth_of(run, "early"), growth_of(run, "late")
    (crossing,) = crossings(early, late, 1_000_000)
    assert crossing.low < 1.99e-2 / 4e-6 < crossing.high
    assert crossing.images > crossing.measured_up_to == 1000
    plain = early.extrapolate(5000).high / early.extrapolate(5000).low
    widened = predicted(early, 5000)
    assert widened.widened > 1
    assert widened.interval.high / widened.interval.low == pytest.approx(plain * widened.widened**2)


def test_equal_methods_cross_nowhere() -> None:
    costs = {"one": {READ: (1e-3, 4e-6)}, "other": {READ: (1e-3, 4e-6)}}
    found = [
        crossing
        for seed in range(20)
        for run in [costed_run(costs, seed=seed)]
        for crossing in crossings(growth_of(run, "one"), growth_of(run, "other"), FAR)
    ]
    assert len(found) <= 2


def test_too_few_rounds_cross_nowhere_and_predict_nothing() -> None:
    few = costed_run(READ_COSTS, rounds=5)
    assert crossings(growth_of(few, "quickstart"), growth_of(few, "steady"), FAR) == []
    assert predicted(growth_of(few, "steady"), FAR).interval.is_range
    run = costed_run(READ_COSTS, rounds=2)
    assert refused(growth_of(run, "steady"), FAR) == "2 rounds have every number of images, and it takes 3"
    assert growth_of(run, "steady").start_s is None


def test_a_number_that_was_measured_is_answered_by_its_row_alone() -> None:
    run = costed_run(READ_COSTS)
    prediction = predicted(growth_of(run, "steady"), 100)
    (row,) = prediction.rows
    (summary,) = [entry for entry in summarise(run) if entry.cell == row]
    assert prediction.is_measured
    assert (row.cutoff, prediction.interval) == (100, summary.interval)


def test_a_number_between_rests_on_the_rows_beside_it_and_lies_between_them() -> None:
    growth = growth_of(costed_run(READ_COSTS), "steady")
    prediction = predicted(growth, 500)
    assert [row.cutoff for row in prediction.rows] == [100, 1000]
    medians = [predicted(growth, count).interval.median for count in (100, 500, 1000)]
    assert medians == sorted(medians)
    assert "below the fewest images measured, 10" in refused(growth, 5)


def test_the_tested_error_is_that_of_the_line_without_the_largest_number() -> None:
    run = costed_run(READ_COSTS, bend={"steady": 0.2}, noise=0.01, weather=0.01)
    growth = growth_of(run, "steady")
    assert growth.tested is not None
    assert (growth.tested.from_images, growth.tested.images) == (100, 1000)
    fewer = replace(run, measurements=tuple(trial for trial in run.measurements if trial.cutoff < 1000))
    expected = growth_of(fewer, "steady").extrapolate(1000).median
    (row,) = [
        entry
        for entry in summarise(run)
        if (entry.cell.spec, entry.cell.cutoff) == ("steady", 1000) and entry.cell.operation is READ
    ]
    assert row.seconds is not None
    assert growth.tested.ratio.median == pytest.approx(expected / row.seconds, rel=0.02)
    assert growth.tested.factor > 1.1
    straight = growth_of(costed_run(READ_COSTS, noise=0.01, weather=0.01), "steady")
    assert straight.tested is not None
    assert straight.tested.factor < 1.1 < growth.tested.factor


def test_a_bent_line_widens_the_interval_more_the_farther_it_reaches() -> None:
    growth = growth_of(costed_run(READ_COSTS, bend={"steady": 0.1}, noise=0.01, weather=0.01), "steady")
    widths = [predicted(growth, count).widened for count in (500, 2000, 10_000, 100_000)]
    assert widths[0] == 1.0
    assert widths == sorted(widths)
    assert widths[3] == pytest.approx(widths[2] ** 2)
    assert growth.tested is not None
    assert widths[2] == pytest.approx(growth.tested.factor)


@pytest.mark.parametrize(
    "bend", [0.1, pytest.param(-0.1, marks=pytest.mark.full), pytest.param(0.15, marks=pytest.mark.full)]
)
def test_a_bent_line_lies_in_the_interval_at_its_rate(bend: float) -> None:
    """The cost per image grows or falls by a fifth to two fifths with each tenfold of images, on and on."""
    hits, straight = 0, []
    for seed in range(12):
        run = costed_run(READ_COSTS, rounds=9, seed=f"bend/{seed}", bend=dict.fromkeys(READ_COSTS, bend))
        for spec, of_spec in READ_COSTS.items():
            start, per_image = of_spec[READ]
            hits += predicted(growth_of(run, spec), FAR).interval.contains(start + per_image * FAR * (FAR / 10) ** bend)
        plain = costed_run(READ_COSTS, rounds=9, seed=seed)
        straight += [predicted(growth_of(plain, spec), FAR).interval for spec in READ_COSTS]
    assert is_at_least(hits, 24)
    # Where nothing bends, an interval that spans a factor of three at fifty times as many would be of little use.
    assert statistics.median(interval.high / interval.low for interval in straight) < 3


def test_two_numbers_of_images_are_too_few_to_go_beyond_them() -> None:
    growth = growth_of(costed_run(READ_COSTS, (10, 100)), "steady")
    assert "2 of the 3 numbers of images that it takes to test a prediction" in refused(growth, 1000)
    assert growth.tested is None
    assert predicted(growth, 50).interval.median > 0


def test_beyond_the_memory_only_cold_reads_say_something() -> None:
    images = int(MEMORY_SHARE * 8 * GIB / IMAGE_BYTES)
    run = costed_run(READ_COSTS, cache=(CacheState.HOT, CacheState.COLD))
    hot, cold = growth_of(run, "steady"), growth_of(run, "steady", cache=CacheState.COLD)
    assert predicted(hot, images).interval.median > 0
    reason = refused(hot, images + 1)
    assert "more than 70 % of the 8.00 GiB of memory" in reason
    assert "--cache cold" in reason
    assert predicted(cold, 10 * images).interval.median > predicted(hot, images).interval.median
    assert "--sync end" in refused(growth_of(run, "steady", Operation.WRITE_MANY), images + 1)
    unknown = replace(run, environment=replace(run.environment, memory_bytes=None))
    assert "the memory of the machine is not known" in refused(growth_of(unknown, "steady"), 2000)
    assert crossings(hot, growth_of(run, "quickstart"), 10 * images)[0].high < images


def test_a_cold_prediction_is_not_faster_than_the_device() -> None:
    run = costed_run(READ_COSTS, cache=(CacheState.COLD,))
    cold = growth_of(run, "steady", cache=CacheState.COLD)
    free = predicted(cold, FAR)
    assert not free.ceiling_bound
    size = IMAGE_BYTES * FAR
    slow = predicted(replace(cold, ceiling_bytes_per_s=size / (10 * free.interval.high)), FAR)
    assert slow.ceiling_bound
    assert slow.interval.low == slow.interval.median == pytest.approx(10 * free.interval.high)
    fast = predicted(replace(cold, ceiling_bytes_per_s=size / (0.1 * free.interval.low)), FAR)
    assert fast == free


@pytest.mark.parametrize(
    ("label", "left_out"),
    [("steady", ()), ("steady:compression=zstd", (1000,)), ("steady:filter=none", ()), ("steady:filter=gzip", (1000,))],
)
def test_repeated_images_are_left_out_where_compression_could_see_them(label: str, left_out: tuple[int, ...]) -> None:
    costs = {label: READ_COSTS["steady"], "other": READ_COSTS["quickstart"]}
    growth = growth_of(costed_run(costs, (1, 10, 100, 1000), images=500), label)
    assert growth.left_out == left_out
    assert growth.cutoffs == tuple(count for count in (1, 10, 100, 1000) if count not in left_out)
    assert growth_of(costed_run(costs, (1, 10, 100, 1000)), label).left_out == ()


def test_failed_and_unverified_rows_are_no_part_of_a_line() -> None:
    run = costed_run(READ_COSTS, (1, 10, 100, 1000))
    spoiled = tuple(
        replace(trial, status=Status.FAILED, seconds=None, reason="The disk is full.")
        if (trial.spec, trial.operation, trial.cutoff, trial.round) == ("steady", READ, 1000, 3)
        else replace(trial, verified=False)
        if (trial.spec, trial.operation, trial.cutoff, trial.round) == ("steady", READ, 10, 5)
        else trial
        for trial in run.measurements
    )
    assert growth_of(replace(run, measurements=spoiled), "steady").cutoffs == (1, 100)


def test_the_ratio_of_two_methods_is_paired_by_round() -> None:
    run = costed_run(READ_COSTS, noise=0.01, weather=0.5)
    ratio = ratio_interval(growth_of(run, "quickstart"), growth_of(run, "steady"), 1000)
    true = true_seconds(READ_COSTS, "quickstart", READ, 1000) / true_seconds(READ_COSTS, "steady", READ, 1000)
    assert ratio.contains(true)
    assert ratio.high / ratio.low < 1.05
