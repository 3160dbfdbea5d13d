"""Measures drawn charts: every mark, line, bar and label lies in its box, and no label is crossed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from imgstore_tui.core.model import Run
from imgstore_tui.present import exports
from imgstore_tui.present.advice_section import report_advice
from imgstore_tui.present.charts.chart_list import Chart, run_charts
from imgstore_tui.present.charts.figure_size import FigureSize
from imgstore_tui.present.charts.figures import ChartKind
from imgstore_tui.present.charts.pareto import pareto_chart
from imgstore_tui.present.charts.pareto_svg import pareto_svg
from imgstore_tui.present.charts.standings_svg import standings_svg
from imgstore_tui.present.charts.svg import standalone_svg
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run
from tests.present.drawn_runs import RUNS

SVG = "{http://www.w3.org/2000/svg}"
CHARACTER, ASCENT, DESCENT = 6.6, 10.0, 3.0
"""Width of a letter of 12 pixels on average, and how far it reaches above and below its line."""
Box = tuple[float, float, float, float]


def charts_of(run: Run) -> list[Chart]:
    return [chart for chart in run_charts(build_results(run)) if not chart.figure.empty]


def labels(panel: ElementTree.Element) -> list[tuple[str, Box]]:
    """Return the texts of a panel and the boxes that they take at least."""
    boxes = []
    for node in panel.iter(f"{SVG}text"):
        text = "".join(node.itertext())
        x, y, width = float(node.attrib["x"]), float(node.attrib["y"]), CHARACTER * len(text)
        left = x - {"end": width, "middle": width / 2}.get(node.attrib.get("text-anchor", ""), 0.0)
        boxes.append((text, (left, y - ASCENT, left + width, y + DESCENT)))
    return boxes


def drawn(panel: ElementTree.Element) -> Iterator[Box]:
    """Yield the boxes of bars, marks, lines between points, and intervals; grid and axes are behind all of it."""
    for bar in panel.iter(f"{SVG}rect"):
        x, y, width, height = (float(bar.attrib[name]) for name in ("x", "y", "width", "height"))
        yield x, y, x + width, y + height
    for circle in panel.iter(f"{SVG}circle"):
        x, y, radius = (float(circle.attrib[name]) for name in ("cx", "cy", "r"))
        yield x - radius, y - radius, x + radius, y + radius
    for line in panel.iter(f"{SVG}polyline"):
        points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
        xs, ys = zip(*points, strict=True)
        yield min(xs), min(ys), max(xs), max(ys)
    for path in panel.iter(f"{SVG}path"):
        if path.get("class") in ("grid", "axis"):
            continue
        start = re.match(r"M([\d.]+) ([\d.]+)", path.attrib["d"])
        assert start is not None
        x, y = float(start[1]), float(start[2])
        if down := re.search(r"V([\d.]+)", path.attrib["d"]):
            yield x, min(y, float(down[1])), x, max(y, float(down[1]))
        else:
            yield x - 4, y - 4, x + 4, y + 4


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes cover each other by more than what rounding does."""
    least_x, least_y = (min(one[end], other[end]) - max(one[end - 2], other[end - 2]) for end in (2, 3))
    return least_x > 0.5 and least_y > 0.5


def check(panel: ElementTree.Element, width: float, height: float) -> None:
    texts, shapes = labels(panel), list(drawn(panel))
    assert texts
    assert shapes
    for text, (left, top, right, bottom) in texts:
        assert left >= -1, f"{text!r} is cut at the left"
        assert right <= width + 1, f"{text!r} is cut at the right"
        assert top >= -1, text
        assert bottom <= height + 1, text
    for left, top, right, bottom in shapes:
        assert left >= 0
        assert right <= width
        assert top >= 0
        assert bottom <= height
    for number, (text, box) in enumerate(texts):
        for other_text, other in texts[number + 1 :]:
            assert not overlap(box, other), f"{text!r} covers {other_text!r}"
    # Lines are checked by their marks and intervals: the box of a slanted line is mostly empty.
    solid = [shape for shape in shapes if shape[2] - shape[0] <= 10 or shape[3] - shape[1] <= 14]
    for text, box in texts:
        for shape in solid:
            assert not overlap(box, shape), f"{text!r} is crossed"


@pytest.mark.parametrize("size", [None, *FigureSize])
@pytest.mark.parametrize("name", RUNS)
def test_nothing_in_a_chart_is_cut_or_crossed(name: str, size: FigureSize | None) -> None:
    for chart in charts_of(RUNS[name]):
        root = ElementTree.fromstring(standalone_svg(chart.figure, scales=chart.scales, size=size))
        (panel,) = root.findall(f"{SVG}svg")
        _, _, width, height = map(float, panel.attrib["viewBox"].split())
        check(panel, width, height)
        if size is not None:
            assert root.attrib["width"] == f"{size.millimetres:g}mm"
            assert panel.attrib["x"] == "0"


@pytest.mark.parametrize("name", ["article", "crowded", "levels"])
def test_no_name_on_the_chart_of_two_costs_is_cut_or_crossed(name: str) -> None:
    run = RUNS[name]
    charts = [pareto_chart(given, run) for given in report_advice(build_results(run))]
    assert any(charts)
    for chart in filter(None, charts):
        panel = ElementTree.fromstring(f'<svg xmlns="http://www.w3.org/2000/svg">{pareto_svg(chart)}</svg>')[0]
        check(panel, *map(float, panel.attrib["viewBox"].split()[2:]))
        assert {point.spec for point in chart.points} <= {text for text, _ in labels(panel)}


@pytest.mark.parametrize("name", ["article", "crowded", "many", "noisy"])
def test_no_name_of_standings_is_cut_or_crossed(name: str) -> None:
    run = RUNS[name]
    early = replace(run, measurements=tuple(trial for trial in run.measurements if trial.round <= 3))
    drawn = standings_svg(build_results(early))
    assert drawn
    for text in drawn:
        panel = ElementTree.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))[-1]
        check(panel, *map(float, panel.attrib["viewBox"].split()[2:]))


@pytest.mark.parametrize("names", [["disk", "lmdb", "hdf5"], ["npy"], ["safetensors", "tfrecord"]])
def test_names_of_bars_that_have_room_are_whole(names: list[str]) -> None:
    (chart,) = (chart for chart in charts_of(fake_run(names)) if chart.figure.kind is ChartKind.DISK)
    for size in (None, *FigureSize):
        root = ElementTree.fromstring(standalone_svg(chart.figure, scales=chart.scales, size=size))
        drawn_names = {node.text for node in root.iter(f"{SVG}text")}
        assert drawn_names.issuperset(names), drawn_names


@pytest.mark.parametrize("name", RUNS)
def test_no_title_of_a_sheet_covers_a_chart_or_another(name: str) -> None:
    root = ElementTree.fromstring(exports.get("svg").export(RUNS[name]))
    titles = [(node.text or "", node) for node in root.findall(f"{SVG}text")]
    boxes = [
        (text, (float(node.attrib["x"]), float(node.attrib["y"]) - ASCENT,
                float(node.attrib["x"]) + CHARACTER * len(text), float(node.attrib["y"]) + DESCENT))
        for text, node in titles
    ]  # fmt: skip
    panels = [
        tuple(float(panel.attrib[key]) for key in ("x", "y", "width", "height")) for panel in root.findall(f"{SVG}svg")
    ]
    for number, (text, own) in enumerate(boxes):
        for other_text, other in boxes[number + 1 :]:
            assert not overlap(own, other), f"{text!r} covers {other_text!r}"
        for x, y, width, height in panels:
            assert not overlap(own, (x, y, x + width, y + height)), f"{text!r} lies over a chart"
