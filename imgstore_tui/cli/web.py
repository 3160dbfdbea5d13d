"""``imgstore-tui web``: serves the screen to a browser on this machine, or through an SSH tunnel."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from imgstore_tui.cli.parser import CommandParser
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.install_hint import install_command

DEFAULT_PORT = 8765
REQUIRES = ("textual_serve", "aiohttp")
"""Import names of the libraries that serve the page."""


def how_to_get() -> str:
    """Return the command that installs what is missing; empty if nothing is missing."""
    if all(importlib.util.find_spec(name) is not None for name in REQUIRES):
        return ""
    return install_command("imgstore_tui", "web", ["textual-serve"])


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        prog="imgstore-tui web",
        description="Serve the screen to a browser on this machine (127.0.0.1); nothing is loaded from elsewhere.\n"
        "From another machine: ssh -L 8765:127.0.0.1:8765 HOST, then open the printed address there.",
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, metavar="N", help="default 8765; 0 for any free one")
    return parser


def main(argv: Sequence[str]) -> int:
    """Serve the screen until it is interrupted."""
    arguments = make_parser().parse_args(argv)
    if not 0 <= arguments.port <= 65535:
        raise UsageError(f"--port takes 0 to 65535, not {arguments.port}.")
    if command := how_to_get():
        raise UnavailableError(f"'web' needs textual-serve, not installed. Run: {command}")
    from imgstore_tui.cli.web_server import serve

    return serve(arguments.port)
