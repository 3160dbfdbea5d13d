"""Tests summaries of cells against numbers computed by hand."""

from dataclasses import replace

import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.summary import UNVERIFIED, CellSummary
from imgstore_tui.core.model import Measurement, Run
from imgstore_tui.core.operations import Operation, Status, SyncLevel
from imgstore_tui.stats.warnings import Noise
from imgstore_tui.testing.fake_runs import IMAGE_BYTES, fake_run


def find(run: Run, spec: str, operation: Operation, cutoff: int) -> CellSummary:
    (summary,) = [
        entry
        for entry in summarise(run)
        if (entry.cell.spec, entry.cell.operation, entry.cell.cutoff) == (spec, operation, cutoff)
    ]
    return summary


def with_seconds(run: Run, seconds: list[float]) -> Run:
    """Give the run's trials, which must be as many, these seconds."""
    trials = zip(run.measurements, seconds, strict=True)
    return replace(run, measurements=tuple(replace(trial, seconds=s, samples=(s,)) for trial, s in trials))


def test_median_interval_rates_and_spread() -> None:
    run = fake_run(["lmdb"], [100], 6, operations=[Operation.WRITE_MANY])
    run = with_seconds(run, [2.0, 1.0, 4.0, 3.0, 6.0, 5.0])
    (summary,) = summarise(run)
    assert summary.interval is not None
    assert (summary.seconds, summary.interval.low, summary.interval.high) == (3.5, 1.0, 6.0)
    assert summary.interval.coverage == 1 - 2 / 64
    assert summary.images == 100
    assert summary.seconds_per_image == pytest.approx(0.035)
    assert summary.images_per_s == pytest.approx(100 / 3.5)
    assert summary.pixel_bytes == 100 * IMAGE_BYTES
    assert summary.pixel_bytes_per_s == pytest.approx(100 * IMAGE_BYTES / 3.5)
    assert summary.spread == pytest.approx(1.4826 * 1.5 / 3.5)
    assert summary.rounds == ((1, 2.0), (2, 1.0), (3, 4.0), (4, 3.0), (5, 6.0), (6, 5.0))
    assert [warning.kind for warning in summary.warnings] == [Noise.SPREAD]
    assert summary.verified is True


def test_read_one_handles_one_image_of_a_store_of_many() -> None:
    summary = find(fake_run(), "lmdb", Operation.READ_ONE, 1000)
    assert summary.images == 1
    assert summary.pixel_bytes == IMAGE_BYTES
    assert summary.store_pixel_bytes == 1000 * IMAGE_BYTES


def test_reads_carry_the_weight_of_the_store_that_write_many_weighed() -> None:
    run = fake_run(sync=[SyncLevel.BUFFERED, SyncLevel.END])
    written = [entry for entry in summarise(run) if entry.cell.operation is Operation.WRITE_MANY]
    read = find(run, "disk", Operation.READ_RANDOM, 1000)
    weights = {entry.cell.cutoff: entry.disk for entry in written if entry.cell.spec == "disk"}
    assert read.disk is not None
    assert read.disk == weights[1000]
    assert (read.disk.allocated_bytes, read.disk.files) == (8192 + 4096 * 1000, 1001)


def test_a_run_that_wrote_nothing_has_no_weight() -> None:
    assert find(fake_run(operations=[Operation.READ_MANY]), "disk", Operation.READ_MANY, 10).disk is None


def test_failures_are_counted_by_reason_and_give_no_time() -> None:
    run = fake_run(failures={"hdf5/write-many/100": "the disk is full"})
    summary = find(run, "hdf5", Operation.WRITE_MANY, 100)
    assert (summary.ok, summary.failed, summary.trials) == (0, 6, 6)
    assert summary.reasons == (("the disk is full", 6),)
    assert summary.interval is None
    assert summary.seconds is None
    assert summary.images_per_s is None
    assert summary.verified is None


def test_no_verification_no_score() -> None:
    run = fake_run(["lmdb"], [10], 6, operations=[Operation.READ_MANY])
    trials = list(run.measurements)
    trials[0] = replace(trials[0], verified=None)
    trials[1] = replace(trials[1], status=Status.SKIPPED, seconds=None, reason="its store could not be made")
    summary = find(replace(run, measurements=tuple(trials)), "lmdb", Operation.READ_MANY, 10)
    assert (summary.ok, summary.unverified, summary.skipped, summary.failed) == (4, 1, 1, 0)
    assert summary.reasons == (("its store could not be made", 1), (UNVERIFIED, 1))
    assert summary.verified is False
    assert summary.interval is not None
    assert summary.interval.is_range


def test_images_of_varying_size_are_only_summed_over_whole_passes() -> None:
    run = fake_run(["lmdb"], [10, 100], 6, operations=[Operation.READ_MANY])
    facts = replace(run.datasets[0], shape=None, dtype=None, used=100, pixel_bytes=12_345)
    run = replace(run, datasets=(facts,))
    assert find(run, "lmdb", Operation.READ_MANY, 100).pixel_bytes == 12_345
    assert find(run, "lmdb", Operation.READ_MANY, 10).pixel_bytes is None
    assert find(run, "lmdb", Operation.READ_MANY, 10).pixel_bytes_per_s is None


def test_what_trials_say_of_their_pixels_counts_for_any_cutoff() -> None:
    run = fake_run(["lmdb"], [10, 100], 3, operations=[Operation.READ_ONE, Operation.READ_MANY, Operation.READ_LABELS])
    facts = replace(run.datasets[0], shape=None, dtype=None, used=100, pixel_bytes=12_345)
    times = {1: 2.0, 2: 3.0, 3: 1.0}

    def pixels(trial: Measurement) -> int | None:
        if trial.operation is Operation.READ_LABELS:
            return None
        return 50 * trial.cutoff if trial.operation is Operation.READ_MANY else 7 * trial.round

    trials = [replace(trial, seconds=times[trial.round], pixel_bytes=pixels(trial)) for trial in run.measurements]
    run = replace(run, datasets=(facts,), measurements=tuple(trials))
    many, one = (find(run, "lmdb", operation, 10) for operation in (Operation.READ_MANY, Operation.READ_ONE))
    assert (many.pixel_bytes, many.store_pixel_bytes, many.pixel_bytes_per_s) == (500, 500, 250)
    assert (one.pixel_bytes, one.store_pixel_bytes) == (7, 500)  # of the round whose time is the median
    assert find(run, "lmdb", Operation.READ_LABELS, 10).pixel_bytes is None


def test_sixteen_bit_pixels_weigh_two_bytes() -> None:
    run = fake_run(["lmdb"], [10], 1, operations=[Operation.READ_MANY])
    run = replace(run, datasets=(replace(run.datasets[0], shape=(4, 5), dtype="uint16"),))
    assert find(run, "lmdb", Operation.READ_MANY, 10).pixel_bytes == 4 * 5 * 2 * 10


def test_cells_stand_in_the_plan_s_order_whatever_the_order_run() -> None:
    run = fake_run(["hdf5", "disk"], [100, 10], 2, operations=[Operation.READ_MANY, Operation.WRITE_MANY])
    shuffled = replace(run, measurements=run.measurements[::-1])
    order = [(entry.cell.operation, entry.cell.cutoff, entry.cell.spec) for entry in summarise(shuffled)]
    assert order == [
        (operation, cutoff, spec)
        for operation in ("write-many", "read-many")
        for cutoff in (10, 100)
        for spec in ("hdf5", "disk")
    ]


def test_cpu_is_that_of_one_sample_and_notes_are_said_once() -> None:
    run = fake_run(["lmdb"], [10], 3, operations=[Operation.READ_ONE])
    trials = tuple(
        replace(trial, samples=(1.0, 1.0), cpu_user_s=3.0, cpu_system_s=1.0, warnings=("odd",))
        for trial in run.measurements
    )
    (summary,) = summarise(replace(run, measurements=trials))
    assert summary.cpu_s == 2.0
    assert summary.notes == ("odd",)


def test_an_empty_run_has_no_summaries() -> None:
    assert summarise(replace(fake_run(), measurements=())) == ()


def test_a_failed_trial_has_no_time_whatever_it_says() -> None:
    run = fake_run(["lmdb"], [10], 6, operations=[Operation.READ_MANY])
    first, *others = run.measurements
    failed = replace(first, status=Status.FAILED, reason="no", seconds=9.0)
    (summary,) = summarise(replace(run, measurements=(failed, *others)))
    assert (summary.ok, summary.failed, len(summary.rounds)) == (5, 1, 5)


def test_reads_weigh_the_store_of_write_many_and_a_change_its_own() -> None:
    weights = {Operation.WRITE_ONE: 1, Operation.WRITE_MANY: 20, Operation.APPEND: 300}
    run = fake_run(["lmdb"], [1], 2, operations=[*weights, Operation.READ_MANY])
    trials = tuple(replace(trial, allocated_bytes=weights.get(trial.operation)) for trial in run.measurements)
    disk = {entry.cell.operation: entry.disk for entry in summarise(replace(run, measurements=trials))}
    allocated = {operation: None if usage is None else usage.allocated_bytes for operation, usage in disk.items()}
    assert allocated == {**weights, Operation.READ_MANY: 20}
