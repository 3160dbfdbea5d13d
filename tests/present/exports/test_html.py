"""Tests the HTML report: complete, self-contained, and safe from the text of the data."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from imgstore_tui.core.operations import Operation
from imgstore_tui.core.text import safe_text
from imgstore_tui.present import exports
from imgstore_tui.present.advice_section import advice_tables, report_advice
from imgstore_tui.present.charts.axes import LINEAR, LOG
from imgstore_tui.present.charts.figures import chart_kinds, make_figure
from imgstore_tui.present.charts.svg import figure_svg
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import all_tables
from imgstore_tui.testing.conformance_exporter import HOSTILE_TEXTS, hostile_run
from imgstore_tui.testing.fake_runs import fake_run

VOID = {"meta", "path", "rect", "circle", "polyline"}
KNOWN = VOID | {
    "html", "head", "title", "style", "body", "h1", "h2", "dl", "dt", "dd", "ul", "li", "div", "figure", "figcaption",
    "svg", "g", "text", "table", "thead", "tbody", "tr", "th", "td", "p", "pre",
}  # fmt: skip


class Page(HTMLParser):
    """Checks that every element is known and closed, and keeps the words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        assert tag in KNOWN
        self.attributes |= {name for name, _ in attributes}
        if tag == "tr":
            self.cells.append([])
        if tag in {"td", "th"}:
            self.cells[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open and self.open[-1] in {"td", "th"}:
            self.cells[-1][-1] += data


def page(text: bytes) -> Page:
    return Page(text.decode())


def test_it_is_whole_and_asks_nobody_for_anything() -> None:
    text = exports.get("html").export(fake_run(operations=list(Operation))).decode()
    parser = Page(text)
    assert not parser.attributes & {"src", "href", "onclick", "onload", "style", "xlink:href"}
    assert "url(" not in text
    assert "@import" not in text


def test_the_policy_allows_its_own_style_only() -> None:
    text = exports.get("html").export(fake_run()).decode()
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    own = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"content=\"default-src 'none'; style-src 'sha256-{own}'\"" in text


def test_tables_read_back_as_the_row_model_has_them() -> None:
    run = fake_run(failures={"hdf5/write-many/100": "a<b"})
    expected = []
    results = build_results(run)
    advice = [table for given in report_advice(results) for table in advice_tables(given)]
    for table in (*advice, *all_tables(results)[1:]):
        expected.append([column.title for column in table.columns])
        expected += [[cell.text.strip() for cell in row] for row in table.rows]
    assert [[cell.strip() for cell in row] for row in page(exports.get("html").export(run)).cells] == expected


def test_hostile_text_is_text() -> None:
    shown = "".join(page(exports.get("html").export(hostile_run())).texts)
    for text in HOSTILE_TEXTS:
        assert safe_text(text) in shown


def test_charts_are_sound_and_name_every_point() -> None:
    run = fake_run(["disk", "lmdb:preset=article"], [1, 10, 100], failures={"disk/read-many/10": "x"})
    for kind in chart_kinds(run):
        root = ElementTree.fromstring(figure_svg(make_figure(run, kind)))
        assert root.tag == "svg"
        assert root.attrib["aria-label"]
    svg = figure_svg(make_figure(run, "read-many"))
    assert svg.count("<title>") == 1 + 5
    assert svg.count("<polyline") == 2 + 1
    assert "disk, 100 images: " in svg


def test_bars_are_as_long_as_their_values_beside_those_of_the_same_number_of_images() -> None:
    run = fake_run(["disk", "hdf5"], [10, 1000], operations=[Operation.WRITE_MANY])
    figure = make_figure(run, "disk")
    for scales, groups in ((LOG, [slice(0, 2), slice(2, 4)]), (LINEAR, [slice(0, 4)])):
        root = ElementTree.fromstring(figure_svg(figure, scales=scales))
        lengths = [float(bar.attrib["width"]) for bar in root.iter("rect")]
        values = [bar.value for bar in figure.bars]
        for group in groups:
            longest, most = max(lengths[group]), max(values[group])
            for length, value in zip(lengths[group], values[group], strict=True):
                assert length == pytest.approx(max(1.0, value / most * longest), abs=0.1)


def test_nothing_measured_draws_nothing() -> None:
    assert figure_svg(make_figure((), "write-many")) == ""
    assert figure_svg(make_figure((), "disk")) == ""
