"""The example in the manual's page on backends works as it is printed."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from imgstore_tui.present.help import load_topic
from tests.support.entry_points import ROOT, offer
from tests.support.printed_commands import code_blocks
from tests.support.program import program

MODULE = "zip_store"


@pytest.fixture(autouse=True)
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the files that the page shows, and offer the backend by the entry point that it shows."""
    page = load_topic("backend").markdown
    example, suite, imports, _ = code_blocks(page, "python")  # the last is the suite of a server, see test_shelf
    exec(compile(imports, "backend.md", "exec"), {})
    (tmp_path / f"{MODULE}.py").write_text(example)
    path = tmp_path / f"test_{MODULE}.py"
    path.write_text(suite)
    (entry_points,) = code_blocks(page, "toml")
    offer(tmp_path, tomllib.loads(entry_points)["project"]["entry-points"], monkeypatch)
    return path


@pytest.mark.full
def test_the_example_passes_the_conformance_suite(suite: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0", f"--rootdir={ROOT}", str(suite)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout


@pytest.mark.full
def test_the_example_passes_the_lint_and_the_types_of_this_repository(suite: Path) -> None:
    module = suite.with_name(f"{MODULE}.py")
    settings = ["--config", str(ROOT / "pyproject.toml"), "--config", 'lint.isort.known-first-party=["imgstore_tui"]']
    # Lines of a manual are shorter than lines of code, so what the formatter would join stays apart.
    for command in (["ruff", "check", "--no-cache", *settings], ["mypy", "--strict", "--no-incremental"]):
        done = subprocess.run(
            [sys.executable, "-m", *command, str(module)], capture_output=True, text=True, check=False, cwd=ROOT
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_listed_and_measured() -> None:
    assert "ZIP archive" in program("backends", "zip").stdout
    done = program("run", "-b", "zip", "-n", "1,20", "--rounds", "1", "-d", "synthetic,size=8", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "zip" in done.stdout
