"""The advice in reports and on its chart: the same sentences and figures as of the command."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from imgstore_tui.analysis.advice.weights import Criterion, Use
from imgstore_tui.analysis.prices import EXAMPLE
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present import exports
from imgstore_tui.present.advice_section import advice_tables, report_advice, situation_of
from imgstore_tui.present.charts.figures import ChartKind, make_figure
from imgstore_tui.present.charts.pareto import pareto_axes, pareto_chart, pareto_text
from imgstore_tui.present.charts.pareto_svg import pareto_svg
from imgstore_tui.present.exports.md import escape
from imgstore_tui.present.exports.tex import escape as tex_escape
from imgstore_tui.present.results import build_results
from imgstore_tui.present.text.advice import sentence_text, statements
from imgstore_tui.testing.fake_runs import fake_run

OPERATIONS = (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)


def made_up_run(rounds: int = 12) -> Run:
    return fake_run(("disk", "lmdb", "hdf5"), (10, 100, 1000), rounds, operations=OPERATIONS)


def test_reports_have_every_sentence_of_the_advice() -> None:
    run = made_up_run()
    (given,) = report_advice(build_results(run))
    sentences = [statement.text for statement in statements(given)]
    md, html = (exports.get(name).export(run).decode() for name in ("md", "html"))
    assert len(sentences) > 4
    assert [text for text in sentences if escape(text) not in md] == []
    plain = re.sub(r"<[^>]+>", "", html)
    assert [text for text in sentences if text not in plain] == []


@pytest.mark.parametrize("name", ["md", "html", "tex"])
def test_reports_say_what_an_object_store_costs_and_of_when_the_prices_are(name: str) -> None:
    report = exports.get(name).export(made_up_run()).decode()
    plain = re.sub(r"<[^>]+>|[\\{}]", "", report)
    assert "In an object store, " in plain
    assert " images, in USD" in plain
    assert f"as of {EXAMPLE.date}, an example" in plain


def test_latex_has_every_sentence_and_the_tables_of_the_advice() -> None:
    run = made_up_run()
    (advice,) = report_advice(build_results(run))
    tex = exports.get("tex").export(run).decode()
    assert r"\section*{Advice}" in tex
    sentences = [sentence_text(entry, run.plan) for entry in statements(advice)]
    assert [text for text in sentences if rf"\item {tex_escape(text)}" not in tex] == []
    assert [table.title for table in advice_tables(advice) if tex_escape(table.title) not in tex] == []


def test_a_report_without_enough_rounds_has_no_advice() -> None:
    run = made_up_run(rounds=3)
    assert report_advice(build_results(run)) == ()
    assert "## Advice" not in exports.get("md").export(run).decode()


def test_a_run_that_goes_on_has_none() -> None:
    assert report_advice(build_results(replace(made_up_run(), status="running", finished_at=None))) == ()


@pytest.mark.parametrize("use", Use)
def test_a_plan_of_a_use_is_advised_on_for_that_use(use: Use) -> None:
    run = made_up_run()
    assert situation_of(replace(run, plan=replace(run.plan, name=use.value))).use is use
    assert situation_of(run).use is None


def test_the_chart_has_the_two_heaviest_criteria_and_the_ratios_of_the_costs() -> None:
    run = made_up_run()
    (given,) = report_advice(build_results(run))
    chart = pareto_chart(given, run)
    assert chart is not None
    assert (chart.upward, chart.across) == (Criterion.RANDOM, Criterion.DISK)
    least = min(method.figures[Criterion.RANDOM].value for method in given.choice.ranking.methods)
    for point in chart.points:
        method = given.choice.ranking.method(point.spec)
        assert method is not None
        assert point.upward == pytest.approx(method.figures[Criterion.RANDOM].value / least)
        assert point.is_efficient == method.is_efficient
    assert {point.spec for point in chart.points if not point.is_efficient} == {"disk"}
    series = make_figure(build_results(run), ChartKind.READ_RANDOM).series
    assert {point.spec: point.method_index for point in chart.points} == {
        line.name: line.method_index for line in series
    }


def test_the_chart_marks_every_method_and_the_pareto_set() -> None:
    run = made_up_run()
    (given,) = report_advice(build_results(run))
    chart = pareto_chart(given, run)
    assert chart is not None
    text = pareto_text(chart, 72, 12, ascii_only=True).plain
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 78
    assert "lmdb*" in text
    assert "hdf5*" in text
    assert "disk*" not in text
    drawn = ElementTree.fromstring(pareto_svg(chart))
    circles = [circle.get("fill") for circle in drawn.iter("circle")]
    assert sorted(map(str, circles)) == ["currentColor", "currentColor", "none"]


def test_the_axes_of_the_chart_begin_at_the_least_of_all() -> None:
    run = made_up_run()
    (given,) = report_advice(build_results(run))
    chart = pareto_chart(given, run)
    assert chart is not None
    x, y = pareto_axes(chart, 6, 6)
    assert next(label for _, label in x.ticks) == "1x"
    assert all(x.low < x.at(point.across) < x.high for point in chart.points)
    assert all(y.low < y.at(point.upward) < y.high for point in chart.points)
