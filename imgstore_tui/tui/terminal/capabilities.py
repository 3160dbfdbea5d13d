"""What the terminal can do, asked before Textual is loaded; a terminal that cannot show the screen is refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import TextIO

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.watchdog import BROWSER_DRIVER
from imgstore_tui.present.text.ascii import only_ascii

MAX_FPS = 2
"""Repaints a second while a clock runs: more would take from what is measured (DESIGN section 4)."""

SIXTEEN_COLOURS = "terminal-dark"
"""The theme that uses the terminal's own colours."""

_SIXTEEN_COLOUR_TERMS = ("xterm", "screen", "linux", "vt100", "vt220", "ansi", "rxvt", "cygwin", "")


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """How the screen is to be drawn here."""

    theme: str | None
    """Name of a theme; None for the app's own."""
    ascii: bool
    """Whether nothing beyond ASCII may be drawn."""
    animate: bool
    fps: int
    """How many times a second news of a running run is shown."""
    web: bool = False
    """Whether a browser shows it: keys and picture go through the streams, which no word of ours may enter."""


def check_terminal(stdin: TextIO | None, screen: TextIO | None, environment: Mapping[str, str]) -> None:
    """Refuse what cannot show a screen.

    Textual itself starts on both: without a terminal it hangs, and on a dumb one it prints escape codes.

    Args:
        stdin: Where keys come from.
        screen: Where Textual paints: standard error.
        environment: The process environment.

    Raises:
        UnavailableError: With the way to do without a screen.
    """
    instead = "See 'imgstore-tui run --help' for the way without a screen."
    if stdin is None or screen is None or not stdin.isatty() or not screen.isatty():
        raise UnavailableError(f"The screen needs a terminal for its keys (stdin) and its picture (stderr). {instead}")
    if environment.get("TERM") == "dumb":
        raise UnavailableError(f"This terminal calls itself 'dumb', so it cannot show a screen. {instead}")


def settings_for(
    environment: Mapping[str, str],
    encoding: str | None,
    *,
    theme: str | None,
    ascii_only: bool,
    fps: int | None,
    utf8_mode: bool = False,
) -> ScreenSettings:
    """Choose how to draw from what the terminal says of itself; what the caller asks for wins.

    Args:
        environment: The process environment.
        encoding: Encoding of the stream that is painted on.
        theme: Theme asked for.
        ascii_only: Whether ASCII was asked for.
        fps: Repaints a second asked for; never more than ``MAX_FPS``.
        utf8_mode: Whether Python took UTF-8 in place of the locale's encoding.
    """
    # NO_COLOR alone leaves Textual with a thousand shades of true-colour grey; the terminal's own leave none.
    plain = bool(environment.get("NO_COLOR")) or not _many_colours(environment)
    remote = "SSH_CONNECTION" in environment
    return ScreenSettings(
        theme=theme or (SIXTEEN_COLOURS if plain else None),
        ascii=ascii_only
        or not _speaks_utf8(encoding)
        or only_ascii(encoding, environment, utf8_mode=utf8_mode)
        or environment.get("TERM") == "linux",
        animate=not remote and environment.get("TEXTUAL_ANIMATIONS", "full") != "none",
        fps=max(1, min(fps or MAX_FPS, MAX_FPS)),
    )


def _many_colours(environment: Mapping[str, str]) -> bool:
    term = environment.get("TERM", "")
    return environment.get("COLORTERM", "") in ("truecolor", "24bit") or term not in _SIXTEEN_COLOUR_TERMS


def _speaks_utf8(encoding: str | None) -> bool:
    return (encoding or "").lower().replace("-", "").replace("_", "") == "utf8"


def ignore_size_variables(environment: MutableMapping[str, str]) -> None:
    """Let the window's own size count, and not the one that somebody wrote down.

    Shells and readline leave ``COLUMNS`` and ``LINES`` to what they start. They win over the terminal wherever its size
    is asked for, also when it is resized: the screen would keep the size that they say.

    Args:
        environment: This process's environment, from which they are taken.
    """
    for name in ("COLUMNS", "LINES"):
        environment.pop(name, None)


def prepare_terminal(*, theme: str | None, ascii_only: bool, fps: int | None) -> ScreenSettings:
    """Check this process's terminal and choose how to draw on it.

    Raises:
        UnavailableError: If there is no terminal, or a dumb one.
    """
    if os.environ.get("TEXTUAL_DRIVER") == BROWSER_DRIVER:
        fps = max(1, min(fps or MAX_FPS, MAX_FPS))
        return ScreenSettings(theme=theme, ascii=ascii_only, animate=False, fps=fps, web=True)
    screen = sys.__stderr__
    check_terminal(sys.__stdin__, screen, os.environ)
    if fps is not None:
        # Textual reads it when it is loaded: it bounds what keys may cause; news of a run is bounded by the settings.
        os.environ.setdefault("TEXTUAL_FPS", str(fps))
    settings = settings_for(
        os.environ,
        screen.encoding if screen else None,
        theme=theme,
        ascii_only=ascii_only,
        fps=fps,
        utf8_mode=bool(sys.flags.utf8_mode),
    )
    if screen is not None and not _speaks_utf8(screen.encoding):
        # Textual writes through this stream; in another encoding its few non-ASCII glyphs would come out as escapes.
        screen.reconfigure(encoding="utf-8", errors="replace")
    return settings
