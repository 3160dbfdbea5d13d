"""``imgstore-tui completion``: prints a script by which a shell completes the commands and their arguments."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from imgstore_tui.cli.output import data_console
from imgstore_tui.cli.parser import CommandParser, check_choice
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.core.install_hint import install_command

SHELLS = ("bash", "zsh")
REQUIRES = ("shtab",)
"""Import names of the library that writes the scripts."""

_RUNS = {
    "bash": """\
_imgstore_tui_runs() {
  local folder="${IMGSTORE_TUI_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/imgstore-tui}/runs" path
  local words="last"
  for path in "$folder"/*.jsonl; do
    [ -e "$path" ] && path="${path##*/}" && words="$words ${path%.jsonl}"
  done
  compgen -W "$words" -- "$1"
  compgen -f -- "$1"
}
""",
    "zsh": """\
_imgstore_tui_runs() {
  local -a ids
  ids=(last ${IMGSTORE_TUI_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/imgstore-tui}/runs/*.jsonl(N:t:r))
  compadd -a ids
  _files
}
""",
}
"""Completes a run: ``last``, the ids of saved runs, files."""


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui completion",
        description="Print a script by which a shell completes the commands and their arguments.",
        epilog='bash: eval "$(imgstore-tui completion bash)", in ~/.bashrc to keep it.\n'
        "zsh:  imgstore-tui completion zsh > _imgstore-tui, in a folder of $fpath.",
    )
    parser.add_argument("shell", metavar="SHELL", help=", ".join(SHELLS))
    return parser


def how_to_get() -> str:
    """Return the command that installs what is missing; empty if nothing is missing."""
    if all(importlib.util.find_spec(name) is not None for name in REQUIRES):
        return ""
    return install_command("imgstore_tui", "completion", ["shtab"])


def main(argv: Sequence[str]) -> int:
    """Print the script of a shell.

    Raises:
        UsageError: If there is none for the shell.
        UnavailableError: If the library that writes it is missing.
    """
    shell = check_choice("shell", make_parser().parse_args(argv).shell, list(SHELLS))
    if command := how_to_get():
        raise UnavailableError(f"'completion' needs shtab, not installed. Run: {command}")
    import shtab

    data_console().file.write(shtab.complete(whole_parser(), shell=shell, preamble=_RUNS) + "\n")
    return 0


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser of the program with all its commands, whose arguments know what completes them.

    It is for scripts alone: what it takes as choices are words to begin with, such as a backend without its options.
    """
    from imgstore_tui.cli import servers
    from imgstore_tui.cli.main import COMMANDS
    from imgstore_tui.cli.main import make_parser as screen_parser

    whole = screen_parser()
    commands = whole.add_subparsers(dest="command", parser_class=argparse.ArgumentParser)
    for name, summary in COMMANDS.items():
        if name == "servers":
            _add_group(commands, name, summary, {key: servers.make_parser(key) for key in servers.ACTIONS})
            continue
        own: CommandParser = importlib.import_module(f"imgstore_tui.cli.{name}").make_parser()
        _add(commands, name, summary, own)
    _set_completions(whole)
    return whole


def _add(commands: Any, name: str, summary: str, parser: argparse.ArgumentParser) -> None:
    # Only the line of help, without its formats: shells show it beside the word.
    commands.add_parser(name, help=summary.replace("%", "%%"), parents=[parser], add_help=False)


def _add_group(commands: Any, name: str, summary: str, parsers: dict[str, CommandParser]) -> None:
    group = commands.add_parser(name, help=summary)
    actions = group.add_subparsers(dest="action", parser_class=argparse.ArgumentParser)
    for key, parser in parsers.items():
        _add(actions, key, parser.description or key, parser)


def _set_completions(parser: argparse.ArgumentParser) -> None:
    """Tell the arguments of a parser and of its commands what completes them."""
    from imgstore_tui.bench.plan.plans import PLAN_NAMES
    from imgstore_tui.cli.main import COMMANDS
    from imgstore_tui.cli.show import PARTS
    from imgstore_tui.core.operations import CacheState, Operation, Payload, SyncLevel
    from imgstore_tui.jobs.servers import catalogue
    from imgstore_tui.plugins import registry
    from imgstore_tui.present import exports
    from imgstore_tui.present.charts.figures import ChartKind
    from imgstore_tui.present.help import TOPIC_NAMES

    words: dict[str, Iterable[str]] = {
        "backends": registry.backends.all(), "operations": list(Operation), "datasets": registry.datasets.all(),
        "plan": PLAN_NAMES, "payload": list(Payload), "cache": list(CacheState), "sync": list(SyncLevel),
        "format": exports.names(), "part": PARTS, "chart": list(ChartKind), "topic": [*TOPIC_NAMES, *COMMANDS],
        "spec": registry.backends.all(), "dataset": registry.datasets.all(), "shell": SHELLS,
    }  # fmt: skip
    named: dict[str, Iterable[str]] = {
        "backends": registry.backends.all(), "codecs": registry.codecs.all(),
        "datasets": [*registry.datasets.all(), "fetch"], "servers": catalogue.all_recipes(),
    }  # fmt: skip
    for name, command in _commands(parser):
        for action in command._actions:
            own = named.get(name) if action.metavar == "NAME" else None
            _set_completion(action, own or words.get(action.dest, ()))


def _set_completion(action: argparse.Action, words: Iterable[str]) -> None:
    import shtab

    if action.metavar == "RUN":
        action.complete = dict.fromkeys(SHELLS, "_imgstore_tui_runs")  # type: ignore[attr-defined]
    elif action.metavar == "FILE":
        action.complete = shtab.FILE  # type: ignore[attr-defined]
    elif action.metavar in ("DIR", "DESTINATION"):
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif words and action.choices is None:
        action.choices = [str(word) for word in words]


def _commands(parser: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield a parser and all below it, each with the name of its command."""
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below, command in action.choices.items():
                yield from _commands(command, name or below)
