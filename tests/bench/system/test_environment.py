"""What a run says of the machine and the libraries that it was measured with."""

from __future__ import annotations

from pathlib import Path

import PIL
import pytest

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.environment import library_versions
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins import registry
from imgstore_tui.testing.fake_executor import FakeExecutor


def install(folder: Path, package: str, version: str, module: str) -> None:
    """Make what pip leaves of a package that is not called like its module."""
    info = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
    (info / "top_level.txt").write_text(f"{module}\n")
    (folder / f"{module}.py").touch()


def test_a_library_is_found_whatever_its_package_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert library_versions(["oddly_named"]) == {}
    install(tmp_path, "quite-another-name", "1.5", "oddly_named")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert library_versions(["oddly_named", "PIL", "sqlite3", "no_such_library"]) == {
        "PIL": PIL.__version__,
        "oddly_named": "1.5",
    }


def test_a_run_names_the_libraries_of_its_codecs_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "quite-another-name", "1.5", "oddly_named")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(registry.codecs.get("jpeg"), "requires", ("oddly_named",))
    plan = Plan(
        specs=(registry.resolve_spec("lmdb+jpeg"),), datasets=("synthetic,size=8",), cutoffs=(1,),
        operations=(Operation.WRITE_MANY,), rounds=1,
    )  # fmt: skip
    libraries = run_plan(plan, executor=FakeExecutor()).environment.libraries
    assert libraries["oddly_named"] == "1.5"
    assert {"numpy", "PIL", "lmdb"} <= libraries.keys()
