"""What several clients of one store reached, on the command line: shown, extended, refused, and what it costs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.analysis.scaling import Extension, scaling_curves
from imgstore_tui.cli.main import guarded, run_command
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import format_rate
from imgstore_tui.present import exports
from imgstore_tui.testing.fake_client_rounds import fake_client_run
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.price_sheet import SHEET


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")


def save(run: Run) -> str:
    Path("run.json").write_bytes(exports.get("json").export(run))
    return "run.json"


def called(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Return what a command prints, its lines joined."""
    assert guarded(lambda: run_command(list(words))) == code
    printed = capsys.readouterr()
    return " ".join((printed.out if code == 0 else printed.err).split())


def test_the_part_clients_has_chart_tables_and_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    out = called(capsys, "show", save(fake_client_run(("lmdb",))), "clients")
    for words in ("clients, log →", "measured · ideal", "scaling", "Scalability law", "It gains up to 32 clients"):
        assert words in out
    assert "clients, log →" not in called(capsys, "show", "run.json", "clients", "--no-charts")


def test_ascii_stays_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    assert called(capsys, "show", save(fake_client_run(("lmdb",))), "clients", "--ascii").isascii()


def test_the_answer_names_the_part_and_says_what_clients_reach(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: run_command(["show", save(fake_client_run(("lmdb",)))])) == 0
    printed = capsys.readouterr()
    assert "1 client reaches" in printed.out
    assert "|clients" in printed.err


def test_a_run_without_clients_says_how_to_measure_them(capsys: pytest.CaptureFixture[str]) -> None:
    path = save(fake_run(("lmdb",), (10,), 6))
    assert "imgstore-tui run --clients 1,2,4" in called(capsys, "show", path, "clients", code=2)
    assert "imgstore-tui run --clients 1,2,4" in called(capsys, "advise", path, "--clients", "8")


def test_advise_extends_and_feeds_and_names_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    run = fake_client_run(("lmdb",), noise=0.01)
    out = called(capsys, "advise", save(run), "--clients", "64", "--feed", "7000")
    extension = scaling_curves(run)[0].extend(64)
    assert isinstance(extension, Extension)
    rate = extension.throughput
    reach = f"{format_rate(rate.median)} ({format_rate(rate.low)} to {format_rate(rate.high)}) images/s"
    assert f"64 clients of lmdb would reach {reach}" in out
    assert "clients of lmdb suffice to feed 7,000 images/s" in out
    assert "read-random/1000 hot" in out


@pytest.mark.parametrize("clients", [(1, 2, 4), (1, 2, 4, 8, 16)])
def test_fewer_than_six_numbers_of_clients_are_refused_in_a_sentence(
    clients: tuple[int, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    out = called(capsys, "advise", save(fake_client_run(("lmdb",), clients)), "--clients", "64")
    count = len(clients)
    assert f"64 clients of lmdb reach is not predicted: a law takes 6 numbers of clients, and {count} have" in out


def test_json_has_the_law_and_the_extension(capsys: pytest.CaptureFixture[str]) -> None:
    run = fake_client_run(("lmdb",), noise=0.01)
    assert guarded(lambda: run_command(["advise", save(run), "--clients", "64", "--feed", "7000", "--json"])) == 0
    (advice,) = json.loads(capsys.readouterr().out)["advice"]
    (entry,) = advice["clients"]
    curve = scaling_curves(run)[0]
    extension = curve.extend(64)
    assert isinstance(extension, Extension)
    assert entry["extension"]["images_per_s"]["median"] == extension.throughput.median
    assert entry["law"]["tested"]["holds"] is True
    assert entry["gain"] == {"clients": 32, "most": 32, "is_sure": True}
    enough = curve.feeding(7000)
    assert enough is not None
    assert entry["feeding"] == enough.clients


def test_requests_of_an_hour_are_those_of_the_throughput(capsys: pytest.CaptureFixture[str]) -> None:
    Path("prices.toml").write_text(SHEET)
    run = fake_client_run(("disk",))
    words = ("--prices", "prices.toml", "--clients", "4", "--images", "1000")
    assert "an hour" not in called(capsys, "advise", save(run), *words)  # what was not counted has no price
    trials = tuple(replace(trial, requests=trial.cutoff // 5) for trial in run.measurements)
    out = called(capsys, "advise", save(replace(run, measurements=trials)), *words)
    found = re.search(r"The requests of 4 clients of disk cost about ([\d.,]+) EUR an hour .*? at ([\d,]+) ", out)
    assert found is not None
    price = float(re.findall(r"get_per_1000 = ([\d.]+)", SHEET)[0]) / 1000 / 5
    assert float(found[1].replace(",", "")) == pytest.approx(3600 * float(found[2].replace(",", "")) * price, rel=0.02)


@pytest.mark.parametrize(("option", "value"), [("--clients", "0"), ("--clients", "2000000"), ("--feed", "0")])
def test_numbers_that_make_no_sense_are_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"{option} takes 1 to 1,000,000" in called(capsys, "advise", "last", option, value, code=2)


@pytest.mark.parametrize("level", ["", ":read-random"])
def test_the_chart_is_exported_alone(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(fake_client_run(("lmdb",)))
    called(capsys, "export", path, "-f", "svg", "--chart", f"clients{level}", "-o", "chart.svg")
    assert "images/s of all clients" in Path("chart.svg").read_text()
