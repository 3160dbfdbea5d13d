"""The bundle: what is in it, that it gives the run back, and that no archive of others does harm."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import parse_plan
from imgstore_tui.core.errors import DataError
from imgstore_tui.present import exports
from imgstore_tui.present.exports.bundle import load_bundle
from imgstore_tui.present.exports.json import JsonExporter, parse_json
from imgstore_tui.testing.fake_runs import fake_run


def packed(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def test_it_holds_the_record_the_plan_the_reports_and_how_to_go_on() -> None:
    run = fake_run()
    with zipfile.ZipFile(io.BytesIO(exports.get("bundle").export(run))) as archive:
        assert archive.namelist() == ["README.txt", "record.json", "plan.toml", "report.md", "report.html"]
        assert archive.testzip() is None
        readme = archive.read("README.txt").decode()
        assert archive.read("record.json") == JsonExporter().export(run)
        assert parse_plan(archive.read("plan.toml").decode()).seed == run.plan.seed
    assert "imgstore-tui run --from BUNDLE" in readme
    assert run.datasets[0].fingerprint in readme
    for fact in (run.environment.cpu, "ext4", "h5py 3.16.0", "seed 0", "load 0.10"):
        assert fact in readme


def test_it_gives_the_run_back(tmp_path: Path) -> None:
    run = fake_run(failures={"hdf5/read-many/100": "The disk is full."})
    path = tmp_path / "run.zip"
    path.write_bytes(exports.get("bundle").export(run))
    assert load_bundle(path) == parse_json(JsonExporter().export(run).decode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no archive at all", "is no bundle of a run, or damaged"),
        (b"", "is no bundle of a run, or damaged"),
        (packed(other_txt=b"x"), "it has no record.json"),
        (packed(record_json=b"{"), "is no whole JSON file"),
        (packed(record_json=b"\xff\xfe"), "its record is not text"),
        (packed(record_json=b"[]"), "is no record of a run"),
        (packed(record_json=bytes(1000))[:-100], "is no bundle of a run, or damaged"),
    ],
    # An archive has the time in it, which would make the names of tests differ from one process to the next.
    ids=["text", "empty", "no record", "half a record", "no text", "a list", "cut short"],
)
def test_what_is_no_bundle_is_refused_in_a_sentence(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "run.zip"
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        load_bundle(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_a_damaged_bundle_is_refused_wherever_a_byte_is_wrong(tmp_path: Path) -> None:
    whole = exports.get("bundle").export(fake_run(cutoffs=(1,), rounds=1))
    path = tmp_path / "run.zip"
    place = whole.index(b"record.json") + 200
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
    with pytest.raises(DataError):
        load_bundle(path)


def test_an_archive_that_claims_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgstore_tui.present.exports.bundle.LARGEST_RECORD", 1000)
    path = tmp_path / "run.zip"
    path.write_bytes(packed(record_json=bytes(100_000)))
    with pytest.raises(DataError, match=r"it claims 97\.7 KiB of record"):
        load_bundle(path)
