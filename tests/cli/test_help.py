"""The manual: every topic can be read, and what it prints can be typed."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import json
import pkgutil
import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import imgstore_tui
from imgstore_tui import registry
from imgstore_tui.cli.parser import split_specs
from imgstore_tui.cli.plan_arguments import plan_from_arguments
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.present.help import TOPIC_NAMES, load_topic, load_topics
from imgstore_tui.present.help.page import ManualPage
from tests.support.printed_commands import code_blocks, modules_called, parse, program_commands
from tests.support.program import program, sentence

CODE_COLUMNS, TEXT_COLUMNS = 72, 80
"""What the screen of 80 columns has room for, and what a terminal has."""


def test_every_file_of_the_manual_is_a_topic() -> None:
    names = {entry.name for entry in files("imgstore_tui.present.help").iterdir() if entry.name.endswith(".md")}
    assert names == {f"{name}.md" for name in TOPIC_NAMES}


@pytest.mark.parametrize("name", TOPIC_NAMES)
def test_a_topic_fits_a_narrow_terminal_and_is_ascii(name: str) -> None:
    page = load_topic(name)
    assert page.markdown.isascii()
    assert page.title[0].isupper()
    assert re.fullmatch(r"[A-Z][^\n]{20,85}[.]", page.summary)
    assert max(map(len, page.markdown.splitlines())) <= TEXT_COLUMNS
    for language in ("", "sh", "python", "toml"):
        for block in code_blocks(page.markdown, language):
            assert max(map(len, block.splitlines())) <= CODE_COLUMNS


def test_without_a_topic_help_lists_them_with_their_summaries() -> None:
    done = program("help", COLUMNS="110")
    assert done.returncode == 0
    for topic in load_topics():
        assert re.search(rf"^{topic.name} +{re.escape(topic.summary)}", done.stdout, re.MULTILINE)


def test_a_topic_in_a_pipe_is_its_markdown() -> None:
    assert program("help", "verdict").stdout == load_topic("verdict").markdown


@pytest.mark.parametrize("name", TOPIC_NAMES)
def test_a_topic_on_a_terminal_has_no_markup_left(name: str) -> None:
    topic = load_topic(name)
    console = Console(width=80, force_terminal=True, color_system="truecolor", record=True, file=io.StringIO())
    console.print(ManualPage(topic.markdown))
    text = console.export_text()
    assert topic.title in text
    assert not re.search(r"```|\*\*|\| ---", text)


def test_the_topics_are_listed_as_json() -> None:
    topics = json.loads(program("help", "--json").stdout)
    assert [topic["name"] for topic in topics] == list(TOPIC_NAMES)
    assert json.loads(program("help", "verdict", "--json").stdout) == topics[TOPIC_NAMES.index("verdict")]


def test_help_of_a_command_is_its_own() -> None:
    assert program("help", "run").stdout == program("run", "--help").stdout


@pytest.mark.sample_first
@pytest.mark.parametrize(("name", "near"), [("mesuring", "measuring"), ("ruun", "run"), ("verdicts", "verdict")])
def test_an_unknown_topic_is_refused_with_the_nearest_name(name: str, near: str) -> None:
    done = program("help", name)
    assert done.returncode == 2
    assert f"Did you mean '{near}'?" in sentence(done)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has what the commands of the manual name."""
    folder = tmp_path_factory.mktemp("examples")
    (folder / "photos" / "cats").mkdir(parents=True)
    for number in range(3):
        Image.fromarray(np.full((8, 8, 3), number * 40, np.uint8)).save(folder / "photos" / "cats" / f"{number}.png")
    (folder / "labels.csv").write_text("name,label\n0.png,1\n1.png,0\n2.png,1\n")
    (folder / "mine.toml").write_text(code_blocks(load_topic("plans").markdown, "toml")[0])
    done = program("convert", f"folder:{folder / 'photos'}", "lmdb+original", f"{folder / 'photos.lmdb'}", "--quiet")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", TOPIC_NAMES)
def test_every_command_in_a_topic_parses(name: str, examples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(examples)
    commands = list(program_commands(load_topic(name).markdown))
    assert commands
    for arguments in commands:
        words = parse(arguments, monkeypatch)
        if words is not None and arguments[:1] in ([], ["run"]):
            try:
                assert plan_from_arguments(words).specs
            except UnavailableError:  # a server that is not named here, or its client; the words must be right
                specs = [registry.resolve_spec(text, require_available=False) for text in split_specs(words.backends)]
                assert any(registry.backends.get(spec.backend).capabilities.server for spec in specs)
        elif words is not None and arguments[0] == "convert":
            with contextlib.suppress(UnavailableError):  # a store on a server that is not named here
                registry.make_dataset(words.dataset)
            registry.resolve_spec(words.spec, require_available=False)


@pytest.mark.parametrize("name", TOPIC_NAMES)
def test_every_module_that_a_topic_runs_exists_and_has_its_options(name: str) -> None:
    for module, options in modules_called(load_topic(name).markdown):
        spec = importlib.util.find_spec(module)
        assert spec is not None, module
        if module.startswith("tests."):
            source = inspect.getsource(importlib.import_module(module))
            assert all(f'"{option}"' in source for option in options), (module, options)


def test_a_wrong_command_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    block = "imgstore-tui run \\\n    --plam quick && imgstore-tui runs\n"
    commands = list(program_commands(f"Text `imgstore-tui show last --no-such`.\n\n```\n{block}```\n"))
    assert commands == [["run", "--plam", "quick"], ["runs"], ["show", "last", "--no-such"]]
    for arguments in (commands[0], commands[2]):
        with pytest.raises(UsageError):
            parse(arguments, monkeypatch)


def test_the_python_of_the_manual_runs(
    examples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(examples)
    (block,) = code_blocks(load_topic("python").markdown, "python")
    exec(compile(block, "python.md", "exec"), {})
    assert capsys.readouterr().out == "3 (8, 8, 3) 0\n"


@pytest.mark.parametrize("name", ["backend", "house"])
def test_every_path_that_a_topic_names_exists(name: str) -> None:
    codes = re.findall(r"`([^`\n]+)`", load_topic(name).markdown)
    paths = [code for code in codes if re.fullmatch(r"[\w/.]*(/|\.py)", code) and code != "zip_store.py"]
    assert len(paths) > 10
    package = Path(imgstore_tui.__file__).parent
    for path in paths:
        assert any((root / path).exists() for root in (package, package.parent)), path


def test_every_module_that_a_topic_names_exists() -> None:
    groups = {"imgstore_tui.backends", "imgstore_tui.codecs", "imgstore_tui.datasets", "imgstore_tui.exports"}
    names = {name for topic in load_topics() for name in re.findall(r"\bimgstore_tui(?:\.\w+)+", topic.markdown)}
    assert groups <= names
    for name in names - groups:
        assert pkgutil.resolve_name(name) is not None, name


def test_the_house_names_every_room() -> None:
    package = Path(imgstore_tui.__file__).parent
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    rooms |= {f"bench/{path.parent.name}" for path in package.glob("bench/*/__init__.py")}
    named = re.findall(r"`([\w/]+)/`", load_topic("house").markdown)
    assert rooms <= set(named)
