"""Tests the article's report: its items in order, as published, claims; in the terminal and in exports."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape
from io import StringIO

import pytest
from rich.console import Console

from imgstore_tui.cli.printing import print_tables, print_verdicts
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.present import exports
from imgstore_tui.present.article import article_report, article_report_tables, claim_rows, further_charts
from imgstore_tui.present.charts.axes import LINEAR
from imgstore_tui.present.charts.chart_list import Chart, run_charts
from imgstore_tui.present.charts.figures import ChartKind
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import all_tables
from imgstore_tui.present.tables.table_model import Emphasis, Table
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run

RUN = fake_article_run((1, 10, 100, 1000))
TITLES = [
    "1. Store one image and its label",
    "2. Write many, sync buffered: time for N images, preset=article, linear axes",
    "2. Write many, sync end: time for N images, preset=article, linear axes",
    "3. Write many, sync buffered: time for N images, preset=article, log scale",
    "3. Write many, sync end: time for N images, preset=article, log scale",
    "4. Read one image and its label",
    "5. Read many, cache hot: time for N images, preset=article, linear axes",
    "6. Read many, cache hot: time for N images, preset=article, log scale",
    "7. Write (sync buffered) and read (cache hot): time for N images, preset=article, log scale",
    "7. Write (sync end) and read (cache hot): time for N images, preset=article, log scale",
    "8. Disk use, preset=article, each N on its own scale",
    "As published",
    "What the article says",
]


def printed(run: Run, **options: bool) -> str:
    console = Console(width=100, file=StringIO(), color_system=None)
    results = build_results(run)
    print_tables(console, results, plain=True, **options)
    print_verdicts(console, results, plain=True)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def texts(table: Table) -> list[list[str]]:
    return [[cell.text.strip() for cell in row] for row in table.rows]


def test_the_items_stand_in_the_articles_order() -> None:
    assert [item.title for item in article_report(build_results(RUN))] == TITLES


def test_store_one_stands_beside_the_articles_own_numbers() -> None:
    store, read = (table for table in article_report_tables(build_results(RUN)) if table.title[0] in "14")
    assert [row[0] for row in texts(store)] == ["buffered"] * 3 + ["end"] * 3
    assert [row[-2:] for row in texts(store)[:3]] == [
        ["1.92 ms", "8.00 KiB"],
        ["1.20 ms", "32.0 KiB"],
        ["8.24 ms", "8.00 KiB"],
    ]
    assert [row[-1] for row in texts(read)] == ["1.62 ms", "4.52 ms", "1.98 ms"]
    assert store.breaks == {2}
    assert "another machine" in store.caption


def test_as_published_mixes_levels_and_ranks_nothing() -> None:
    table = next(table for table in article_report_tables(build_results(RUN)) if table.title == "As published")
    rows = texts(table)
    assert [row[1:3] for row in rows[:3]] == [
        ["disk", "buffered"], ["lmdb", "end"], ["hdf5", "buffered"],
    ]  # fmt: skip
    assert {row[0] for row in rows} == {"1", "10", "100", "1,000"}
    assert all(cell.emphasis is Emphasis.PLAIN for row in table.rows for cell in row)
    assert "Not ranked" in table.caption


def test_other_images_are_said_to_be_other_images() -> None:
    for dataset, expected in (("synthetic", True), ("cifar10:/data", False)):
        (store, *_) = article_report_tables(build_results(fake_article_run((1, 10), dataset=dataset)))
        assert ("other images than the article's" in store.caption) is expected


def test_a_run_of_another_plan_has_no_report_and_all_its_charts() -> None:
    run = fake_run()
    assert article_report(build_results(run)) == ()
    assert claim_rows(build_results(run)) == []
    assert further_charts(build_results(run)) == run_charts(build_results(run))
    assert "What the article says" not in [table.title for table in all_tables(build_results(run))]


def test_further_charts_are_of_larger_images_and_of_what_has_no_number() -> None:
    further = further_charts(build_results(RUN))
    kinds = {drawing.figure.kind for drawing in further if "cifar10" in drawing.figure.title}
    assert kinds == {ChartKind.READ_ONE, ChartKind.WRITE_ONE}
    assert {drawing.figure.kind for drawing in further if "512x512" in drawing.figure.title} >= {
        ChartKind.WRITE, ChartKind.READ, ChartKind.DISK,
    }  # fmt: skip


@pytest.mark.parametrize(
    "run",
    [
        replace(RUN, measurements=(), datasets=(), probes=()),
        replace(RUN, measurements=RUN.measurements[:1]),
        fake_article_run((1,), rounds=1),
        replace(fake_run(operations=list(Operation)), plan=replace(fake_run().plan, name="article")),
    ],
    ids=["nothing", "one trial", "one image", "another plan of that name"],
)
def test_it_bears_runs_of_any_kind(run: Run) -> None:
    assert printed(run)
    for name in ("md", "html", "json", "tex"):
        assert exports.get(name).export(run)


def test_the_terminal_shows_tables_and_figures_in_order() -> None:
    text = printed(RUN)
    assert text.isascii()
    places = [text.index(title.partition(":")[0]) for title in TITLES]
    assert places == sorted(places)
    assert text.index("What the article says") < text.index("Median time, cifar10")
    assert "2. Write many" not in printed(RUN, charts=False)


def test_exports_have_every_item_and_the_claims() -> None:
    html = unescape(exports.get("html").export(RUN).decode())
    text = exports.get("md").export(RUN).decode()
    places = [html.index(f"<h2>{title}") for title in TITLES]
    assert places == sorted(places)
    places = [text.index(f"## {title}") for title in TITLES]
    assert places == sorted(places)
    record = json.loads(exports.get("json").export(RUN))
    assert [claim["key"] for claim in record["claims"]][:2] == ["one-fast", "store-png"]
    assert record["probes"][0]["values"]["tight_full_count"] == [2]


def test_every_dataset_and_level_has_its_charts() -> None:
    run = fake_run(operations=[Operation.WRITE_MANY], sync=[SyncLevel.BUFFERED, SyncLevel.END])
    assert [drawing.title for drawing in run_charts(build_results(run))] == [
        "Write many, sync buffered: time for N images, log scale",
        "Write many, sync end: time for N images, log scale",
        "Disk use, each N on its own scale",
    ]
    assert Chart(run_charts(build_results(run))[2].figure, scales=LINEAR).title == "Disk use"
