"""Runs, stores and plans that were saved before are read as what they were; ``fixtures`` holds some."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import dump_plan, load_plan
from imgstore_tui.registry import make_dataset
from tests.golden.texts import ARTICLE, FAILURES, FIXTURES, QUICK, check, printed, save_runs, transcript

TEXT_FORMATS = ("csv", "tsv", "json", "md", "html", "tex")
EXPORTED = (
    *((QUICK, kind) for kind in TEXT_FORMATS),
    *((FAILURES, kind) for kind in ("csv", "md")),
    *((ARTICLE, kind) for kind in ("html", "tex")),
)
STORES = ("disk", "hdf5", "lmdb", "npy", "safetensors", "sqlite", "tfrecord", "webdataset")
SHOW = {
    "whole": (QUICK, "all"),
    "failures": ("broken drivers", "all"),
    "article": (ARTICLE, "all"),
    "tables": (QUICK, "all", "--no-charts"),
    "ascii": (QUICK, "all", "--ascii"),
    "answer": (QUICK,),
    "article-answer": (ARTICLE,),
    "only-verdicts": (QUICK, "verdicts"),
    "unknown-part": (QUICK, "pictures"),
    "linear": (QUICK, "--chart", "read-many", "--linear"),
    "ranking": (QUICK, "--at", "10"),
    "cell": (QUICK, "--cell", "lmdb/read-many/10"),
    "failed-cell": (FAILURES, "--cell", "faulty:fault=wrong/write-many/4"),
    "unknown-chart": (QUICK, "--chart", "pie"),
}


@pytest.fixture(autouse=True)
def home(own_home: Path) -> Path:
    save_runs(own_home)
    return own_home


@pytest.mark.parametrize("name", SHOW)
def test_show(name: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    check(f"show/{name}.txt", transcript(capsysbinary, monkeypatch, "show", *SHOW[name]))


@pytest.mark.parametrize(
    ("run", "format_name"),
    [
        *((QUICK, kind) for kind in TEXT_FORMATS),
        (FAILURES, "csv"),
        (FAILURES, "md"),
        (ARTICLE, "html"),
        (ARTICLE, "tex"),
    ],
)
def test_export(
    run: str, format_name: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err, code = printed(capsysbinary, monkeypatch, "export", run, "-f", format_name)
    assert (err, code) == ("", 0)
    check(f"export/{run}.{format_name}", out)


def test_runs(home: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    check("runs.txt", transcript(capsysbinary, monkeypatch, "runs", hide=str(home)))


@pytest.mark.parametrize("name", ["refused", "anyway"])
def test_compare(name: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FIXTURES / "runs" / "record.json", "record.json")
    options = ["--anyway"] if name == "anyway" else []
    check(f"compare/{name}.txt", transcript(capsysbinary, monkeypatch, "compare", ARTICLE, QUICK, *options))
    check(
        f"compare/{name}-record.txt", transcript(capsysbinary, monkeypatch, "compare", QUICK, "record.json", *options)
    )


def test_a_record_is_opened_and_exported_as_it_was(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = FIXTURES / "runs" / "record.json"
    shutil.copy(saved, "record.json")
    check("show/record.txt", transcript(capsysbinary, monkeypatch, "show", "record.json", "all"))
    out, _, code = printed(capsysbinary, monkeypatch, "export", "record.json", "-f", "json")
    assert code == 0
    before, now = json.loads(saved.read_text()), json.loads(out)
    assert fields_of(before, now) == before


def fields_of(before: object, now: object) -> object:
    """Return a JSON value without the fields that an earlier one lacks: fields may be added, none may go or change."""
    if isinstance(before, dict) and isinstance(now, dict):
        return {name: fields_of(value, now[name]) for name, value in before.items() if name in now}
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [fields_of(old, new) for old, new in zip(before, now, strict=True)]
    return now


@pytest.mark.parametrize("backend", STORES)
def test_a_store_is_opened(backend: str, tmp_path: Path) -> None:
    if backend == "tfrecord":
        pytest.importorskip("google_crc32c", reason="google_crc32c is not installed (extra tfrecord)")
    # Opening may leave files beside a store, such as locks.
    shutil.copytree(FIXTURES / "stores" / backend, tmp_path / backend)
    store = make_dataset(f"store:{tmp_path / backend}")
    store.scan()
    images = [
        {
            "label": store.label(index),
            "shape": list(store.image(index).shape),
            "sha256": hashlib.sha256(store.image(index).tobytes()).hexdigest(),
        }
        for index in range(len(store))
    ]
    assert images == json.loads((FIXTURES / "images.json").read_text())
    check(f"stores/{backend}.txt", f"{store.summary}\n".replace(str(tmp_path), "HERE"))


def test_a_plan_is_read() -> None:
    check("plan.toml", dump_plan(load_plan(FIXTURES / "plans" / "nightly.toml")))
