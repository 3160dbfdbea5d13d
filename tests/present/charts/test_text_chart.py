"""Tests charts as text: right numbers at the right positions, for any size and data."""

import itertools
import math
import random
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.text import Text

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.analysis.summary import CellSummary
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel
from imgstore_tui.present.charts.axes import LINEAR, LOG, Axis, Scales, count_axis, decade_label, make_axis
from imgstore_tui.present.charts.chart_list import chart_views
from imgstore_tui.present.charts.figures import ChartKind, Point, Series, chart_kinds, make_figure
from imgstore_tui.present.charts.legend import ChartColours
from imgstore_tui.present.charts.plotext_lines import plot_lines
from imgstore_tui.present.charts.text_chart import build_chart, draw_figure
from imgstore_tui.testing.fake_runs import fake_run

UGLY = [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-320, 1e300, 1e-29, 1e29, 1.0, 1.0000001, 1e-6, 3.5]
NAMES = ["disk", "lmdb:preset=article", "[red]x[/]", "数据库", "", "a" * 90]


def lines(text: Text) -> list[str]:
    return text.plain.split("\n")


def chart_for(
    source: Run | Sequence[CellSummary], kind: ChartKind | str, width: int, height: int, **options: Any
) -> Text:
    """Draw a chart of a run; options go to ``make_figure`` or ``draw_figure``, whichever has them."""
    drawn = {name: value for name, value in options.items() if name in ("scales", "colours", "ascii_only", "highlight")}
    shown = {name: value for name, value in options.items() if name not in drawn}
    return draw_figure(make_figure(source, kind, **shown), width, height, **drawn)


def check(text: Text, width: int, height: int) -> None:
    drawn = lines(text) if height else []
    assert len(drawn) == height
    assert {cell_len(line) for line in drawn} <= {width}


def ugly_series(source: random.Random) -> list[Series]:
    return [
        Series(
            source.choice(NAMES),
            tuple(
                Point(source.choice([*UGLY, 10, 100]), value, value, value)
                for value in source.choices([*UGLY, source.lognormvariate(0, 9)], k=source.randint(0, 7))
            ),
            source.randint(0, 40),
            source.random() < 0.3,
        )
        for _ in range(source.randint(0, 9))
    ]


@pytest.mark.sample_first(5)
@pytest.mark.parametrize("seed", range(20))
def test_any_data_at_any_size_gives_exactly_that_size(seed: int) -> None:
    source = random.Random(seed)
    for _ in range(25):
        width, height = source.randint(1, 200), source.randint(1, 60)
        text = build_chart(
            ugly_series(source), width, height,
            scales=Scales(source.random() < 0.6, source.random() < 0.6),
            ascii_only=source.random() < 0.3, title=source.choice(["", "title", "t" * 300]),
        )  # fmt: skip
        check(text, width, height)


@pytest.mark.full
def test_every_kind_at_every_size() -> None:
    summaries = summarise(fake_run(["disk", "lmdb", "hdf5", "lmdb:note=" + "数据库" * 9], operations=list(Operation)))
    source = random.Random(3)
    for kind in chart_kinds():
        for scales in (LOG, LINEAR, Scales(True, False), Scales(False, True)):
            for _ in range(12):
                width, height = source.randint(1, 200), source.randint(1, 60)
                check(
                    chart_for(summaries, kind, width, height, scales=scales, ascii_only=width % 2 == 0), width, height
                )
    check(chart_for(summaries, "disk", 0, 0), 0, 0)


def test_marks_stand_on_the_decade_they_were_measured_at() -> None:
    series = [Series("a", tuple(Point(n, n / 1000, 0, 0) for n in (1, 10, 100, 1000)), 0)]
    drawn = lines(build_chart(series, 60, 24))
    axis = next(line for line in drawn if "┬" in line)
    columns = [index for index, character in enumerate(axis) if character == "┬"]
    rows = {
        label: next(line for line in drawn if line.lstrip().startswith(label))
        for label in ("1ms", "10ms", "100ms", "1s")
    }
    assert [line.index("o") for line in rows.values()] == columns
    assert drawn[-1].split() == ["1", "10", "100", "1k"]


def test_ascii_is_ascii_and_tells_series_apart() -> None:
    text = chart_for(fake_run(), "both", 78, 20, ascii_only=True)
    assert text.plain.isascii()
    assert "o disk  x lmdb  + hdf5   - write . read" in text.plain
    assert chart_for(fake_run(), "disk", 78, 20, ascii_only=True).plain.isascii()


def test_series_have_the_palette_s_styles() -> None:
    text = chart_for(fake_run(), "write-many", 78, 20, colours=ChartColours(series=("#112233", "#445566", "#778899")))
    marks = {
        text.plain[span.start]: str(span.style)
        for span in text.spans
        if span.end - span.start >= 1 and text.plain[span.start] in "ox+" and str(span.style).startswith("#")
    }
    assert marks == {"o": "#112233", "x": "#445566", "+": "#778899"}
    bold = chart_for(fake_run(), "write-many", 78, 20, highlight="lmdb")
    assert any("bold" in str(span.style) and "magenta" in str(span.style) for span in bold.spans)


def test_nothing_measured_and_no_room_are_said() -> None:
    empty = replace(fake_run(), measurements=())
    assert "Write many: nothing measured yet" in chart_for(empty, "write-many", 60, 20).plain
    assert "Disk use: nothing measured yet" in chart_for(empty, "disk", 60, 20).plain
    assert chart_for(fake_run(), "write-many", 12, 5).plain.split() == ["too", "small"]


def test_titles_say_the_level_and_only_one_level_is_drawn() -> None:
    run = fake_run(sync=[SyncLevel.BUFFERED, SyncLevel.END], cache=[CacheState.HOT, CacheState.COLD])
    first, second = make_figure(run, "write-many"), make_figure(run, "write-many", sync=SyncLevel.END)
    assert first.title == "Write many, sync buffered: time for N images"
    assert second.title == "Write many, sync end: time for N images"
    assert all(len(line.points) == 4 for line in first.series)
    both = make_figure(run, "both", sync=SyncLevel.END, cache=CacheState.COLD)
    assert both.title == "Write (sync end) and read (cache cold): time for N images"
    assert [(line.name, line.dotted) for line in both.series] == [
        (name, dotted) for dotted in (False, True) for name in ("disk", "lmdb", "hdf5")
    ]


def test_values_are_medians_and_by_image_where_asked() -> None:
    run = fake_run(["lmdb"], [100], operations=[Operation.WRITE_MANY])
    (summary,) = summarise(run)
    (total,) = make_figure(run, "write-many").series
    (each,) = make_figure(run, "write-many", per_image=True).series
    assert total.points[0].value == summary.seconds
    assert each.points[0].value == pytest.approx((summary.seconds or 0) / 100)
    (bar,) = make_figure(run, "disk", per_image=True).bars
    assert bar.value == (16384 + 4096 * 100) / 100
    assert bar.text == "4.16 KiB"


def test_a_spec_keeps_its_mark_in_every_chart() -> None:
    run = fake_run(failures={"disk/read-many": "x"})
    assert {line.name: line.method_index for line in make_figure(run, "read-many").series if line.segments()} == {
        "lmdb": 1,
        "hdf5": 2,
    }


def test_no_line_passes_over_a_failure() -> None:
    run = fake_run(["lmdb"], [1, 10, 100, 1000, 10_000], failures={"lmdb/write-many/100": "x"})
    (line,) = make_figure(run, "write-many").series
    assert [[point.n for point in part] for part in line.segments()] == [[1, 10], [1000, 10_000]]
    drawn = lines(chart_for(run, "write-many", 80, 24))
    axis = next(row for row in drawn if "┬" in row)
    ticks = [index for index, character in enumerate(axis) if character == "┬"]  # at 1, 10, 1k and 10k
    above = [row[(ticks[1] + ticks[2]) // 2] for row in drawn[1:-3]]
    assert set(above) <= {" ", "┈"}


def test_kinds_offered_are_those_the_plan_can_fill() -> None:
    assert chart_kinds(fake_run(operations=[Operation.READ_ONE])) == (ChartKind.READ_ONE,)
    assert ChartKind.BOTH in chart_kinds(fake_run())


def test_bars_are_as_long_as_their_numbers() -> None:
    run = fake_run(["disk", "hdf5"], [1000], operations=[Operation.WRITE_MANY])
    drawn = lines(chart_for(run, "disk", 80, 10, scales=LINEAR, ascii_only=True))
    disk, hdf5 = (next(line for line in drawn if name in line).count("#") for name in ("disk", "hdf5"))
    assert hdf5 / disk == pytest.approx((4096 + 3080 * 1000) / (8192 + 4096 * 1000), abs=0.02)


def test_threads_do_not_share_a_figure() -> None:
    run = fake_run()
    expected = chart_for(run, "both", 90, 30).plain
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda _: chart_for(run, "both", 90, 30).plain, range(40)))
    assert set(drawn) == {expected}


@pytest.mark.parametrize("module", ["imgstore_tui.present.charts", "imgstore_tui.tui.app"])
def test_plotext_is_loaded_only_when_something_is_drawn(module: str) -> None:
    code = f"import sys, {module}; sys.exit('plotext' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def rows_of_axis(text: str) -> str:
    return text.rsplit("\n", maxsplit=1)[-1]


def test_axes_are_named_with_their_units_and_scales_and_change_apart() -> None:
    run = fake_run()
    text = chart_for(run, "write-many", 80, 24).plain
    assert rows_of_axis(text).strip().startswith("↑ time for N images, log")
    assert rows_of_axis(text).endswith("images, log →")
    for scales, named in (
        (Scales(False, True), ("log", "linear")),
        (Scales(True, False), ("linear", "log")),
        (LINEAR, ("linear", "linear")),
    ):
        other = chart_for(run, "write-many", 80, 24, scales=scales, per_image=True).plain
        assert rows_of_axis(other).strip().startswith(f"↑ time for one image of N, {named[0]}")
        assert rows_of_axis(other).endswith(f"images, {named[1]} →")
    across = chart_for(run, "write-many", 80, 24, scales=Scales(False, True)).plain.split("\n")[-2].split()
    assert across[0] == "0"
    assert across != ["1", "10", "100", "1k"]
    plain = chart_for(run, "write-many", 80, 24, ascii_only=True).plain
    assert plain.isascii()
    assert rows_of_axis(plain).endswith("images, log >")
    assert rows_of_axis(chart_for(run, "write-many", 80, 9).plain).split() == ["1", "10", "100", "1k"], "no room"


def test_hot_stands_against_cold() -> None:
    run = fake_run(["disk", "lmdb"], cache=[CacheState.HOT, CacheState.COLD])
    figure = make_figure(run, "read-many", against=True)
    assert figure.title == "Read many, hot and cold: time for N images"
    assert [(line.name, line.dotted) for line in figure.series] == [
        ("disk", False),
        ("lmdb", False),
        ("disk", True),
        ("lmdb", True),
    ]
    hot, cold = figure.series[0].points[-1].value, figure.series[2].points[-1].value
    assert cold == pytest.approx(8 * hot, rel=0.3)
    assert "─ hot · cold" in chart_for(run, "read-many", 80, 20, against=True).plain
    one = make_figure(fake_run(["disk"]), "read-many", against=True)
    assert [line.dotted for line in one.series] == [False], "what was not measured is not drawn"


def test_views_are_the_levels_and_hot_against_cold_where_both_are_planned() -> None:
    run = fake_run(sync=[SyncLevel.BUFFERED, SyncLevel.END], cache=[CacheState.HOT, CacheState.COLD])
    views = {kind: [view.text for view in chart_views(run, kind)] for kind in ChartKind}
    assert views[ChartKind.READ] == ["hot", "cold", "hot against cold"]
    assert views[ChartKind.WRITE] == views[ChartKind.WRITE_ONE] == ["buffered", "end"]
    assert views[ChartKind.BOTH] == ["buffered, hot", "buffered, cold", "end, hot", "end, cold"]
    assert views[ChartKind.DISK] == [""]


def test_one_image_is_shown_as_bars_of_time() -> None:
    run = fake_run(sync=[SyncLevel.BUFFERED, SyncLevel.END])
    figure = make_figure(run, "write-one", sync=SyncLevel.END)
    assert figure.title == "Write one, sync end: time for one image"
    medians = {
        entry.cell.spec: entry.seconds
        for entry in summarise(run)
        if (entry.cell.operation, entry.cell.sync) == (Operation.WRITE_ONE, SyncLevel.END)
    }
    assert {bar.name: bar.value for bar in figure.bars} == medians
    text = chart_for(run, "write-one", 80, 12, sync=SyncLevel.END, ascii_only=True).plain
    assert " ms  " in text
    assert "#" in text
    assert "nothing measured yet" in chart_for(replace(run, measurements=()), "write-one", 80, 12).plain


def test_every_operation_has_a_chart() -> None:
    run = fake_run(operations=list(Operation))
    operations = {operation for kind in chart_kinds(run) for operation in kind.operations}
    assert operations == set(Operation)
    for kind in chart_kinds(run):
        assert not make_figure(run, kind).empty, kind


def plotted(*drawn: Series, ascii_only: bool = False) -> list[Text]:
    values = [point.value for line in drawn for point in line.points]
    x = count_axis([1, 1000], 60, log=True)
    y = make_axis([1e-3, *values, 1.0], 6, decade_label, log=True)
    styles = {line.name: f"color({line.method_index})" for line in drawn}
    return plot_lines(drawn, x, y, 70, 16, styles, "dim", ascii_only=ascii_only)


def cells(rows: list[Text]) -> dict[tuple[int, int], tuple[str, str]]:
    return {
        (number, column): (row.plain[column], str(span.style))
        for number, row in enumerate(rows)
        for span in row.spans
        for column in range(span.start, span.end)
    }


@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_cell_shows_dots_of_one_line_in_the_colour_of_another(ascii_only: bool) -> None:
    rising = Series("a", (Point(1, 0.010, 0, 0), Point(1000, 0.013, 0, 0)), 0)
    falling = Series("b", (Point(1, 0.013, 0, 0), Point(1000, 0.010, 0, 0)), 1, dotted=True)
    both = cells(plotted(rising, falling, ascii_only=ascii_only))
    seen = set()
    for line in (rising, falling):
        alone = cells(plotted(line, ascii_only=ascii_only))
        for position, (sign, style) in both.items():
            if style == f"color({line.method_index})" and sign != "ox"[line.method_index]:
                assert alone[position] == (sign, style)
                seen.add(style)
    assert len(seen) == 2


def test_marks_of_one_place_stand_side_by_side() -> None:
    rows = plotted(*(Series(name, (Point(1, 0.1, 0, 0), Point(1000, 0.1, 0, 0)), n) for n, name in enumerate("abc")))
    (row,) = [row.plain for row in rows if "o" in row.plain]
    assert row.count("+ox") == row.count("o") == 2 or "ox+" in row


def test_numbers_of_bars_stand_below_each_other() -> None:
    drawn = lines(chart_for(fake_run(), "disk", 80, 30))
    ends = {line.index("iB") for line in drawn if "iB" in line}
    assert len(ends) == 1
    assert all(line.index("█") > line.index("iB") for line in drawn if "█" in line)


def test_a_legend_of_many_methods_takes_the_lines_it_needs_where_there_are_enough() -> None:
    run = fake_run([f"lmdb:note={letter * 6}" for letter in "abcdefghij"], operations=[Operation.WRITE_MANY])
    high = chart_for(run, "write-many", 76, 40).plain
    assert all(f"lmdb:note={letter * 6}" in high for letter in "abcdefghij")
    assert " more" in chart_for(run, "write-many", 76, 15).plain
    check(chart_for(run, "write-many", 76, 40), 76, 40)


@pytest.mark.parametrize("height", range(14, 44, 3))
@pytest.mark.parametrize("scales", [LOG, LINEAR])
def test_ticks_are_as_far_apart_as_their_numbers(height: int, scales: Scales) -> None:
    drawn = lines(chart_for(fake_run(), "write-many", 80, height, scales=scales))
    rows = [number for number, line in enumerate(drawn) if "┤" in line or "┼" in line]
    assert len({later - earlier for earlier, later in itertools.pairwise(rows)}) == 1, rows


FAR_POINTS = """
import itertools, math
from imgstore_tui.present.charts.axes import Axis
from imgstore_tui.present.charts.figures import Point, Series
from imgstore_tui.present.charts.plotext_lines import plot_lines

def drawn(axis, *points):
    lines = [Series("a", points, 0, dotted)]
    return [row.plain for row in plot_lines(lines, axis, axis, 60, 12, {"a": "red"}, "dim", ascii_only=ascii_only)]

good = [Point(n, n, n, n) for n in (1.0, 2.0, 3.0)]
for log, dotted, ascii_only in itertools.product((False, True), repeat=3):
    axis = Axis(0.0, 3.0, ((0.0, "1"), (3.0, "1000")), log)
    assert drawn(axis) != drawn(axis, *good)
    for far in (math.nan, math.inf, -math.inf, 1e7, 1e29, 1e300):
        for point in (Point(far, 2.0, 2.0, 2.0), Point(2.0, far, far, far), Point(far, far, far, far)):
            assert drawn(axis, point) == drawn(axis), (far, log)
            assert drawn(axis, *good, point) == drawn(axis, *good), (far, log)
"""


def test_points_that_would_end_the_process_never_reach_plotext() -> None:
    # In a process of its own: without the guard plotext 6.1 aborts the interpreter at the first of them.
    done = subprocess.run([sys.executable, "-c", FAR_POINTS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("far", [math.nan, math.inf, -math.inf])
def test_an_axis_that_is_not_finite_is_refused(far: float) -> None:
    fine = Axis(0.0, 1.0, ((0.0, "1"),), False)
    for axis in (Axis(0.0, far, (), False), Axis(far, 1.0, (), False), Axis(0.0, 1.0, ((far, "1"),), False)):
        for x, y in ((axis, fine), (fine, axis)):
            with pytest.raises(ValueError, match="A chart cannot have an axis from"):
                plot_lines([], x, y, 60, 12, {}, "dim", ascii_only=False)
