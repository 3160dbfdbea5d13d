"""Tests the source row wherever a run is shown: first, with its mark, and a competitor like the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.verdict import VerdictRules, verdicts
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present import exports
from imgstore_tui.present.charts.figures import SOURCE_INDEX, ChartKind, Figure, make_figure
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.charts.svg import figure_svg
from imgstore_tui.present.charts.text_chart import draw_figure
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.disk_use import disk_tables
from imgstore_tui.present.tables.report_tables import all_tables
from imgstore_tui.present.tables.timings import overview_tables, timing_tables
from imgstore_tui.testing.fake_runs import fake_run
from imgstore_tui.tui.widgets.method_marks import MethodMarks


def run_with_source(*, faster: float = 0.5) -> Run:
    """Return a run in which reading in place takes so many times as long as ``disk``."""
    run = fake_run(["disk", "lmdb"], [10, 100], 6)
    own = [
        replace(
            trial,
            spec="source",
            backend="source",
            codec="original",
            preset="",
            seconds=(trial.seconds or 0) * faster,
            apparent_bytes=900 * trial.cutoff,
            allocated_bytes=4096 * trial.cutoff,
            files=trial.cutoff,
        )
        for trial in run.measurements
        if trial.spec == "disk" and trial.operation in (Operation.READ_ONE, Operation.READ_MANY)
    ]
    return replace(run, measurements=(*run.measurements, *own))


def test_it_comes_first_in_every_table() -> None:
    results = build_results(run_with_source())
    for table in timing_tables(results):
        methods = [row[1].text for row in table.rows]
        if "source" in methods:
            assert methods[:3] == ["source", "disk", "lmdb"]
    disk = disk_tables(results)[0]
    assert [row[1].text for row in disk.rows if row[0].text == "10"] == ["source", "disk", "lmdb"]
    assert "your files alone" in disk.caption
    assert any("never written to" in row[1].text for row in all_tables(results)[0].rows)


def test_it_keeps_its_place_at_a_glance_while_its_smallest_cutoff_is_missing() -> None:
    run = run_with_source()
    others = tuple(trial for trial in run.measurements if (trial.spec, trial.cutoff) != ("source", 10))
    methods = [row[0].text.strip() for row in overview_tables(build_results(replace(run, measurements=others)))[0].rows]
    start = methods.index("read-many, cache hot")
    assert methods[start + 1 : start + 4] == ["source", "disk", "lmdb"]


def test_without_it_nothing_is_said_of_it() -> None:
    results = build_results(fake_run(["disk", "lmdb"], [10], 6))
    assert "source" not in disk_tables(results)[0].caption
    assert all("Source" not in row[0].text for row in all_tables(results)[0].rows)


@pytest.mark.parametrize(("faster", "winner"), [(0.01, "source"), (50.0, "lmdb")])
def test_it_wins_and_loses_like_the_others(faster: float, winner: str) -> None:
    run = run_with_source(faster=faster)
    judged = verdicts(summarise(run), VerdictRules.of(run))
    verdict = next(
        entry for entry in judged if entry.contest.operation is Operation.READ_MANY and entry.contest.cutoff == 100
    )
    assert verdict.winner == winner
    assert verdict.standing("source") is not None


def _ranks(figure: Figure) -> dict[str, int]:
    return {line.name: line.method_index for line in figure.series} | {
        bar.name: bar.method_index for bar in figure.bars
    }


@pytest.mark.parametrize("kind", [ChartKind.READ, ChartKind.DISK])
def test_its_mark_is_its_own_and_takes_none_from_the_others(kind: ChartKind) -> None:
    run = run_with_source()
    figure, plain = make_figure(run, kind), make_figure(fake_run(["disk", "lmdb"], [10, 100], 6), kind)
    assert _ranks(figure) == {"source": SOURCE_INDEX} | _ranks(plain)
    text = draw_figure(make_figure(run, kind), 80, 24, ascii_only=True).plain
    assert "S source" in text
    assert "o disk" in text
    assert 'class="source"' in figure_svg(figure)


def test_the_screen_marks_it_as_charts_do() -> None:
    marks = MethodMarks.of(run_with_source(), Plan(), ChartColours())
    assert [marks.mark(name) for name in ("source", "disk", "lmdb", "nobody")] == ["S", "o", "x", " "]
    assert marks.style("source") == ChartColours().source


@pytest.mark.parametrize("name", ["csv", "tsv", "json", "md", "html", "tex"])
def test_every_export_has_it(name: str) -> None:
    assert "source" in exports.get(name).export(run_with_source()).decode()


def test_files_left_out_are_listed_with_their_reasons_and_the_rest_counted() -> None:
    run = fake_run(["disk"], [10], 1)
    excluded = tuple((f"\x1b[31m{number}.jpg", "The file is empty.") for number in range(120))
    run = replace(run, datasets=(replace(run.datasets[0], excluded=excluded, excluded_count=5000),))
    table = next(table for table in all_tables(build_results(run)) if table.title == "Files left out")
    assert [entry.text for entry in table.rows[0]] == ["<U+001B>[31m0.jpg", "The file is empty."]
    assert (len(table.rows), table.caption) == (100, "And 4,900 more; the JSON export has up to 1,000.")
