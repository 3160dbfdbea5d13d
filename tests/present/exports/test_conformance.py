"""Every exporter of ours passes the suite that third parties' ones can inherit."""

from imgstore_tui.present import exports
from imgstore_tui.present.exports.csv import CsvExporter
from imgstore_tui.present.exports.html import HtmlExporter
from imgstore_tui.present.exports.json import JsonExporter
from imgstore_tui.present.exports.md import MarkdownExporter
from imgstore_tui.present.exports.tsv import TsvExporter
from imgstore_tui.testing.conformance_exporter import ExporterConformance


class TestCsv(ExporterConformance):
    exporter = CsvExporter


class TestTsv(ExporterConformance):
    exporter = TsvExporter


class TestJson(ExporterConformance):
    exporter = JsonExporter


class TestHtml(ExporterConformance):
    exporter = HtmlExporter


class TestMarkdown(ExporterConformance):
    exporter = MarkdownExporter


def test_every_exporter_is_tested_here() -> None:
    tested = {case.exporter for case in ExporterConformance.__subclasses__()}
    assert tested == set(exports.all_exporters().values())
