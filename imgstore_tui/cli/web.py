"""``imgstore-tui web``: the screen in a browser of this machine, or at the other end of an SSH tunnel."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.install_hint import install_command

DEFAULT_PORT = 8765
REQUIRES = ("textual_serve", "aiohttp")
"""Import names of what serves the page."""


def how_to_get() -> str:
    """Return the command that installs what is missing; empty where nothing is."""
    if all(importlib.util.find_spec(name) is not None for name in REQUIRES):
        return ""
    return install_command("imgstore_tui", "web", ["textual-serve"])


def main(arguments: Sequence[str]) -> int:
    """Serve the screen until it is interrupted."""
    parser = CommandParser(
        prog="imgstore-tui web",
        description="Serve the screen to a browser on this machine (127.0.0.1); nothing is loaded from elsewhere.\n"
        "From another machine: ssh -L 8765:127.0.0.1:8765 HOST, then open the printed address there.",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help="default 8765; 0 for any free one")
    words = parser.parse_args(arguments)
    if not 0 <= words.port <= 65535:
        raise UsageError(f"--port takes 0 to 65535, not {words.port}.")
    if get := how_to_get():
        raise UnavailableError(f"'web' needs textual-serve, not installed. Run: {get}")
    from imgstore_tui.cli.web_server import serve

    return serve(words.port)
