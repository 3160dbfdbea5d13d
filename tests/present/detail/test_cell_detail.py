"""Tests the detail of a cell: every sample, phases that add up, reasons, harmless text."""

from dataclasses import replace

import pytest
from rich.cells import cell_len

from imgstore_tui.analysis.cell_breakdown import break_down
from imgstore_tui.core.events import TrialFinished
from imgstore_tui.core.model import Cell, Run
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.core.units import format_seconds
from imgstore_tui.present.detail.cell_detail import cell_detail, cell_title
from imgstore_tui.present.detail.strips import interval_strip, sample_strip, strip_scale
from imgstore_tui.present.results import build_results
from imgstore_tui.present.text.log_line import log_line
from imgstore_tui.stats.intervals import median_interval
from imgstore_tui.testing.fake_runs import fake_run

EVIL = "[red]x[/] \x1b[31m\u202e"


def cell_of(run: Run, spec: str, operation: Operation, cutoff: int) -> Cell:
    return next(
        trial.cell
        for trial in run.measurements
        if (trial.spec, trial.operation, trial.cutoff) == (spec, operation, cutoff)
    )


def detail(run: Run, spec: str, operation: Operation, cutoff: int, width: int = 76) -> str:
    return cell_detail(build_results(run), cell_of(run, spec, operation, cutoff), width).plain


def test_phases_are_those_of_the_middle_round_and_add_up() -> None:
    run = fake_run(sync=[SyncLevel.END])
    inside = break_down(run, cell_of(run, "disk", Operation.WRITE_MANY, 1000))
    assert inside.median_trial is not None
    ordered = sorted(trial.seconds or 0 for trial in inside.trials)
    assert inside.median_trial.seconds == ordered[2]
    assert sum(phase.seconds or 0 for phase in inside.phases) == pytest.approx(inside.median_trial.seconds)
    assert [phase.name for phase in inside.phases] == ["open", "storage", "codec", "sync", "close"]
    assert inside.phases[-1].start + inside.phases[-1].share == pytest.approx(1)


def test_time_that_no_phase_accounts_for_is_said() -> None:
    run = fake_run(["lmdb"], [10], operations=[Operation.READ_MANY])
    trials = tuple(replace(trial, storage_s=None, codec_s=None) for trial in run.measurements)
    inside = break_down(replace(run, measurements=trials), trials[0].cell)
    assert [phase.name for phase in inside.phases if phase.seconds is None] == ["storage", "codec"]
    assert inside.phases[-1].name == "not separable"


def test_a_cell_whose_ranking_is_settled_has_all_its_rounds() -> None:
    run = fake_run(["disk", "lmdb"], [1000], 8, operations=[Operation.READ_MANY])
    going = replace(run, plan=replace(run.plan, rounds=12, looks=False))
    assert "some rounds: 8 of 12 rounds count" in detail(going, "disk", Operation.READ_MANY, 1000)
    ended = replace(going, plan=replace(going.plan, looks=True))
    text = " ".join(detail(ended, "disk", Operation.READ_MANY, 1000).split())
    assert "all rounds: 8 of 8 rounds count, no more of the 12 planned: its ranking is settled" in text


def test_every_sample_and_what_surrounds_it_is_there() -> None:
    run = fake_run()
    text = detail(run, "disk", Operation.READ_ONE, 100)
    for trial in run.measurements:
        if trial.cell == cell_of(run, "disk", Operation.READ_ONE, 100):
            for sample in trial.samples:
                assert format_seconds(sample) in text
    joined = " ".join(text.split())
    for part in (
        "96.9 % confidence interval", "as long as the fastest, lmdb", "6 of 6 rounds count", "of pixels",
        "at the peak, above the start", "408 KiB allocated", "in 101 files", "1.36x the bare pixels",
        "every image and label was read back", "100% of the store in memory", "codec png, preset tuned",
        "started by fork", "Imaginary 9000", "ext4 /scratch", "h5py 3.16.0",
    ):  # fmt: skip
        assert part in joined, part


def test_a_write_says_what_was_forced_and_what_was_left_behind() -> None:
    text = detail(fake_run(sync=[SyncLevel.END]), "lmdb", Operation.WRITE_MANY, 1000)
    assert "end; 2 sync calls inside the clock" in text
    assert "4.00 ms after the clock, to force what was left" in " ".join(text.split())


def test_a_failure_has_its_reason_and_no_numbers_that_do_not_count() -> None:
    run = fake_run(failures={"hdf5/read-one/100": EVIL})
    text = detail(run, "hdf5", Operation.READ_ONE, 100)
    assert "[red]x[/] <U+001B>[31m<U+202E> (6 of 6)" in text
    assert "✗ failed: 0 of 6 rounds count" in text
    assert "Where the time went" not in text
    assert "\x1b" not in text


def test_what_was_not_verified_does_not_count() -> None:
    text = detail(fake_run(verified=False), "disk", Operation.READ_MANY, 10)
    assert "not verified: does not count" in text
    assert "0 of 6 trials" in text


def test_a_cell_without_a_trial_says_so() -> None:
    run = fake_run()
    results = build_results(replace(run, measurements=()))
    text = cell_detail(results, cell_of(run, "disk", Operation.READ_MANY, 10), 60).plain
    assert "no trial of it has ended yet" in text


@pytest.mark.parametrize("width", [24, 40, 60, 76, 110])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_line_fits(width: int, ascii_only: bool) -> None:
    run = fake_run(
        ["disk", "lmdb:preset=article"], cache=[CacheState.HOT, CacheState.COLD], failures={"disk/read-many": EVIL}
    )
    results = build_results(run)
    for summary in results.summaries:
        text = cell_detail(results, summary.cell, width, ascii_only=ascii_only)
        assert max(cell_len(line) for line in text.plain.split("\n")) <= width
        assert text.plain.isascii() or not ascii_only


def test_the_title_is_harmless() -> None:
    cell = replace(fake_run().measurements[0].cell, spec=EVIL)
    assert cell_title(cell) == "[red]x[/] <U+001B>[31m<U+202E>, write-one, 1 image, sync buffered"


def test_strips_put_values_where_they_belong() -> None:
    scale = strip_scale([1.0, 2.0, 3.0], 11)
    assert sample_strip([1.0, 2.0, 3.0], scale) == "·    ●    ·"
    assert sample_strip([1.0, 1.0, 1.0, 2.0, 3.0], scale)[0] == "●"
    assert interval_strip(median_interval([1.0, 1.0, 2.0, 2.0, 3.0, 3.0]), scale) == "├────┼────┤"
    wide = strip_scale([0.001, 0.01, 1.0], 31)
    assert wide.log
    assert wide.column(0.01) == 10
    assert sample_strip([5.0], strip_scale([5.0], 9)) == "    ●    "


def test_what_a_server_tells_of_its_disk_is_told_apart() -> None:
    run = fake_run(["lmdb"], [10], operations=[Operation.WRITE_MANY])
    parts = tuple(
        replace(trial, disk_parts={"table": 8192, "indexes": 16384}, server_log_bytes=2**24)
        for trial in run.measurements
    )
    text = " ".join(detail(replace(run, measurements=parts), "lmdb", Operation.WRITE_MANY, 10).split())
    assert "8.00 KiB table, 16.0 KiB indexes" in text
    assert "server log 16.0 MiB, which all its stores share; not counted above" in text
    silent = detail(run, "lmdb", Operation.WRITE_MANY, 10)
    assert "server log" not in silent


def test_a_cell_on_a_server_names_it_and_counts_requests() -> None:
    run = fake_run()
    trials = tuple(
        replace(trial, server="PostgreSQL 15.18", round_trip_s=0.0203, requests=7, retries=int(trial.round == 2))
        for trial in run.measurements
    )
    text = detail(replace(run, measurements=trials), "lmdb", Operation.READ_MANY, 100)
    assert "PostgreSQL 15.18" in text
    assert "round trip 20.3 ms" in " ".join(text.split())
    assert "7 a sample; 1 request in all sent again" in text
    event = TrialFinished(next(trial for trial in trials if trial.retries))
    assert "1 request sent again" in str(log_line(event))
    assert "round trip" not in detail(run, "lmdb", Operation.READ_MANY, 100)
