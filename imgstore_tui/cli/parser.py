"""argparse with our manners: an error is one sentence, long texts keep their lines."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from imgstore_tui.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

RUN_HELP = "the id or name of a run, a file, or last"
"""What commands take for RUN."""


class CommandParser(argparse.ArgumentParser):
    """An argument parser that raises UsageError instead of leaving."""

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        """Print help or version; argparse's own way keeps silent where that fails."""
        if message:
            stream = file or sys.stderr
            stream.write(message)
            # Leaving follows at once: what cannot be written must be known before.
            sys.stdout.flush()

    def error(self, message: str) -> NoReturn:
        """Raise the message as one sentence that says where to look."""
        unknown = re.match(r"unrecognized arguments: (\S+)", message)
        if unknown:
            options = [word for action in self._actions for word in action.option_strings]
            message = f"Unknown argument '{unknown[1]}'.{did_you_mean(unknown[1], options)}"
            if "-d" in options and not unknown[1].startswith("-"):
                message += " Data is named with -d, e.g. -d folder:photos."
        else:
            message = message[:1].upper() + message[1:].rstrip(".") + "."
        raise UsageError(f"{message} See {self.prog} --help.")


def check_choice(kind: str, word: str, known: list[str]) -> str:
    """Return ``word`` if it is one of ``known``.

    Raises:
        UsageError: If it is not; the nearest right word is named.
    """
    if word not in known:
        raise UsageError(f"Unknown {kind} '{word}'.{did_you_mean(word, known)} Known: {', '.join(known)}.")
    return word


def split_list(values: list[str]) -> list[str]:
    """Return the words of repeated, comma-separated arguments: ``["a,b", "c"]`` gives ``["a", "b", "c"]``."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


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
