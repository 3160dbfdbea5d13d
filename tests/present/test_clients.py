"""Rounds of several clients in tables, charts, sentences and exports: each figure computed anew from the rounds."""

from __future__ import annotations

import json
import re
import statistics
from dataclasses import replace

import pytest

from imgstore_tui.analysis.scaling import GAIN, SHARED, scaling_curves
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.core.units import format_rate
from imgstore_tui.present import exports
from imgstore_tui.present.charts.chart_list import chart_views, run_charts
from imgstore_tui.present.charts.figures import ChartKind, chart_kinds, make_figure
from imgstore_tui.present.charts.svg import figure_svg
from imgstore_tui.present.charts.text_chart import draw_figure
from imgstore_tui.present.presentation import presentation_pages
from imgstore_tui.present.results import build_results
from imgstore_tui.present.tables.clients import CLIENTS, LAW, MACHINES, client_tables
from imgstore_tui.present.tables.report_tables import all_tables, answer_tables, warnings_table
from imgstore_tui.present.tables.table_model import Table, ratio_text
from imgstore_tui.present.text.captions import fact_pairs
from imgstore_tui.present.text.clients import client_sentences
from imgstore_tui.present.text.next_commands import same_measurement
from imgstore_tui.testing.fake_client_rounds import FAKE_LAWS, fake_client_run
from imgstore_tui.testing.fake_runs import fake_run

CLIENT_NUMBERS = (1, 2, 4, 8, 16, 32)


def rates_of(run: Run, spec: str, clients: int) -> dict[int, float]:
    """Return images per second by round, of the rounds that count."""
    own = (entry for entry in run.client_rounds if (entry.spec, entry.clients) == (spec, clients))
    return {entry.round: entry.images_per_s for entry in own if entry.images_per_s}


def column(table: Table, title: str) -> list[str]:
    place = next(number for number, entry in enumerate(table.columns) if entry.title == title)
    return [row[place].text for row in table.rows]


def sentence_of(run: Run, spec: str, kind: str, clients: int | None = None, rate: float | None = None) -> str:
    curve = next(curve for curve in scaling_curves(run) if curve.row.spec == spec)
    found = client_sentences(curve, clients=clients, images_per_s=rate)
    return next(text for about, text, _ in found if about == kind)


def test_a_run_without_clients_has_nothing_of_them() -> None:
    run = fake_run()
    results = build_results(run)
    assert client_tables(results) == ()
    assert ChartKind.CLIENTS not in chart_kinds(run)
    assert json.loads(exports.get("json").export(run))["client_summary"] == []


def test_the_table_has_the_medians_and_the_paired_scaling() -> None:
    run = fake_client_run(late=((4, 2),), dead=((8, 1),))
    table = next(table for table in client_tables(build_results(run)) if table.title.startswith(CLIENTS))
    expected = [(spec, clients) for spec in ("disk", "lmdb", "hdf5") for clients in CLIENT_NUMBERS]
    assert list(zip(column(table, "method"), map(int, column(table, "clients")), strict=True)) == expected
    for (spec, clients), rate, scaling in zip(
        expected, column(table, "images/s"), column(table, "scaling"), strict=True
    ):
        own, one = rates_of(run, spec, clients), rates_of(run, spec, 1)
        assert rate == format_rate(statistics.median(own.values()))
        median = statistics.median(own[number] / one[number] for number in own)
        assert float(scaling.removesuffix("x")) == pytest.approx(median, rel=0.01)
    assert column(table, "rounds")[:6] == ["6", "6", "5 of 6", "5 of 6", "6", "6"]
    assert column(table, "late")[:6] == ["-", "-", "1", "-", "-", "-"]
    assert "Client 0 on host-1 was killed (3)" in table.caption


def test_what_is_unsure_is_never_a_number() -> None:
    table = client_tables(build_results(fake_client_run(("lmdb",), (1, 2, 4), 2)))[0]
    assert column(table, "scaling") == ["unsure"] * 3
    assert column(table, "interval") == ["-"] * 3
    assert "Unsure: lmdb at 1: 2 rounds of the 3 that it takes" in table.caption


def test_shared_cores_have_figures_and_no_scaling() -> None:
    run = fake_client_run(("lmdb",), (1, 2, 4), 3, shares_cores=True)
    table = client_tables(build_results(run))[0]
    assert table.caption.lower().startswith(SHARED)
    assert column(table, "scaling") == ["-"] * 3
    assert "-" not in column(table, "images/s")
    figure = make_figure(build_results(run), ChartKind.CLIENTS)
    assert [line.dotted for line in figure.series] == [False]
    assert SHARED in sentence_of(run, "lmdb", "clients").lower()
    assert not re.search(r"\d times", sentence_of(run, "lmdb", "clients"))


def test_the_law_and_the_machines_have_tables() -> None:
    run = fake_client_run(("lmdb", "hdf5"), noise=0.01)
    tables = {table.title: table for table in client_tables(build_results(run))}
    for spec, contention in zip(column(tables[LAW], "method"), column(tables[LAW], "contention"), strict=True):
        assert float(contention) == pytest.approx(FAKE_LAWS[spec].contention, rel=0.4)
    assert column(tables[MACHINES], "machine") == ["host-1", "host-2"]
    assert column(tables[MACHINES], "clients") == ["16", "16"]
    without = client_tables(build_results(fake_client_run(("lmdb",), (1, 2, 4))))
    assert LAW not in [table.title for table in without]


def test_reports_have_the_tables() -> None:
    results = build_results(fake_client_run(("lmdb",)))
    titles = [table.title for table in all_tables(results)]
    assert [title for title in titles if title.startswith(CLIENTS) or title in (LAW, MACHINES)] == [
        table.title for table in client_tables(results)
    ]
    assert any(table.title.startswith(CLIENTS) for table in answer_tables(results))


def test_the_chart_has_the_medians_and_the_ideal_line() -> None:
    run = fake_client_run()
    figure = make_figure(build_results(run), ChartKind.CLIENTS)
    assert [(line.name, line.is_guide) for line in figure.series] == [
        (name, guide) for name in ("disk", "lmdb", "hdf5") for guide in (False, True)
    ]
    for line in figure.series:
        for point in line.points:
            one = statistics.median(rates_of(run, line.name, 1).values())
            own = statistics.median(rates_of(run, line.name, int(point.n)).values())
            assert point.value == pytest.approx(one * point.n if line.is_guide else own)


def test_the_chart_is_drawn_with_marks_where_something_was_measured() -> None:
    run = fake_client_run(("lmdb",))
    figure = make_figure(build_results(run), ChartKind.CLIENTS)
    drawn = draw_figure(figure, 100, 30, ascii_only=True).plain
    body = "\n".join(line for line in drawn.splitlines() if "|" in line)
    # The first stands on a line of the grid, which has another sign before it.
    assert len(CLIENT_NUMBERS) - 1 <= body.count("o") <= len(CLIENT_NUMBERS)
    assert "clients, log" in drawn
    assert "images/s of all clients, log" in drawn
    assert "ideal" in drawn
    svg = figure_svg(figure)
    assert svg.count("<circle") == len(CLIENT_NUMBERS) + 1  # and one in the legend
    assert "lmdb, 32 clients: " in svg
    assert "dotted: ideal" in svg


def test_every_contest_has_a_chart_of_its_own() -> None:
    run = fake_client_run(("lmdb", "disk"), operations=(Operation.READ_RANDOM, Operation.READ_MANY))
    views = chart_views(run, ChartKind.CLIENTS)
    assert [view.text.partition(",")[0] for view in views] == ["read-random", "read-many"]
    charts = [chart for chart in run_charts(build_results(run)) if chart.figure.kind is ChartKind.CLIENTS]
    assert [chart.figure.title for chart in charts] == [f"Clients: {view.text}" for view in views]


def test_a_presentation_says_what_the_chart_of_clients_shows() -> None:
    run = fake_client_run(("lmdb",))
    page = presentation_pages(build_results(run))[-1]
    assert page.sentences == (sentence_of(run, "lmdb", "clients"),)


def numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\.?\d*", text)]


def test_the_sentence_has_the_figures_of_the_rounds() -> None:
    run = fake_client_run(("hdf5",), noise=0.01)
    text = sentence_of(run, "hdf5", "clients")
    found = re.search(r"1 client reaches ([\d,]+) .*?, (\d+) clients ([\d,]+) .*?: ([\d.]+) times", text)
    assert found is not None
    medians = {clients: statistics.median(rates_of(run, "hdf5", clients).values()) for clients in CLIENT_NUMBERS}
    most = max(medians, key=medians.__getitem__)
    one, own = rates_of(run, "hdf5", 1), rates_of(run, "hdf5", most)
    assert found[1] == format_rate(medians[1])
    assert (int(found[2]), found[3]) == (most, format_rate(medians[most]))
    assert float(found[4]) == pytest.approx(statistics.median(own[n] / one[n] for n in own), rel=0.01)
    stop = re.search(r"stops gaining at (\d+) clients here: up to (\d+), .* by more than 10 %", text)
    assert stop is not None
    assert all(medians[more] <= GAIN * medians[int(stop[1])] for more in CLIENT_NUMBERS if more > int(stop[1]))


def test_the_clients_that_suffice_are_the_fewest_whose_interval_lies_above() -> None:
    run = fake_client_run(("lmdb",), noise=0.01)
    text = sentence_of(run, "lmdb", "feeding", rate=7000.0)
    found = re.fullmatch(
        r"(\d+) clients of lmdb suffice to feed 7,000 images/s: together at least (.*) images/s\.", text
    )
    assert found is not None
    lows = {clients: min(rates_of(run, "lmdb", clients).values()) for clients in CLIENT_NUMBERS}
    assert int(found[1]) == min(clients for clients, low in lows.items() if low >= 7000)
    assert sentence_of(run, "lmdb", "feeding", rate=1e7).startswith("No number of clients of lmdb that was measured")


def test_more_clients_are_predicted_with_interval_and_tested_error() -> None:
    run = fake_client_run(("lmdb",), noise=0.01)
    text = sentence_of(run, "lmdb", "more clients", clients=64)
    found = re.match(r"64 clients of lmdb would reach ([\d,]+) \(([\d,]+) to ([\d,]+)\) images/s", text)
    assert found is not None
    middle, low, high = (float(value.replace(",", "")) for value in found.groups())
    assert low <= FAKE_LAWS["lmdb"].at(64) <= high
    assert low < middle < high
    tested = re.search(r"from 16 clients at most it predicts ([\d,]+) .* for 32, and ([\d,]+) were measured", text)
    assert tested is not None
    assert tested[2] == format_rate(statistics.median(rates_of(run, "lmdb", 32).values()))


@pytest.mark.parametrize(
    ("run", "clients", "reason"),
    [
        (fake_client_run(("lmdb",), (1, 2, 4)), 8, "a law takes 6 numbers of clients, and 3 have figures."),
        (fake_client_run(("lmdb",)), 500, "500 clients are more than 4 times the 32 that were measured."),
        (fake_client_run(("lmdb",)), 20, "20 clients lie within what was measured, up to 32."),
        (fake_client_run(("lmdb",), shares_cores=True), 64, f"{SHARED}."),
    ],
)
def test_what_the_data_do_not_bear_is_refused_in_one_sentence(run: Run, clients: int, reason: str) -> None:
    text = sentence_of(run, "lmdb", "more clients", clients=clients)
    assert text == f"What {clients} clients of lmdb reach is not predicted: {reason}"


def test_a_contest_in_which_no_round_counts_says_why() -> None:
    run = fake_client_run(("lmdb",), (2,), 1, dead=((2, 1),))
    assert sentence_of(run, "lmdb", "clients").endswith("no round counts: Client 0 on host-1 was killed.")
    assert column(client_tables(build_results(run))[0], "images/s") == ["no round counts"]


@pytest.mark.parametrize("form", ["md", "html", "tex"])
def test_exports_have_tables_and_sentences(form: str) -> None:
    run = fake_client_run(("lmdb",), cutoff=1000)
    text = exports.get(form).export(run).decode()
    assert "Scalability law" in text
    assert "Machines of the clients" in text
    if form != "tex":
        assert "It gains up to 32 clients, the most measured." in text


def test_reports_speak_of_clients_where_there_is_no_other_advice() -> None:
    run = fake_client_run(("lmdb",), (1, 2), 3, measurements=False)
    assert "1 client reaches" in exports.get("md").export(run).decode()


def test_the_record_has_the_figures() -> None:
    run = fake_client_run(("lmdb",), late=((4, 2),))
    record = json.loads(exports.get("json").export(run))
    rows = {row["clients"]: row for row in record["client_summary"]}
    for clients, row in rows.items():
        own, one = rates_of(run, "lmdb", clients), rates_of(run, "lmdb", 1)
        assert row["images_per_s"] == pytest.approx(statistics.median(own.values()))
        assert row["scaling"] == pytest.approx(statistics.median(own[number] / one[number] for number in own))
        assert row["machines"] == (["host-1"] if clients == 1 else ["host-1", "host-2"])
    assert (rows[4]["rounds"], rows[4]["thrown_away"]) == (5, 1)


def test_ratios_keep_their_digits() -> None:
    curve = scaling_curves(fake_client_run(("lmdb",)))[0]
    assert curve.figures[0].scaling is not None
    assert ratio_text(curve.figures[0].scaling) == "1.00x"


def test_warnings_of_rounds_stand_with_the_others() -> None:
    run = fake_client_run(("lmdb",), (1, 2), 3)
    clocks = ("the clock of host-2 is 300 ms fast", "the clock of host-2 is 301 ms fast", "")
    rounds = (
        replace(entry, warnings=(clocks[entry.round - 1],) if entry.clients == 2 and entry.round < 3 else ())
        for entry in run.client_rounds
    )
    table = warnings_table(build_results(replace(run, client_rounds=tuple(rounds))))
    assert [entry.text for entry in table.rows[0]] == ["clients", clocks[0], "2 rounds of clients"]


def test_facts_and_commands_name_the_clients() -> None:
    run = fake_client_run(("lmdb",), (1, 2, 4), 3)
    assert dict(fact_pairs(run))["Clients"] == "1, 2, 4 at once, for 10 s each, processes of this machine"
    plan = replace(run.plan, client_window_s=0.0, cluster="tls://10.0.0.5:8786")
    assert dict(fact_pairs(replace(run, plan=plan)))["Clients"].endswith(
        "one pass each, workers of tls://10.0.0.5:8786"
    )
    words = same_measurement(plan)
    place = words.index("--clients")
    assert words[place : place + 6] == [
        "--clients", "1,2,4", "--client-window", "0", "--cluster", "tls://10.0.0.5:8786",
    ]  # fmt: skip
    assert "--client-window" not in same_measurement(run.plan)


def test_names_of_methods_are_made_harmless() -> None:
    run = fake_client_run(("lmdb",), (1, 2), 3)
    hostile = "lmdb\x1b[31m"
    run = replace(
        run,
        plan=replace(run.plan, specs=tuple(replace(spec, label=hostile) for spec in run.plan.specs)),
        client_rounds=tuple(replace(entry, spec=hostile) for entry in run.client_rounds),
        measurements=(),
    )
    results = build_results(run)
    assert "\x1b" not in draw_figure(make_figure(results, ChartKind.CLIENTS), 80, 24).plain
    assert "\x1b" not in "".join(entry.text for table in client_tables(results) for row in table.rows for entry in row)
