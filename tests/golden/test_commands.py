"""Help texts, lists of what there is, and refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.golden.texts import as_words, check, printed, save_runs, transcript

COMMANDS = (
    "run", "show", "advise", "damage", "export", "compare", "convert", "runs", "resume", "replay", "rename", "delete",
    "sweep", "backends", "codecs", "datasets", "servers", "web", "doctor", "completion", "help",
)  # fmt: skip
CORE = {
    "backends": ("disk", "lmdb", "hdf5", "npy", "webdataset", "tfrecord", "safetensors", "sqlite"),
    "codecs": ("raw", "png", "jpeg", "webp", "original"),
    "datasets": ("synthetic", "cifar10", "cifar100", "folder", "store"),
}
OF_THE_MACHINE = ("available", "how_to_get")
REFUSED = (
    ("shwo",),
    ("resume",),
    ("show", "none-of-that-name"),
    ("run", "-b", "lmbd"),
    ("run", "-b", "lmdb:layuot=1"),
    ("run", "-b", "hdf5+pgn"),
    ("run", "-n", "ten"),
    ("run", "-o", "read-few"),
    ("run", "-d", "folder:no/such/place"),
    ("run", "--cache", "warm"),
    ("run", "--plan", "none.toml"),
    ("export", "last"),
    ("export", "last", "-f", "xls"),
    ("convert", "synthetic", "lmdb"),
    ("backends", "lmbd"),
    ("compare", "last"),
    ("rename", "last", "last"),
)


def helped(text: str, home: Path) -> str:
    return text.replace(str(home), "HOME")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(
    command: str, own_home: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err, code = printed(capsysbinary, monkeypatch, command, "--help")
    assert (err, code) == ("", 0)
    check(f"help/{command}.txt", helped(out, own_home), key=as_words)


def test_help_of_the_program(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    out, err, code = printed(capsysbinary, monkeypatch, "--help")
    assert (err, code) == ("", 0)
    check("help/program.txt", out, key=as_words)


@pytest.mark.parametrize("command", CORE)
def test_lists(command: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    out, err, code = printed(capsysbinary, monkeypatch, command, "--json")
    assert (err, code) == ("", 0)
    listed = {entry["name"]: entry for entry in json.loads(out)}
    facts = [{key: value for key, value in listed[name].items() if key not in OF_THE_MACHINE} for name in CORE[command]]
    check(f"lists/{command}.json", json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    for name in CORE[command]:
        one, _, code = printed(capsysbinary, monkeypatch, command, name, "--json")
        assert (json.loads(one), code) == (listed[name], 0)


@pytest.mark.parametrize(("command", "name"), [("backends", "lmdb"), ("codecs", "png"), ("datasets", "synthetic")])
def test_details(
    command: str, name: str, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    check(f"lists/{command}-{name}.txt", transcript(capsysbinary, monkeypatch, command, name))


def test_refusals(own_home: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    save_runs(own_home)
    texts = [transcript(capsysbinary, monkeypatch, *words, hide=str(own_home)) for words in REFUSED]
    # More backends, codecs and formats may come.
    text = re.sub(r"(Unknown (?:backend|codec|export format) .*Known: ).*", r"\1...", "\n".join(texts))
    check("refusals.txt", text, key=as_words)
