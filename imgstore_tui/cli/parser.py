"""Parses arguments with argparse: an error is one sentence, and long texts keep their lines."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from imgstore_tui.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

RUN_HELP = "the id or name of a run, a file, or last"
"""Help of the argument RUN."""
LAST_RUN = "last"
"""What names the newest run."""


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises UsageError and does not exit."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)
        self._intermixed = False
        """Whether an argument that may be left out may follow an option: argparse alone takes it as left out then."""

    def add_optional_run(self) -> None:
        """Add the argument RUN, which may be left out: the newest run is meant then."""
        self._intermixed = True
        self.add_argument("run", metavar="RUN", nargs="?", default=LAST_RUN, help=f"{RUN_HELP} (default: {LAST_RUN})")

    def parse_args(self, args: Any = None, namespace: Any = None) -> argparse.Namespace:  # type: ignore[override]
        """Return the parsed arguments, as ``argparse`` does."""
        parse = super().parse_intermixed_args if self._intermixed else super().parse_args
        parsed: argparse.Namespace = parse(args, namespace)
        return parsed

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print help or version; argparse itself ignores a failed write."""
        if message:
            stream = file or sys.stderr
            stream.write(message)
            # The program exits next, so a failed write must raise here.
            sys.stdout.flush()

    def error(self, message: str) -> NoReturn:
        """Raise the message as one sentence that names the help to read."""
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown:
            options = [option for action in self._actions for option in action.option_strings]
            message = f"Unknown argument '{unknown[1]}'.{did_you_mean(unknown[1], options)}"
            if "-d" in options and not unknown[1].startswith("-"):
                message += " Data is named with -d, e.g. -d folder:photos."
        else:
            message = message[:1].upper() + message[1:].rstrip(".") + "."
        raise UsageError(f"{message} See {self.prog} --help.")


def check_choice(kind: str, value: str, choices: list[str]) -> str:
    """Return ``value`` if it is one of ``choices``.

    Args:
        kind: What the value is, for the message: ``operation``.
        value: The value that the user wrote.
        choices: The valid values.

    Raises:
        UsageError: If it is not; the message suggests the nearest valid value.
    """
    if value not in choices:
        raise UsageError(f"Unknown {kind} '{value}'.{did_you_mean(value, choices)} Known: {', '.join(choices)}.")
    return value


def split_list(values: list[str]) -> list[str]:
    """Return the items of repeated, comma-separated arguments: ``["a,b", "c"]`` gives ``["a", "b", "c"]``."""
    return [item.strip() for value in values for item in value.split(",") if item.strip()]


def split_specs(values: list[str]) -> list[str]:
    """Return the specs of repeated arguments; a comma separates specs unless an ``OPTION=VALUE`` follows it."""
    specs: list[str] = []
    for value in values:
        joined: list[str] = []
        for part in value.split(","):
            belongs = "=" in part and ":" not in part.partition("=")[0]
            if belongs and joined:
                joined[-1] += f",{part}"
            elif part.strip():
                joined.append(part)
        specs += joined
    return [spec.strip() for spec in specs]
