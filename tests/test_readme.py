"""What a newcomer reads first is short, and all of it can be typed and followed."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import re
import tomllib
from pathlib import Path

import pytest

from imgstore_tui.cli.plan_arguments import plan_from_arguments
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.present.help import TOPIC_NAMES
from tests.support.printed_commands import modules_called, parse, program_commands, shell_lines

ROOT = Path(__file__).parents[1]
README, RESULTS = ROOT / "README.md", ROOT / "tests/benchmarks/RESULTS.md"
PAGES = [pytest.param(page, id=page.name) for page in (README, RESULTS)]
MOST_LINES = 180


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= MOST_LINES


def test_readme_has_one_line_for_the_main_job_and_one_for_the_tests() -> None:
    lines = [line for line in README.read_text().splitlines() if line.startswith("python3 -m venv ")]
    main_job, tests = lines
    assert main_job.endswith("&& .venv/bin/imgstore-tui run")
    # The line that .ci/run takes.
    (pattern,) = re.findall(r"grep -m1 -E '([^']+)' README\.md", (ROOT / ".ci/run").read_text())
    assert re.search(pattern, tests)
    assert not re.search(pattern, main_job)


def test_readme_names_every_extra_that_it_installs() -> None:
    extras = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    named = re.findall(r"'\.\[([\w,]+)\]'", README.read_text() + RESULTS.read_text())
    assert named
    assert {extra for names in named for extra in names.split(",")} <= extras


def test_every_command_of_readme_parses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    commands = list(program_commands(README.read_text()))
    assert len(commands) > 15
    topics = [arguments[1] for arguments in commands if arguments[:1] == ["help"] and len(arguments) > 1]
    assert topics
    assert set(topics) <= set(TOPIC_NAMES)
    for arguments in commands:
        words = parse(arguments, monkeypatch)
        if words is not None and arguments[:1] in ([], ["run"]):
            with contextlib.suppress(UnavailableError):  # of an extra that is not installed, of a server not named
                assert plan_from_arguments(words).specs


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    for link in links:
        assert (page.parent / link).is_file(), link
    assert links or page is not README


@pytest.mark.parametrize("page", PAGES)
def test_modules_and_paths_that_are_run_exist(page: Path) -> None:
    called = list(modules_called(page.read_text()))
    assert called
    for module, options in called:
        assert importlib.util.find_spec(module) is not None, module
        if module.startswith("tests."):
            source = inspect.getsource(importlib.import_module(module))
            assert all(f'"{option}"' in source for option in options), (module, options)
    for line in shell_lines(page.read_text()):
        for path in re.findall(r"(?<!\S)tests/[\w/.]+", line):
            assert (ROOT / path).exists(), path
