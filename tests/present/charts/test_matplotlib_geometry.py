"""Measures charts as matplotlib has laid them out, for PNG and PDF: nothing is cut, and nothing covers a text."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.core.model import Run
from imgstore_tui.present.charts.chart_list import run_charts
from imgstore_tui.present.charts.figure_size import FigureSize
from imgstore_tui.present.results import build_results
from tests.present.drawn_runs import RUNS

pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra plot)")

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from imgstore_tui.present.charts.matplotlib_sheet import compose_chart, compose_sheet, draw_sheet

Box = tuple[float, float, float, float]


def texts(sheet: Any) -> list[tuple[str, Box]]:
    """Return every text that is seen and its box, in pixels; what a text points at is not part of it."""
    FigureCanvasAgg(sheet)
    sheet.draw_without_rendering()
    renderer = sheet.canvas.get_renderer()
    return [
        (text.get_text(), Text.get_window_extent(text, renderer).extents)
        for text in sheet.findobj(Text)
        if text.get_visible() and text.get_text().strip() and _is_drawn(text)
    ]


def _is_drawn(text: Any) -> bool:
    """Whether a text is drawn: those of panels that are switched off are not, nor are ticks beyond the ends."""
    panel = text.axes
    if panel is None:
        return True
    if not panel.axison and text not in panel.texts:
        return False
    for axis in (panel.xaxis, panel.yaxis):
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            if text in (tick.label1, tick.label2):
                low, high = sorted(axis.get_view_interval())
                return bool(low <= tick.get_loc() <= high)
    return True


def marks(panel: Any) -> Iterator[tuple[Box, Any]]:
    """Yield the box of each mark of a panel, and of each interval, with what it belongs to."""
    points = panel.figure.dpi / 72
    for line in panel.lines:
        if line.get_marker() in ("None", None, "", " "):
            continue
        radius = line.get_markersize() / 2 * points
        for x, y in panel.transData.transform(line.get_xydata()):
            yield (x - radius, y - radius, x + radius, y + radius), line
    for bars in panel.collections:
        for segment in bars.get_segments():
            (left, bottom), (right, top) = panel.transData.transform(segment)
            yield (min(left, right), min(bottom, top), max(left, right), max(bottom, top)), bars


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def check(sheet: Any) -> None:
    """Check a sheet that was laid out."""
    written = texts(sheet)
    assert written
    width, height = sheet.bbox.width, sheet.bbox.height
    for text, (left, bottom, right, top) in written:
        assert left >= -0.5, f"{text!r} is cut at the left"
        assert right <= width + 0.5, f"{text!r} is cut at the right"
        assert bottom >= -0.5, f"{text!r} is cut below"
        assert top <= height + 0.5, f"{text!r} is cut above"
    for (text, box), (other, its) in itertools.combinations(written, 2):
        assert not overlap(box, its), f"{text!r} covers {other!r}"
    for panel in sheet.axes:
        frame = panel.get_window_extent().extents
        for box, of in marks(panel):
            inside = (box[0] >= frame[0] - 3, box[1] >= frame[1] - 3, box[2] <= frame[2] + 3, box[3] <= frame[3] + 3)
            assert all(inside), f"a mark of {of.get_label()} leaves its panel"
            for text, its in written:
                assert not overlap(box, its), f"{text!r} is crossed"


@pytest.mark.parametrize("name", RUNS)
def test_nothing_on_a_sheet_is_cut_or_crossed(name: str) -> None:
    check(compose_sheet(RUNS[name]))


@pytest.mark.full
@pytest.mark.parametrize("size", FigureSize)
@pytest.mark.parametrize("name", RUNS)
def test_nothing_in_a_chart_for_a_paper_is_cut_or_crossed(name: str, size: FigureSize) -> None:
    run: Run = RUNS[name]
    # One dataset has every kind of chart.
    kinds = {chart.figure.kind: chart for chart in run_charts(build_results(run)) if not chart.figure.empty}
    for chart in kinds.values():
        sheet = compose_chart(chart, run, size=size)
        assert sheet.get_size_inches()[0] * 25.4 == pytest.approx(size.millimetres)
        check(sheet)


@pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext is not installed (apt-get install poppler-utils)"
)
@pytest.mark.parametrize("name", ["article", "crowded"])
def test_words_of_a_pdf_lie_on_the_page_and_none_covers_another(name: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.pdf"
    path.write_bytes(draw_sheet(RUNS[name], "pdf"))
    page = subprocess.run(["pdftotext", "-bbox", path, "-"], check=True, capture_output=True, text=True).stdout
    width, height = map(float, re.findall(r'<page width="([\d.]+)" height="([\d.]+)"', page)[0])
    words = [
        (match[4], tuple(float(match[number]) for number in range(4)))
        for match in re.findall(r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">([^<]*)<', page)
    ]
    assert len(words) > 50
    for word, (left, top, right, bottom) in words:
        assert left >= 0, word
        assert right <= width, word
        assert top >= 0, word
        assert bottom <= height, word
    for (word, box), (other, its) in itertools.combinations(words, 2):
        # The boxes of poppler are as high as the font, which is more than its letters.
        low = (box[0], box[1] + 0.25 * (box[3] - box[1]), box[2], box[3] - 0.25 * (box[3] - box[1]))
        assert not overlap(low, its), f"{word!r} covers {other!r}"  # type: ignore[arg-type]
