"""Tests the sheets of matplotlib, where it is installed: valid files, the same each time, in a thread too."""

import io
import threading

import pytest

from imgstore_tui.present import exports
from imgstore_tui.present.exports.pdf import PdfExporter
from imgstore_tui.present.exports.png import PngExporter
from imgstore_tui.testing.conformance_exporter import ExporterConformance
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")


class TestPng(ExporterConformance):
    exporter = PngExporter


class TestPdf(ExporterConformance):
    exporter = PdfExporter


def test_files_are_what_their_names_say() -> None:
    run = fake_run(["disk", "lmdb:note=$x_1$"])
    assert exports.get("png").export(run).startswith(b"\x89PNG\r\n")
    assert exports.get("pdf").export(run).startswith(b"%PDF-")


@pytest.mark.full
def test_no_title_reaches_the_edge_of_the_sheet() -> None:
    from PIL import Image

    run = fake_article_run((1, 10))
    sheet = Image.open(io.BytesIO(exports.get("png").export(run))).convert("L")
    for edge in ((sheet.width - 3, 0, sheet.width, sheet.height), (0, 0, 3, sheet.height)):
        assert sheet.crop(edge).getextrema() == (255, 255)


def test_a_thread_may_draw() -> None:
    drawn: list[bytes] = []
    thread = threading.Thread(target=lambda: drawn.append(exports.get("png").export(fake_run())))
    thread.start()
    thread.join()
    assert drawn == [exports.get("png").export(fake_run())]
