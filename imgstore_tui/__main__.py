"""The way in: no command opens the screen, a command runs headless. Each is imported only when needed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgstore_tui.jobs.watchdog import Watchdog


def main() -> None:
    """Run the program and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments and not arguments[0].startswith("-"):
        sys.exit(_run_command(arguments))
    _show_screen(arguments)


def _run_command(arguments: list[str]) -> int:
    from imgstore_tui.cli.main import guarded, run_command

    return guarded(lambda: run_command(arguments))


def _show_screen(arguments: list[str]) -> None:
    """Open the screen and end the process."""
    # Before anything else is loaded: from here on a signal, or a terminal that is closed, ends the program.
    from imgstore_tui.jobs.watchdog import watch_screen

    watchdog = watch_screen()
    from imgstore_tui.cli.main import guarded

    watchdog.end(guarded(lambda: _open_screen(arguments, watchdog)))


def _open_screen(arguments: list[str], watchdog: Watchdog) -> int:
    from imgstore_tui.cli.main import parse_screen_arguments

    words = parse_screen_arguments(arguments)
    from imgstore_tui.tui.terminal.capabilities import prepare_terminal

    settings = prepare_terminal(theme=words.theme, ascii_only=words.ascii, fps=words.fps)
    from imgstore_tui.cli.run import has_plan_arguments, plan_from_arguments

    plan = plan_from_arguments(words) if has_plan_arguments(words) else None
    from imgstore_tui.tui.app import run_app

    return run_app(settings, mouse=not words.no_mouse, plan=plan, watchdog=watchdog)


if __name__ == "__main__":
    main()
