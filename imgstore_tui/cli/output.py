"""Opens the consoles: results go to standard output, messages to standard error."""

from __future__ import annotations

import os
import shutil
import sys

from rich.console import Console

PIPE_WIDTH = 110
"""Columns of tables that go to a file or a pipe."""


def data_console() -> Console:
    """Return the console for results."""
    return Console(width=output_width(), soft_wrap=False, highlight=False, markup=False, emoji=False)


def talk_console(*, quiet: bool = False) -> Console:
    """Return the console for progress and warnings."""
    return Console(stderr=True, quiet=quiet, highlight=False, markup=False, emoji=False)


def output_width() -> int:
    """Return how many columns results may take."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return max(40, shutil.get_terminal_size().columns)
    return PIPE_WIDTH


def ascii_only() -> bool:
    """Return whether standard output can only write ASCII."""
    return "utf" not in (sys.stdout.encoding or "ascii").lower()
