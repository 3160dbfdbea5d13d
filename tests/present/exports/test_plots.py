"""Sheets by matplotlib, where it is installed: sound files, the same every time, and no text is mathematics."""

import threading
from xml.etree import ElementTree

import pytest

from imgstore_tui.present import exports
from imgstore_tui.present.exports.pdf import PdfExporter
from imgstore_tui.present.exports.png import PngExporter
from imgstore_tui.present.exports.svg import SvgExporter
from imgstore_tui.testing.conformance_exporter import ExporterConformance
from imgstore_tui.testing.runs import fake_run

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")


class TestSvg(ExporterConformance):
    exporter = SvgExporter


class TestPng(ExporterConformance):
    exporter = PngExporter


class TestPdf(ExporterConformance):
    exporter = PdfExporter


def test_files_are_what_their_names_say_and_pyplot_stays_out() -> None:
    run = fake_run(["disk", "lmdb:note=$x_1$"])
    assert exports.get("png").export(run).startswith(b"\x89PNG\r\n")
    assert exports.get("pdf").export(run).startswith(b"%PDF-")
    root = ElementTree.fromstring(exports.get("svg").export(run))
    words = " ".join("".join(node.itertext()) for node in root.iter("{http://www.w3.org/2000/svg}text"))
    for word in ("lmdb:note=$x_1$", "Write many, sync buffered", "synthetic", "6 rounds", "96.9 %"):
        assert word in words


def test_a_thread_may_draw() -> None:
    drawn: list[bytes] = []
    thread = threading.Thread(target=lambda: drawn.append(exports.get("svg").export(fake_run())))
    thread.start()
    thread.join()
    assert drawn == [exports.get("svg").export(fake_run())]
