"""Tests the JSON record: described by its schema, complete, and readable."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from imgstore_tui.analysis.aggregate import summarise
from imgstore_tui.core import model
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.model import SCHEMA_VERSION, Run
from imgstore_tui.core.operations import SYNC_LEVELS, CacheState, Operation
from imgstore_tui.present import exports
from imgstore_tui.present.exports.json import SCHEMA_PATH, load_json, parse_json, record
from imgstore_tui.testing.conformance_exporter import hostile_run
from imgstore_tui.testing.fake_client_rounds import fake_client_run
from imgstore_tui.testing.fake_runs import fake_run

SCHEMA: dict[str, Any] = json.loads(SCHEMA_PATH.read_text())
RUNS = [
    fake_run(operations=list(Operation), sync=SYNC_LEVELS, cache=list(CacheState), cutoffs=[1, 10]),
    fake_run(["lmdb:codec.quality=90", "hdf5:chunks=64"], [10], 2, failures={"hdf5:chunks=64/read-many": "x"}),
    replace(fake_run(), measurements=(), datasets=(), status="running", finished_at=None),
    hostile_run(),
    fake_client_run(late=((4, 2),), dead=((8, 1),), cutoff=100),
    fake_client_run(["lmdb"], [1, 2], 2, shares_cores=None, cutoff=100),
]


def export(run: Run) -> str:
    return exports.get("json").export(run).decode()


@pytest.mark.parametrize("run", RUNS, ids=["all", "options", "empty", "evil", "clients", "unsure"])
def test_it_fits_the_schema_and_reads_back_equal(run: Run) -> None:
    text = export(run)
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(text))
    assert parse_json(text) == run


def test_the_schema_is_sound_and_knows_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name in ("Plan", "Spec", "Environment", "ServerFacts", "DatasetFacts", "Measurement"):
        assert set(SCHEMA["$defs"][name]["properties"]) == {entry.name for entry in fields(getattr(model, name))}
    assert set(SCHEMA["properties"]) == {entry.name for entry in fields(Run)} | {
        "schema_version", "summary", "client_summary", "claims",
    }  # fmt: skip
    assert set(SCHEMA["$defs"]["Summary"]["properties"]) == set(record(fake_run())["summary"][0])
    clients = record(fake_client_run(["lmdb"], [1], 1))["client_summary"]
    assert set(SCHEMA["$defs"]["ClientSummary"]["properties"]) == set(clients[0])


def test_the_schema_refuses_what_is_wrong() -> None:
    values = record(fake_run(["lmdb"], [10], 1))
    values["measurements"][0]["status"] = "splendid"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(values)


def test_more_fields_than_known_are_no_harm() -> None:
    values = record(fake_run())
    values["later"] = 1
    values["measurements"][0]["later"] = 1
    jsonschema.Draft202012Validator(SCHEMA).validate(values)
    assert parse_json(json.dumps(values)) == fake_run()


def test_the_summary_has_one_object_a_cell() -> None:
    run = fake_run(["disk", "lmdb"], [100], operations=[Operation.WRITE_MANY])
    disk, lmdb = record(run)["summary"]
    first, second = summarise(run)
    assert (disk["median_s"], lmdb["median_s"]) == (first.seconds, second.seconds)
    assert disk["coverage"] == 1 - 2 / 64
    assert (disk["place"], lmdb["place"]) == ("slower", "best")
    assert lmdb["allocated_bytes"] == 16384 + 4096 * 100
    assert lmdb["raw_pixel_bytes"] == 100 * 3072
    assert disk["verdict"].startswith("lmdb is fastest; disk takes ")


def test_one_trial_stands_on_one_line() -> None:
    run = fake_run()
    assert sum(line.startswith('  {"spec": ') and '"round"' in line for line in export(run).splitlines()) == len(
        run.measurements
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no whole JSON file"),
        (export(fake_run())[:5000], "no whole JSON file"),
        ("[]", "no record of a run"),
        ("{}", "no record of a run"),
        (json.dumps({"schema_version": SCHEMA_VERSION + 1, "measurements": []}), "newer imgstore-tui"),
        (json.dumps({"schema_version": 1, "measurements": 3}), "no record of a run: measurements: expected a list"),
        (json.dumps({"schema_version": 1, "measurements": []}), "no record of a run"),
        ("[" * 100_000, "no whole JSON file"),
    ],
    ids=["empty", "torn", "list", "object", "newer", "wrong kind", "too little", "deep"],
)
def test_what_is_no_record_is_refused_in_a_sentence(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load_json(path)
    assert str(path) in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        load_json(tmp_path / "none.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="not text"):
        load_json(tmp_path / "binary.json")
