"""Runs a command and turns every error into a sentence on standard error and an exit code."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from typing import Protocol

from imgstore_tui import __version__
from imgstore_tui.cli import interrupt
from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import ExitCode, ImgstoreError, UsageError, unknown_name

COMMANDS = {
    "run": "measure storage methods and print tables",
    "show": "print the tables and charts of a saved run",
    "advise": "advise which method to take, by what the images are for",
    "damage": "measure what one flipped byte costs",
    "export": "export a run: CSV, JSON, Markdown, HTML, LaTeX, charts",
    "compare": "compare runs, each with the first",
    "convert": "convert a dataset to a store, and verify it",
    "runs": "list the saved runs",
    "resume": "finish a run that was stopped or interrupted",
    "replay": "play a saved run on the screen as it went",
    "rename": "give a saved run a name",
    "delete": "delete a saved run",
    "sweep": "remove stores left behind by runs that were killed",
    "servers": "start servers that are installed here, list and end them",
    "backends": "list the storage backends, and how to get those that are missing",
    "codecs": "list the codecs",
    "datasets": "list the sources of images",
    "web": "serve the screen to a browser on this machine",
    "doctor": "report what this machine can and cannot measure",
    "completion": "print a script that completes commands and arguments in a shell",
    "help": "explain a topic; without one, list the topics",
}


class Command(Protocol):
    """A module of this package that is a command."""

    def main(self, argv: Sequence[str]) -> int:
        """Run the command and return the exit code."""


def guarded(action: Callable[[], int]) -> int:
    """Call a function and return its exit code; print an error as one sentence on standard error."""
    if sys.stdout is None or sys.stderr is None:
        # A stream was closed before the program started: discard what is written to it.
        sys.stdout, sys.stderr = sys.stdout or open(os.devnull, "w"), sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115 - it is closed with the process
    try:
        code = action()
        sys.stdout.flush()
    except ImgstoreError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("Interrupted.", ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader has closed the pipe (as in `... | head`). Redirect, so that Python does not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return ExitCode.TRIALS_FAILED
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _fail(f"{error.strerror or error}{where}.", ExitCode.ENVIRONMENT)
    else:
        return code


def _fail(sentence: str, code: ExitCode) -> int:
    from imgstore_tui.core.text import safe_text

    with contextlib.suppress(OSError):
        sys.stderr.write(f"imgstore-tui: {safe_text(sentence)}\n")
    return code


def run_command(argv: Sequence[str]) -> int:
    """Run the command that the first argument names.

    Raises:
        UsageError: If there is no such command.
    """
    name, *rest = argv
    if name not in COMMANDS:
        raise unknown_name("command", name, COMMANDS)
    command: Command = importlib.import_module(f"imgstore_tui.cli.{name}")
    interrupt.interrupt_between_imports()
    return command.main(rest)


def parse_screen_arguments(argv: Sequence[str]) -> Namespace:
    """Parse the arguments of the program without a command.

    Raises:
        UsageError: If an argument is unknown or out of range.
    """
    arguments: Namespace = make_parser().parse_args(argv)
    if arguments.fps is not None and not 1 <= arguments.fps <= 30:
        raise UsageError(f"--fps takes 1 to 30 repaints a second, not {arguments.fps}.")
    return arguments


def make_parser() -> CommandParser:
    """Return the parser of the program without a command."""
    from imgstore_tui.cli.plan_arguments import add_plan_arguments

    width = max(len(name) for name in COMMANDS)
    commands = "\n".join(f"  {name:{width}}  {summary}" for name, summary in COMMANDS.items())
    parser = CommandParser(
        prog="imgstore-tui",
        usage="imgstore-tui [--theme NAME] [--ascii] [--no-mouse] [--fps N] [--plan NAME] [-d DATASET] ...\n"
        "       imgstore-tui COMMAND ...",
        description="How should I store my images? Measured with your own images, on your own machine.\n"
        "Without a command it opens the screen, with your last choice or with the plan that the arguments describe.",
        epilog=f"commands:\n{commands}\n\nFor more about one of them: imgstore-tui COMMAND --help. "
        "The manual: imgstore-tui help.",
    )
    parser.add_argument("--version", action="version", version=f"imgstore-tui {__version__}")
    parser.add_argument("--theme", metavar="NAME", help="colour theme of the screen")
    parser.add_argument("--ascii", action="store_true", help="draw with ASCII characters only")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--fps", type=int, metavar="N", help="most repaints per second while nothing is measured")
    add_plan_arguments(parser)
    return parser
