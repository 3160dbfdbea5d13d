"""Standings in reports: bars in their boxes, marked provisional, gone once there is a verdict."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from imgstore_tui.present import exports
from imgstore_tui.present.charts.standings_svg import standings_svg
from imgstore_tui.present.charts.svg import WIDTH
from imgstore_tui.present.results import build_results
from imgstore_tui.testing.fake_runs import fake_run

CHARACTER = 7.2


def test_reports_draw_who_leads_until_there_is_a_verdict() -> None:
    few, enough = fake_run(rounds=3), fake_run(rounds=12)
    page = exports.get("html").export(few).decode()
    assert page.count('stroke-dasharray="3 2"') == 3 * 5, "a bar for each method in each operation"
    assert page.count("Provisional, may change") == 1
    text = exports.get("md").export(few).decode()
    bars = text.partition("## Standings")[2].partition("\n- ")[0]
    assert re.search(r"^ {4}read-many, N=1k, 3 rounds$", bars, re.MULTILINE)
    assert re.search(r"^ {6}x lmdb .*─*●─* +\S+ .s leads$", bars, re.MULTILINE)
    for name in ("html", "md"):
        assert "Standings" not in exports.get(name).export(enough).decode()


def test_bars_and_labels_lie_in_their_box() -> None:
    drawn = standings_svg(build_results(fake_run(rounds=3, noise=0.2, status="running")))
    assert len(drawn) == 5
    for element in drawn:
        svg = ET.fromstring(element.partition("</figcaption>")[2].removesuffix("</figure>"))
        _, _, width, height = map(float, svg.attrib["viewBox"].split())
        assert width == WIDTH
        for bar in svg.iter("rect"):
            assert float(bar.attrib["x"]) + float(bar.attrib["width"]) <= width
            assert float(bar.attrib["y"]) + float(bar.attrib["height"]) <= height
        for label in svg.iter("text"):
            at, length = float(label.attrib["x"]), CHARACTER * len(label.text or "")
            low, high = (at - length, at) if label.attrib.get("text-anchor") == "end" else (at, at + length)
            assert low >= -1
            assert high <= width + 1
        for line in svg.iter("path"):
            left, right = map(float, re.findall(r"[MH]([\d.]+)", line.attrib["d"]))
            assert left <= right <= width
