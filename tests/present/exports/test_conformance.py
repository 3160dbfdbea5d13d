"""Tests every exporter of this program with the suite that plug-ins of others inherit."""

import pytest

from imgstore_tui.present import exports
from imgstore_tui.present.exports.bundle import BundleExporter
from imgstore_tui.present.exports.csv import CsvExporter
from imgstore_tui.present.exports.html import HtmlExporter
from imgstore_tui.present.exports.json import JsonExporter
from imgstore_tui.present.exports.md import MarkdownExporter
from imgstore_tui.present.exports.svg import SvgExporter
from imgstore_tui.present.exports.tex import TexExporter
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


class TestSvg(ExporterConformance):
    exporter = SvgExporter


class TestTex(ExporterConformance):
    exporter = TexExporter


@pytest.mark.full
class TestBundle(ExporterConformance):
    exporter = BundleExporter


def test_every_exporter_is_tested_here() -> None:
    tested = {case.exporter for case in ExporterConformance.__subclasses__()}
    plots = {exporter for exporter in exports.all_exporters().values() if exporter.requires}  # in test_plots
    assert tested | plots == set(exports.all_exporters().values())
