"""Tests tables: their content, that they fit, that their text is harmless."""

from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from imgstore_tui.core.model import Run, ServerFacts
from imgstore_tui.core.operations import Operation, Status, SyncLevel
from imgstore_tui.core.units import format_seconds
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.disk_use import disk_tables
from imgstore_tui.present.tables.ranking import ranking_table
from imgstore_tui.present.tables.report_tables import all_tables, facts_table, failures_table, warnings_table
from imgstore_tui.present.tables.rich_table import rich_table
from imgstore_tui.present.tables.table_model import Emphasis, Table, interval_text
from imgstore_tui.present.tables.timings import one_image_tables, overview_tables, timing_tables
from imgstore_tui.present.text.narrative import verdict_lines
from imgstore_tui.stats.intervals import Interval
from imgstore_tui.testing.fake_runs import fake_run

EVIL = "[red]x[/] \x1b[31m\u202e =1+1"


def printed(run: Run, width: int, *, ascii_only: bool = False) -> str:
    console = Console(width=width, file=StringIO(), color_system=None)
    for table in all_tables(build_results(run)):
        console.print(rich_table(table, width, ascii_only=ascii_only))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def texts(table: Table) -> list[list[str]]:
    return [[cell.text.strip() for cell in row] for row in table.rows]


def exact(run: Run, **seconds: float) -> Run:
    return replace(
        run,
        measurements=tuple(
            replace(trial, seconds=seconds[trial.spec], samples=(seconds[trial.spec],)) for trial in run.measurements
        ),
    )


def test_a_timing_table_says_median_interval_rate_and_ratio() -> None:
    run = exact(fake_run(cutoffs=[1000], operations=[Operation.WRITE_MANY]), disk=0.2, lmdb=0.01, hdf5=0.01)
    (table,) = timing_tables(build_results(run))
    assert table.title == "write-many, sync buffered"
    assert [row[:6] for row in texts(table)] == [
        ["1,000", "disk", "200 ms", "200-200 ms", "5,000", "20.0x"],
        ["1,000", "lmdb", "10.0 ms", "10.0-10.0 ms", "100,000", "1.00x ="],
        ["1,000", "hdf5", "10.0 ms", "10.0-10.0 ms", "100,000", "1.00x ="],
    ]
    for word in (
        "synthetic",
        "create a store, put N images",
        "Sync buffered",
        "encoding and decoding included, 1 thread",
        "6 rounds",
        "96.9 %",
    ):
        assert word in table.caption


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e-6])
def test_an_interval_is_in_the_unit_of_its_median_where_that_is_rounded_up(unit: float) -> None:
    median = 0.9996 * unit
    assert format_seconds(median).startswith("1.00 ")
    shown = interval_text(Interval(median, 0.99 * median, 1.01 * median, 0.97, 6))
    assert shown == f"0.99-1.01 {format_seconds(median).split()[1]}"


def test_best_is_named_and_slower_has_its_ratio() -> None:
    run = exact(fake_run(cutoffs=[10], operations=[Operation.READ_MANY]), disk=0.3, lmdb=0.1, hdf5=0.2)
    (table,) = timing_tables(build_results(run))
    assert [row[5] for row in texts(table)] == ["3.00x", "best", "2.00x"]
    assert table.rows[1][2].emphasis is Emphasis.BEST
    (overview,) = overview_tables(build_results(run))
    assert texts(overview) == [
        ["read-many, cache hot", "", ""],
        ["disk", "300 ms", "system"],
        ["lmdb", "100 ms *", "library"],
        ["hdf5", "200 ms", "library"],
    ]


def test_few_rounds_show_a_range_in_brackets_and_no_verdict() -> None:
    results = build_results(fake_run(cutoffs=[10], rounds=3, operations=[Operation.READ_MANY]))
    (table,) = timing_tables(results)
    assert all(row[3].startswith("(") for row in texts(table))
    assert all(row[5].endswith(" ?") for row in texts(table))
    assert "the range of 3 rounds: an interval needs 6" in table.caption
    assert "Nothing is marked as fastest" in overview_tables(results)[0].caption


def test_sync_levels_have_tables_of_their_own() -> None:
    run = fake_run(operations=[Operation.WRITE_MANY], sync=[SyncLevel.BUFFERED, SyncLevel.END])
    assert [table.title for table in timing_tables(build_results(run))] == [
        "write-many, sync buffered",
        "write-many, sync end",
    ]


def test_disk_use_by_hand() -> None:
    (table,) = disk_tables(build_results(fake_run(["disk", "hdf5"], [100], operations=[Operation.WRITE_MANY])))
    # 8192 + 4096 x 100 and 4096 + 3080 x 100 bytes over 100 x 3072 bytes of pixels
    assert [row[:6] for row in texts(table)] == [
        ["100", "disk", "408 KiB", "4.08 KiB", "1.36x", "101"],
        ["100", "hdf5", "305 KiB *", "3.05 KiB", "1.02x", "1"],
    ]
    assert "ext4" in table.caption


def test_disk_use_of_a_server_is_known_or_said_to_be_unknown() -> None:
    servers = tuple(ServerFacts(name, name.upper(), "1", f"{name}://h/d") for name in ("disk", "hdf5"))
    run = fake_run(["disk", "hdf5", "lmdb"], [100], operations=[Operation.WRITE_MANY])
    trials = tuple(
        replace(trial, allocated_bytes=None) if trial.backend == "hdf5" else trial for trial in run.measurements
    )
    environment = replace(run.environment, servers=servers)
    (table,) = disk_tables(build_results(replace(run, environment=environment, measurements=trials)))
    assert "disk: as the server says." in table.caption
    assert "hdf5: unknown, because the server does not say it." in table.caption
    assert "hdf5: as the server says" not in table.caption
    assert [row[2] for row in texts(table) if row[1] == "hdf5"] == ["unknown"]


def test_the_article_s_two_tables() -> None:
    store, read = one_image_tables(build_results(fake_run()))
    assert store.title == "Store one image and its label, sync buffered"
    assert [column.title for column in store.columns] == [
        "method", "time", "interval", "disk used", "against best", "access",
    ]  # fmt: skip
    assert [row[3] for row in texts(store)] == ["12.0 KiB", "20.0 KiB", "7.01 KiB"]
    assert read.title == "Read one image and its label, cache hot"
    assert [row[0] for row in texts(read)] == ["disk", "lmdb", "hdf5"]
    assert one_image_tables(build_results(fake_run(operations=[Operation.READ_MANY]))) == []


def test_what_was_skipped_is_not_called_failed_in_any_table() -> None:
    run = fake_run(["disk", "hdf5"], [10], operations=[Operation.READ_MANY], failures={"hdf5": "not claimed"})
    skipped = tuple(
        replace(trial, status=Status.SKIPPED) if trial.status is Status.FAILED else trial for trial in run.measurements
    )
    results = build_results(replace(run, measurements=skipped))
    for table in (*timing_tables(results), *overview_tables(results), ranking_table(results, 10)):
        shown = {word for row in texts(table) for word in row}
        assert "skipped" in shown
        assert "failed" not in shown


def test_failures_have_reasons_and_no_number() -> None:
    results = build_results(fake_run(failures={"hdf5/write-many/100": EVIL}))
    (row,) = texts(failures_table(results))
    assert row == ["hdf5", "write-many buffered", "100", "6 of 6", "[red]x[/] <U+001B>[31m<U+202E> =1+1"]
    table = timing_tables(results)[1]
    failed = next(row for row in texts(table) if row[2] == "failed")
    assert set(failed[3:-2]) == {"-"}
    assert any("Left out: hdf5 (6 of 6 trials failed)." in line for line in verdict_lines(results))


def test_numbers_of_images_with_one_verdict_share_a_line() -> None:
    results = build_results(fake_run(["lmdb"], [1, 10, 1000], operations=[Operation.READ_MANY, Operation.READ_RANDOM]))
    sentence = "No verdict: there is only one storage method."
    assert verdict_lines(results) == [
        f"read-many, cache hot, 1, 10 and 1,000 images: {sentence}",
        f"read-random, cache hot, 1, 10 and 1,000 images: {sentence}",
    ]
    two = verdict_lines(build_results(fake_run(["disk", "lmdb"], [1, 10], operations=[Operation.READ_MANY])))
    assert [line.partition(":")[0] for line in two] == [
        "read-many, cache hot, 1 image",
        "read-many, cache hot, 10 images",
        "Intervals",
    ]


def test_what_was_not_verified_shows_no_number() -> None:
    (table,) = timing_tables(build_results(fake_run(cutoffs=[10], operations=[Operation.READ_MANY], verified=False)))
    assert {row[2] for row in texts(table)} == {"unverified"}


def test_warnings_are_gathered_by_kind_with_advice() -> None:
    run = replace(fake_run(["lmdb"], [10], operations=[Operation.READ_MANY]), warnings=(EVIL,))
    rows = texts(warnings_table(build_results(run)))
    assert rows[0][1].startswith("[red]x[/] <U+001B>")
    assert rows[1][0] == "too short"
    assert "Trust small differences less" in rows[1][1]
    assert rows[1][2] == "lmdb read-many 10"


def test_the_head_says_what_where_and_how() -> None:
    text = " ".join(" ".join(row) for row in texts(facts_table(fake_run())))
    for word in ("synthetic", "Imaginary 9000", "2 cores", "ext4", "/dev/vda", "reads hot", "writes buffered",
                 "6 rounds", "end-to-end", "1 worker", "finished", "numpy 2.4.6"):  # fmt: skip
        assert word in text


@pytest.mark.parametrize("width", [80, 100, 120, 160])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_every_line_fits_and_no_text_is_obeyed(width: int, ascii_only: bool) -> None:
    run = fake_run(
        ["disk", "lmdb:preset=article", "hdf5:chunks=64,filter=lzf,shuffle=yes"],
        cutoffs=[1, 10, 100, 1000, 10_000, 100_000],
        failures={"disk/read-many": EVIL},
    )
    text = printed(run, width, ascii_only=ascii_only)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[red]x[/]" in text
    assert "…" not in text, "a number was cut off"
    if ascii_only:
        assert text.isascii()


def test_several_datasets_are_told_apart() -> None:
    first, second = fake_run(cutoffs=[10]), fake_run(cutoffs=[10], dataset="synthetic,size=64")
    run = replace(
        first,
        plan=replace(first.plan, datasets=("synthetic", "synthetic,size=64")),
        datasets=(*first.datasets, *second.datasets),
        measurements=(*first.measurements, *second.measurements),
    )
    titles = [table.title for table in all_tables(build_results(run))]
    assert len(titles) == len(set(titles))
    assert "Disk use, synthetic,size=64" in titles


def test_a_run_without_measurements_has_only_its_head() -> None:
    assert [table.title for table in all_tables(build_results(replace(fake_run(), measurements=())))] == [
        "What was measured"
    ]


def test_far_apart_and_yet_not_told_apart_is_unsure_not_a_tie() -> None:
    run = fake_run(["disk", "lmdb"], [10], operations=[Operation.READ_MANY])
    trials = tuple(
        replace(
            trial, seconds=10.0 if trial.spec == "lmdb" and trial.round == 3 else 5.0 if trial.spec == "disk" else 1.0
        )
        for trial in run.measurements
    )
    (table,) = timing_tables(build_results(replace(run, measurements=trials)))
    assert [row[5] for row in texts(table)] == ["5.00x ?", "1.00x ?"]


def test_notes_that_differ_in_numbers_are_one_row() -> None:
    run = fake_run(["lmdb"], [100], 6, operations=[Operation.WRITE_MANY])
    trials = tuple(replace(trial, warnings=(f"others kept 0.{trial.round} cores busy",)) for trial in run.measurements)
    rows = texts(warnings_table(build_results(replace(run, measurements=trials))))
    assert [row for row in rows if row[0] == "note"] == [["note", "others kept 0.1 cores busy", "lmdb write-many 100"]]


def test_units_stand_below_each_other_whatever_sign_follows() -> None:
    run = fake_run(cutoffs=[1000], operations=[Operation.WRITE_MANY])
    (table,) = overview_tables(build_results(run))
    console = Console(width=80, file=StringIO(), color_system=None)
    console.print(rich_table(table, 80))
    assert isinstance(console.file, StringIO)
    rows = [line for line in console.file.getvalue().splitlines() if " ms" in line]
    assert len(rows) == 3
    assert len({row.index(" ms") for row in rows}) == 1
    assert sum("ms *" in row for row in rows) == 1
