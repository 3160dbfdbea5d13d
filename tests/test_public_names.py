"""What others rely on stays: names that plug-ins import, entry points, fields of the record, kinds of journal lines."""

from __future__ import annotations

import ast
import importlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.bench.results.journal import Journal, read_journal
from imgstore_tui.core.ceiling import Ceiling, CeilingKind
from imgstore_tui.core.client_round import ClientResult, ClientRound, ClientWork
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.present import exports
from imgstore_tui.present.exports.json import SCHEMA_PATH
from imgstore_tui.testing.fake_runs import fake_article_run, fake_run
from tests.support.entry_points import offer
from tests.support.program import program

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
SCHEMA: dict[str, Any] = json.loads(SCHEMA_PATH.read_text())
OFFERED = {
    "imgstore_tui.backends": ("tests.outside.ledger:Ledger", ("backends", "stranger", "--json")),
    "imgstore_tui.codecs": ("imgstore_tui.codecs.raw:RawCodec", ("codecs", "stranger", "--json")),
    "imgstore_tui.datasets": ("imgstore_tui.datasets.synthetic:Synthetic", ("datasets", "stranger", "--json")),
    "imgstore_tui.exports": ("imgstore_tui.present.exports.csv:CsvExporter", ("export", "--help")),
}
"""Groups of entry points, each with what a plug-in of a test derives from, and the command that lists it."""

NAMES: dict[str, dict[str, list[str]]] = json.loads((GOLDEN / "public_names.json").read_text())
MODULES, RECORD, JOURNAL = NAMES["modules"], NAMES["record"], NAMES["journal"]
"""Names by the path that plug-ins import them by; fields by object of the record, whose whole is ``Run``; fields by
kind of journal line. Lines may be added to the file and never taken away."""
CEILING = Ceiling("synthetic", CeilingKind.DECODE, 0, "png", {"level": 1}, seconds=0.5, samples=(0.5,), bytes=100)
CLIENT_ROUND = ClientRound(
    "lmdb", "synthetic", Operation.READ_RANDOM, 1000, 0, 2, ClientWork.SHARE, 10.0, cache=CacheState.HOT,
    backend="lmdb", codec="raw",
    results=tuple(ClientResult(number, "host", seconds=10.0, latency_s={"p50": 0.001}) for number in range(2)),
)  # fmt: skip


@pytest.mark.parametrize("module", MODULES)
def test_names_stay_importable(module: str) -> None:
    imported = importlib.import_module(module)
    assert [name for name in MODULES[module] if not hasattr(imported, name)] == []


def test_what_the_example_plug_in_imports_is_public() -> None:
    for file in ("ledger.py", "needy.py", "faulty.py", "ledger_suite.py"):
        for node in ast.walk(ast.parse((HERE / "outside" / file).read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("imgstore_tui"):
                names = MODULES[node.module or ""]
                assert [alias.name for alias in node.names if alias.name not in names] == []


@pytest.mark.parametrize("group", OFFERED)
def test_entry_point_groups_are_looked_at(group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base, words = OFFERED[group]
    module, _, kind = base.partition(":")
    plug_in = f"from {module} import {kind}\n\n\nclass Stranger({kind}):\n    name = 'stranger'\n"
    (tmp_path / "stranger_plug_in.py").write_text(plug_in)
    offer(tmp_path, {group: {"stranger": "stranger_plug_in:Stranger"}}, monkeypatch)
    listed = program(*words)
    assert listed.returncode == 0, listed.stderr
    assert "stranger" in listed.stdout


@pytest.mark.parametrize("part", RECORD)
def test_the_schema_keeps_its_fields(part: str) -> None:
    properties = SCHEMA["properties"] if part == "Run" else SCHEMA["$defs"][part]["properties"]
    assert [name for name in RECORD[part] if name not in properties] == []


@pytest.mark.parametrize("journal", sorted((GOLDEN / "fixtures" / "runs").glob("*.jsonl")), ids=lambda path: path.stem)
def test_a_journal_of_before_has_known_kinds_of_lines_only(journal: Path) -> None:
    kinds = {json.loads(line)["kind"] for line in journal.read_text().splitlines()}
    assert kinds <= set(JOURNAL)
    assert {"run", "measurement", "end"} <= kinds


def test_every_kind_of_journal_line_is_written_and_read_back(tmp_path: Path) -> None:
    run = fake_run(("lmdb",), (10,), 1)
    empty = replace(run, measurements=(), status="running", finished_at=None)
    trial, probe = run.measurements[0], fake_article_run((1,), 1).probes[0]
    journal = Journal.begin(empty, tmp_path)
    journal.add(trial)
    journal.warn("Beware.")
    journal.warn("Beware for now.", passing=True)
    journal.add_probe(probe)
    journal.add_ceiling(CEILING)
    journal.add_client_round(CLIENT_ROUND)
    journal.set_title("nightly")
    journal.pause("2026-01-02T03:04:06+00:00")
    journal.unpause(1.5)
    journal.skip(trial.cell, "2026-01-02T03:04:07+00:00")
    journal.end("stopped", "2026-01-02T03:04:08+00:00")
    journal = Journal.resume(journal.path, "2026-01-02T03:04:09+00:00")
    journal.end("finished", "2026-01-02T03:04:10+00:00")
    lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    for line in lines:
        assert [name for name in JOURNAL[line["kind"]] if name not in line] == []
    assert {line["kind"] for line in lines} == set(JOURNAL)
    assert [name for name in RECORD["Measurement"] if name not in lines[1]] == []
    assert read_journal(journal.path) == replace(
        empty, measurements=(trial,), warnings=("Beware.",), probes=(probe,), ceilings=(CEILING,),
        client_rounds=(CLIENT_ROUND,), title="nightly", paused_s=1.5, status="finished",
        finished_at="2026-01-02T03:04:10+00:00",
    )  # fmt: skip


def test_the_record_keeps_its_fields() -> None:
    run = replace(fake_article_run((1,), 1), ceilings=(CEILING,), client_rounds=(CLIENT_ROUND,))
    record = json.loads(exports.get("json").export(run))
    parts = {
        "Run": record, "Plan": record["plan"], "Spec": record["plan"]["specs"][0],
        "Environment": record["environment"], "DatasetFacts": record["datasets"][0],
        "Measurement": record["measurements"][0], "Summary": record["summary"][0], "Probe": record["probes"][0],
        "Ceiling": record["ceilings"][0], "ClientRound": record["client_rounds"][0],
        "ClientResult": record["client_rounds"][0]["results"][0],
        "ClientSummary": record["client_summary"][0], "Claim": record["claims"][0],
    }  # fmt: skip
    assert set(parts) == set(RECORD)
    for part, values in parts.items():
        assert [name for name in RECORD[part] if name not in values] == []
