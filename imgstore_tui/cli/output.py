"""Opens the consoles: results go to standard output, messages to standard error."""

from __future__ import annotations

import os
import shutil
import sys

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from imgstore_tui.present.text.ascii import ascii_text, only_ascii

PIPE_WIDTH = 110
"""Columns of tables that go to a file or a pipe."""


class _AsciiRenderable:
    """Anything printable, in ASCII and of the same width."""

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(ascii_text(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)


class _AsciiHook(RenderHook):
    """Prints ASCII, where the terminal shows nothing else."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return what is printed in place of ``renderables``."""
        return [_AsciiRenderable(entry) for entry in renderables]


def data_console() -> Console:
    """Return the console for results; what is written to its ``file`` is data and stays as it is."""
    console = Console(width=output_width(), soft_wrap=False, highlight=False, markup=False, emoji=False)
    return _for_terminal(console)


def talk_console(*, quiet: bool = False) -> Console:
    """Return the console for progress and warnings."""
    return _for_terminal(Console(stderr=True, quiet=quiet, highlight=False, markup=False, emoji=False))


def _for_terminal(console: Console) -> Console:
    if ascii_only():
        console.push_render_hook(_AsciiHook())
    return console


def output_width() -> int:
    """Return how many columns results may take."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return max(40, shutil.get_terminal_size().columns)
    return PIPE_WIDTH


def ascii_only() -> bool:
    """Return whether standard output shows ASCII only: by its encoding, or by the locale C."""
    return only_ascii(sys.stdout.encoding, os.environ, utf8_mode=bool(sys.flags.utf8_mode))
