"""Tests exported files: complete or absent, and over another file only on request."""

import importlib.metadata
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.exporter import Exporter
from imgstore_tui.core.model import Run
from imgstore_tui.plugins.catalogue import Catalogue
from imgstore_tui.present import exports
from imgstore_tui.present.exports.write import default_name, write_export
from imgstore_tui.storekit.atomic_write import write_atomic
from imgstore_tui.testing.fake_runs import fake_run

RUN = fake_run(["lmdb"], [10], 1)


def test_it_writes_what_the_exporter_returns_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = write_export(RUN, "csv", tmp_path / "run.csv")
    assert path.read_bytes() == exports.get("csv").export(RUN)
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_gets_a_file_named_after_the_run(tmp_path: Path) -> None:
    path = write_export(RUN, "md", tmp_path)
    assert path == tmp_path / default_name(RUN, "md")
    assert path.name == "imgstore-20260102-030405-fake.md"


def test_an_existing_file_is_kept_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        write_export(RUN, "csv", path)
    assert path.read_text() == "mine"
    write_export(RUN, "csv", path, overwrite=True)
    assert path.read_bytes() == exports.get("csv").export(RUN)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_appears_meanwhile_is_kept_too(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        write_atomic(path, b"ours")
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    write_atomic(tmp_path / "a", b"x")
    assert (tmp_path / "a").read_bytes() == b"x"
    with pytest.raises(UsageError, match="exists already"):
        write_atomic(tmp_path / "a", b"y")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_leaves_the_old_file_and_no_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.csv"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UnavailableError, match="No space left on device"):
        write_export(RUN, "csv", path, overwrite=True)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_and_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        write_export(RUN, "csv", tmp_path / "none" / "run.csv")
    with pytest.raises(UsageError, match=r"Unknown export format 'cvs'. Did you mean 'csv'\?"):
        write_export(RUN, "cvs", tmp_path / "run.csv")


class Shout(Exporter):
    """A third party's exporter."""

    name = "shout"
    title = "the id, loud"
    suffix = ".txt"

    def export(self, run: Run) -> bytes:
        return run.id.upper().encode()


def looking_anew() -> Catalogue[Exporter]:
    return Catalogue("export format", exports.__name__, Exporter, exports.ENTRY_POINTS)


def test_entry_points_count_like_ours_and_broken_ones_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def __init__(self, name: str, value: object) -> None:
            self.name, self.value = name, str(value)
            self._loaded = value

        def load(self) -> object:
            if isinstance(self._loaded, Exception):
                raise self._loaded
            return self._loaded

    points = [Point("shout", Shout), Point("bad", ImportError("no module")), Point("odd", int)]
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: points if group == exports.ENTRY_POINTS else []
    )
    monkeypatch.setattr(exports, "catalogue", looking_anew())
    assert "shout" in exports.names()
    assert exports.get("shout").export(RUN) == RUN.id.upper().encode()
    assert {broken.name for broken in exports.catalogue.failed()} == {"bad", "odd"}
    with pytest.raises(UnavailableError, match="could not be loaded: ImportError: no module"):
        exports.get("bad")


def test_a_missing_library_is_said_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Shout, "requires", ("no_such_library",))
    point = SimpleNamespace(name="shout", value="shout", load=lambda: Shout)
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda group: [point] if group == exports.ENTRY_POINTS else []
    )
    monkeypatch.setattr(exports, "catalogue", looking_anew())
    with pytest.raises(UnavailableError, match=r"needs no_such_library.* -m pip install no_such_library"):
        exports.get("shout")
