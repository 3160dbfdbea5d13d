"""A price sheet turns counted requests and bytes into money; a sheet that makes no sense is a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.analysis.prices import EXAMPLE, costs, read_prices
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.model import Run
from imgstore_tui.core.operations import Operation
from imgstore_tui.present.help import load_topic
from imgstore_tui.present.tables.cost import cost_table
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.price_sheet import SHEET

OPERATIONS = [Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM]


def counted(requests: dict[Operation, int]) -> Run:
    run = fake_run(["disk", "lmdb"], [1000], operations=OPERATIONS)
    size = 500_000_000
    trials = [
        replace(trial, requests=requests[trial.operation], apparent_bytes=size) if trial.spec == "lmdb" else trial
        for trial in run.measurements
    ]
    return replace(run, measurements=tuple(trials))


def test_requests_and_bytes_become_money(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(SHEET)
    sheet = read_prices(path)
    assert sheet.date == "2026-01-31"
    run = counted({Operation.WRITE_MANY: 3000, Operation.READ_MANY: 4000, Operation.READ_RANDOM: 8000})
    (cost,) = costs(run, sheet)  # disk sends no requests
    assert (cost.spec, cost.images) == ("lmdb", 1000)
    assert (cost.write, cost.read, cost.random, cost.month) == (6.0, 2.0, 4.0, 2.0)
    table = cost_table(run, sheet)
    assert [entry.text for entry in table.rows[0]][:6] == ["1,000", "lmdb", "6.00", "2.00", "4.00", "2.00"]
    for words in ("Mine", "2026-01-31", "a letter"):
        assert words in table.caption
    assert not cost_table(fake_run(), sheet).rows


def test_amounts_have_no_exponent() -> None:
    table = cost_table(counted(dict.fromkeys(OPERATIONS, 1)), EXAMPLE)
    assert [entry.text for entry in table.rows[0]][2:6] == ["0.00000500", "0.000000400", "0.000000400", "0.0115"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("service = ", "no TOML"),
        (SHEET.replace("gb_month = 4.0", ""), "'gb_month' is missing"),
        (f"{SHEET}tax = 1", "'tax' is not known"),
        (SHEET.replace("= 2\n", "= -2\n"), "no price as put_per_1000"),
        (SHEET.replace("= 2\n", "= true\n"), "no price as put_per_1000"),
        (SHEET.replace('"Mine"', '""'), "no text as service"),
    ],
)
def test_a_sheet_that_makes_no_sense_is_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        read_prices(path)
    assert str(caught.value).endswith(".")
    with pytest.raises(UsageError, match="cannot be read"):
        read_prices(tmp_path / "none.toml")


def test_the_sheet_in_the_manual_is_one(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(load_topic("object-storage").markdown.partition("```toml\n")[2].partition("```")[0])
    sheet = read_prices(path)
    assert (sheet.put_per_1000, sheet.get_per_1000, sheet.gb_month) == (
        EXAMPLE.put_per_1000, EXAMPLE.get_per_1000, EXAMPLE.gb_month,
    )  # fmt: skip
