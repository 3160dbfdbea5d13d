"""Finds the commands in a Markdown page and parses them with the program's own parsers."""

from __future__ import annotations

import importlib
import re
import shlex
from argparse import Namespace
from collections.abc import Iterator

import pytest

from imgstore_tui.cli.main import COMMANDS, parse_screen_arguments
from imgstore_tui.cli.parser import CommandParser

PROGRAM = "imgstore-tui"
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")


class _ParsedError(Exception):
    """Ends a command as soon as its arguments are parsed."""


def code_blocks(markdown: str, language: str) -> list[str]:
    """Return the fenced blocks of a language; the language of shell commands is empty or ``sh``."""
    return [body for name, body in _FENCE.findall(markdown) if name == language]


def shell_lines(markdown: str) -> list[str]:
    """Return the command lines of all shell blocks, joined where a backslash ends a line."""
    text = "".join(code_blocks(markdown, "") + code_blocks(markdown, "sh")).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip()]


def program_commands(markdown: str) -> Iterator[list[str]]:
    """Yield the arguments of every call of the program, in blocks and in the text."""
    text = _FENCE.sub("", markdown)
    for line in [*shell_lines(markdown), *(code for code in _INLINE.findall(text) if code.startswith(f"{PROGRAM} "))]:
        words = shlex.split(line, comments=True)
        starts = [place for place, word in enumerate(words) if word.rpartition("/")[2] == PROGRAM]
        for start in starts:
            rest = words[start + 1 :]
            yield rest[: rest.index("&&")] if "&&" in rest else rest


def modules_called(markdown: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the module and the options of every ``python -m MODULE`` in blocks and in the text."""
    inline = [code for code in _INLINE.findall(_FENCE.sub("", markdown)) if code.startswith("python -m ")]
    for line in [*shell_lines(markdown), *inline]:
        if called := re.search(r"python -m (\S+)(.*)", line):
            yield called[1], [word for word in shlex.split(called[2], comments=True) if word.startswith("-")]


def parse(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> Namespace | None:
    """Return what the program makes of arguments, without running anything; None where they ask for help.

    Raises:
        UsageError: If the program refuses them.
    """
    if not arguments or arguments[0].startswith("-"):
        return parse_screen_arguments(arguments)
    name, *rest = arguments
    assert name in COMMANDS, f"{PROGRAM} {' '.join(arguments)}"
    if "--help" in rest or "COMMAND" in arguments:
        return None
    parsed: list[Namespace] = []
    real = CommandParser.parse_args

    def parse_only(parser: CommandParser, words: list[str]) -> Namespace:
        parsed.append(real(parser, words))
        raise _ParsedError

    with monkeypatch.context() as patch:
        patch.setattr(CommandParser, "parse_args", parse_only)
        command = importlib.import_module(f"imgstore_tui.cli.{name}")
        # What opens the screen only parses.
        call = command.main if hasattr(command, "main") else command.parse_replay
        with pytest.raises(_ParsedError):
            call(rest)
    return parsed[0]
