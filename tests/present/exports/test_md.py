"""Tests Markdown with the Markdown parser of another project."""

from html.parser import HTMLParser

from markdown_it import MarkdownIt

from imgstore_tui.core.text import safe_text
from imgstore_tui.present import exports
from imgstore_tui.present.advice_section import advice_tables, report_advice
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.report_tables import all_tables
from imgstore_tui.testing.conformance_exporter import HOSTILE_TEXTS, hostile_run
from imgstore_tui.testing.fake_runs import fake_run


class Cells(HTMLParser):
    """Collects tables and tags from what the parser renders."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self.inside = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][-1][-1] += data


def parsed(text: str) -> Cells:
    cells = Cells()
    cells.feed(MarkdownIt("gfm-like").render(text))
    return cells


def test_tables_read_back_as_the_row_model_has_them() -> None:
    run = fake_run(failures={"hdf5/write-many/100": "a|b"})
    results = build_results(run)
    advice = [table for given in report_advice(results) for table in advice_tables(given)]
    tables = (*advice, *all_tables(results)[1:])
    parsed_tables = parsed(exports.get("md").export(run).decode()).tables
    assert len(parsed_tables) == len(tables)
    for rows, table in zip(parsed_tables, tables, strict=True):
        assert rows[0] == [column.title for column in table.columns]
        expected = [[cell.text.strip() for cell in row] for row in table.rows]
        assert [[cell.strip() for cell in row] for row in rows[1:]] == expected


def test_numbers_stand_right() -> None:
    text = exports.get("md").export(fake_run()).decode()
    assert "| -----: | ------ | ------: |" in text


def test_nothing_becomes_a_link_an_image_or_html() -> None:
    cells = parsed(exports.get("md").export(hostile_run()).decode())
    assert cells.tags <= {"h1", "h2", "p", "ul", "li", "strong", "table", "thead", "tbody", "tr", "th", "td", "br",
                         "pre", "code"}  # fmt: skip
    seen = "".join(cell for table in cells.tables for row in table for cell in row)
    for text in HOSTILE_TEXTS[:3] + HOSTILE_TEXTS[11:14]:
        assert safe_text(text) in seen
