"""The pages of a lecture: the article's items in its order with the claims they bear on, or every chart of a run."""

from __future__ import annotations

import re

from imgstore_tui.core.operations import Operation
from imgstore_tui.present.charts.chart_list import Chart, run_charts
from imgstore_tui.present.presentation import presentation_pages
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.table_model import Table
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run


def test_the_articles_eight_items_come_in_its_order_with_their_claims() -> None:
    pages = presentation_pages(build_results(fake_article_run()))
    numbers = [
        (page.item.title if isinstance(page.item, Table) else page.item.heading).partition(".")[0] for page in pages
    ]
    assert list(dict.fromkeys(numbers)) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    assert all(page.claims and not page.sentences for page in pages)
    claims = {number: [judged.claim.key for judged in page.claims] for number, page in zip(numbers, pages, strict=True)}
    assert claims["2"] == ["store-png", "store-start", "store-end"]
    assert claims["8"] == ["disk-more", "disk-grows", "disk-pages"]
    text = pages[1].text(40)
    assert text.plain.startswith("The article: Stored by the thousand, PNG")
    assert re.search(r"^Here: (holds|does not hold|holds in part|too close to call)$", text.plain, re.MULTILINE)
    assert max(map(len, text.plain.splitlines())) <= 40


def test_another_run_shows_its_charts_with_their_verdicts() -> None:
    results = build_results(fake_run(operations=[Operation.WRITE_MANY, Operation.READ_MANY]))
    pages = presentation_pages(results)
    charts = [page.item for page in pages]
    assert charts == [chart for chart in run_charts(results) if not chart.figure.empty]
    assert all(isinstance(item, Chart) for item in charts)
    (verdict,) = pages[1].sentences
    assert verdict.startswith("read-many, cache hot, 1,000 images: lmdb is fastest")


def test_before_anything_is_measured_there_is_no_page() -> None:
    assert presentation_pages(build_results(fake_run(rounds=0))) == ()
