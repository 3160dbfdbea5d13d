"""Tests the SVG export: all charts on one sheet, valid XML that loads nothing, without matplotlib."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree

from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import SYNC_LEVELS, CacheState, Operation
from imgstore_tui.present import exports
from imgstore_tui.present.charts.chart_list import run_charts
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run

SVG = "{http://www.w3.org/2000/svg}"


def sheet(run: Run) -> ElementTree.Element:
    return ElementTree.fromstring(exports.get("svg").export(run))


def texts(root: ElementTree.Element) -> str:
    return " ".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))


def box(element: ElementTree.Element) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a chart on the sheet."""
    left, top, width, height = (float(element.attrib[name]) for name in ("x", "y", "width", "height"))
    return left, top, left + width, top + height


def test_every_chart_is_there_with_its_title_and_one_caption() -> None:
    run = fake_run(["disk", "lmdb:note=$x_1$"])
    root = sheet(run)
    drawn = [drawing for drawing in run_charts(build_results(run)) if not drawing.figure.empty]
    assert len(root.findall(f"{SVG}svg")) == len(drawn) > 3
    text = texts(root)
    for drawing in drawn:
        assert drawing.title in text
    for word in ("lmdb:note=$x_1$", "Data: synthetic", "Machine: ", "6 rounds", "96.9 %"):
        assert word in text


def test_charts_do_not_overlap_and_lie_on_the_sheet() -> None:
    run = fake_run(operations=list(Operation), sync=SYNC_LEVELS, cache=list(CacheState), rounds=2)
    root = sheet(run)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    boxes = [box(element) for element in root.findall(f"{SVG}svg")]
    assert len(boxes) > 20
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for text in root.findall(f"{SVG}text"):
        assert 0 < float(text.attrib["y"]) < height


def test_every_class_has_its_style_and_nothing_is_loaded() -> None:
    svg = exports.get("svg").export(fake_run([f"lmdb:note={letter}" for letter in "abcdefghij"])).decode()
    classes = {element.get("class") for element in ElementTree.fromstring(svg).iter()} - {None}
    assert len(classes) > 6
    assert {name for name in classes if f".{name}{{" not in svg} == set()
    assert svg.count("http") == 1, "the name of the format"


def test_before_anything_is_measured_the_sheet_says_so() -> None:
    root = sheet(replace(fake_run(), measurements=()))
    assert root.findall(f"{SVG}svg") == []
    assert "Nothing has been measured yet. Data: synthetic" in texts(root)


def test_matplotlib_is_not_loaded() -> None:
    code = (
        "import sys; from imgstore_tui.present import exports; from imgstore_tui.testing.fake_runs import fake_run; "
        "exports.get('svg').export(fake_run()); sys.exit('matplotlib' in sys.modules or 'plotext' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
