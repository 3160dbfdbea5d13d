"""``advise --prices``: what the whole set costs in an object store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.golden.texts import save_runs
from tests.support.price_sheet import SHEET
from tests.support.program import program

RUN = "20261127-141235-custom"


def test_the_example_says_that_it_is_one(tmp_path: Path) -> None:
    save_runs(tmp_path)
    done = program("advise", RUN, "--prices", "--images", "1M", IMGSTORE_TUI_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "In an object store, 1,000,000 images, in USD" in done.stdout
    assert "These prices are an example." in done.stderr


def test_a_sheet_of_the_user_is_taken_with_its_date(tmp_path: Path) -> None:
    save_runs(tmp_path)
    sheet = tmp_path / "prices.toml"
    sheet.write_text(SHEET)
    done = program("advise", RUN, "--prices", str(sheet), IMGSTORE_TUI_HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "in EUR" in done.stdout
    assert "as of 2026-01-31" in " ".join(done.stdout.split())


def test_a_sheet_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    save_runs(tmp_path)
    done = program("advise", RUN, "--prices", str(tmp_path / "none.toml"), IMGSTORE_TUI_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "The price sheet" in done.stderr


def test_json_has_prices_with_their_date_and_what_the_set_costs_by_them(tmp_path: Path) -> None:
    save_runs(tmp_path)
    sheet = tmp_path / "prices.toml"
    sheet.write_text(SHEET)
    words = ("advise", RUN, "--images", "1M", "--epochs", "3", "--json")
    example, own = (
        json.loads(program(*words, *more, IMGSTORE_TUI_HOME=str(tmp_path)).stdout)["advice"][0]["object_store"]
        for more in ((), ("--prices", str(sheet)))
    )
    assert (example["prices"]["date"], example["prices"]["is_example"]) == ("2024", True)
    assert (own["prices"]["date"], own["prices"]["is_example"], own["prices"]["currency"]) == (
        "2026-01-31",
        False,
        "EUR",
    )
    assert example["methods"]
    for method in example["methods"]:
        assert method["month"] == pytest.approx(method["size_bytes"] / 1e9 * example["prices"]["gb_month"])
        assert method["read"] == pytest.approx(method["read_requests"] * example["prices"]["get_per_1000"] / 1000)
        assert method["rows"]
