"""The lists on a narrow terminal: names and availability are never cut, sentences keep their indentation."""

import json
import re

import pytest

from imgstore_tui.cli import backends, codecs, datasets, doctor
from imgstore_tui.plugins import registry


def test_codecs_at_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    codecs.main([])
    printed = capsys.readouterr().out
    assert "…" not in printed
    for name in registry.codecs.all():
        assert f"\n{name} " in printed
    # How wide the columns are depends on which libraries are missing.
    assert re.search(r"^raw {8}lossless  Raw pixels +available *$", printed, re.MULTILINE)


def test_texts_of_options_are_wrapped_under_themselves(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    datasets.main(["folder"])
    options = capsys.readouterr().out.split("\noption ", 1)[1].splitlines()[1:]
    assert len(options) > 10
    assert all(line.startswith(("option ", "       ")) for line in options)
    assert "option decode=yes" in options


def test_doctor_tells_of_codecs_and_of_what_pictures_and_the_browser_need(
    capsys: pytest.CaptureFixture[str],
) -> None:
    doctor.main([])
    heads = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert {f"codec {name}" for name in registry.codecs.all()} <= set(heads)
    assert {"pictures of charts", "in a browser", "shell completion"} <= set(heads)


def test_what_doctor_finds_wrong_has_a_fix_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    doctor.main(["--scratch", "/dev/shm", "--json"])
    checks = json.loads(capsys.readouterr().out)
    (memory,) = (check for check in checks if check["name"] == "work folder" and check["good"] is False)
    assert "is in memory" in memory["meaning"]
    assert "--scratch DIR" in memory["fix"]
    for check in checks:
        library = check["name"].startswith(("backend ", "codec ", "pictures", "in a browser", "shell"))
        if library and check["good"] is False:
            assert check["meaning"] == "not installed"
            assert "pip install" in check["fix"]
        if check["meaning"] == "no server is named":
            assert check["fix"].startswith("set the variable IMGSTORE_")
    doctor.main(["--scratch", "/dev/shm"])
    assert "fix: name a folder with --scratch DIR" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", sorted(registry.backends.all()))
def test_a_backend_says_what_its_stores_look_like_to_other_programs(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backends.main([name])
    printed = " ".join(capsys.readouterr().out.split())
    first_words = " ".join((registry.backends.get(name).__doc__ or "").replace("`", "").split()[:5])
    assert f"stored as {first_words}" in printed
    server = registry.backends.get(name).capabilities.server
    forms = ("A table ", "An InnoDB table ", "A collection ", "Objects ") if server else ("A folder ", "One file")
    assert first_words.startswith(forms)
