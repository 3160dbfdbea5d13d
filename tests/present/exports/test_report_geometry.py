"""Measures the HTML report in a real Chromium: wide and narrow, light and dark, no text is cut, covered or too pale."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.present import exports
from tests.present.drawn_runs import RUNS

pytest.importorskip("textual_serve", reason="textual-serve is not installed (extra web)")

from tests.support.chromium import NEEDS_CHROMIUM, Browser, chromium

pytestmark = [NEEDS_CHROMIUM, pytest.mark.full]
WIDTHS = {"wide": 1300, "narrow": 420}
SCHEMES = ("light", "dark")
LEAST_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3."""

MEASURE = """(() => {
  const box = node => { const b = node.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
  const painted = (node, side) => {
    const style = getComputedStyle(node);
    return style[side] === 'currentcolor' ? style.color : style[side];
  };
  const charts = [...document.querySelectorAll('svg')].map(chart => ({
    name: chart.getAttribute('aria-label'),
    box: box(chart),
    texts: [...chart.querySelectorAll('text')].map(text => [text.textContent, box(text), painted(text, 'fill')]),
    marks: [...chart.querySelectorAll('rect,circle,path:not(.grid):not(.axis)')].map(box),
  }));
  const words = [...document.querySelectorAll('h1,h2,p,li,dt,dd,th,td,figcaption,pre,div.caption')].map(
    node => [node.textContent.slice(0, 40), getComputedStyle(node).color]);
  const wide = [...document.querySelectorAll('body *')].filter(node => !node.closest('.scroll,pre,svg')
    && node.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .map(node => node.outerHTML.slice(0, 80));
  return {charts, words, wide, paper: getComputedStyle(document.body).backgroundColor,
    scroll: document.documentElement.scrollWidth, width: document.documentElement.clientWidth};
})()"""


def overlap(one: list[float], other: list[float]) -> bool:
    """Whether two boxes cover each other by more than a pixel, as high as letters are."""
    return min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour as CSS computes it, see WCAG 2.2."""
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def letters(box: list[float]) -> list[float]:
    """Return the part of a text's box that letters fill: lines of a font are higher."""
    height = box[3] - box[1]
    return [box[0], box[1] + 0.15 * height, box[2], box[3] - 0.15 * height]


def check(page: dict[str, Any]) -> None:
    assert page["scroll"] <= page["width"], page["wide"]
    for words, colour in page["words"]:
        assert contrast(colour, page["paper"]) >= LEAST_CONTRAST, words
    assert page["charts"]
    for chart in page["charts"]:
        left, top, right, bottom = chart["box"]
        for text, box, colour in chart["texts"]:
            where = f"{text!r} of {chart['name']!r}"
            assert box[0] >= left - 1, f"{where} is cut at the left"
            assert box[2] <= right + 1, f"{where} is cut at the right"
            assert box[1] >= top - 1, f"{where} is cut above"
            assert box[3] <= bottom + 1, f"{where} is cut below"
            assert contrast(colour, page["paper"]) >= LEAST_CONTRAST, where
        for (text, box, _), (other, its, _) in itertools.combinations(chart["texts"], 2):
            assert not overlap(letters(box), letters(its)), f"{text!r} covers {other!r} in {chart['name']!r}"
        for box in chart["marks"]:
            assert box[0] >= left - 1, chart["name"]
            assert box[2] <= right + 1, chart["name"]
            assert box[1] >= top - 1, chart["name"]
            assert box[3] <= bottom + 1, chart["name"]
            if box[2] - box[0] > 30 and box[3] - box[1] > 4:
                continue  # a bar, or a slanted line to a name: its box is mostly empty
            for text, its, _ in chart["texts"]:
                assert not overlap(box, letters(its)), f"{text!r} is crossed in {chart['name']!r}"


async def measured(browser: Browser, width: int, scheme: str) -> dict[str, Any]:
    await browser.do("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    await browser.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    result: dict[str, Any] = await browser.evaluate(MEASURE)
    return result


@pytest.mark.parametrize("name", ["article", "crowded", "levels"])
async def test_nothing_in_a_report_is_cut_covered_or_too_pale(name: str, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_bytes(exports.get("html").export(RUNS[name]))
    async with chromium(tmp_path / "chromium") as browser:
        await browser.do("Page.navigate", url=path.as_uri())
        while await browser.evaluate("document.readyState") != "complete":
            pass
        for kind, width in WIDTHS.items():
            for scheme in SCHEMES:
                page = await measured(browser, width, scheme)
                assert width - 20 <= page["width"] <= width, "but for a scrollbar"
                if folder := os.environ.get("IMGSTORE_TUI_PICTURES"):
                    (await browser.whole_picture()).save(Path(folder) / f"report-{name}-{kind}-{scheme}.png")
                check(page)
