"""Starts the program: the screen without a command, else the command; each is imported only when needed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgstore_tui.jobs.watchdog import Watchdog


def main() -> None:
    """Run the program and exit with its code."""
    argv = sys.argv[1:]
    if argv and not argv[0].startswith("-"):
        sys.exit(_run_command(argv))
    _show_screen(argv)


def _run_command(argv: list[str]) -> int:
    from imgstore_tui.cli.main import guarded, run_command

    return guarded(lambda: run_command(argv))


def _show_screen(argv: list[str]) -> None:
    """Open the screen and end the process."""
    # Before anything else is loaded: from here on a signal, or a terminal that is closed, ends the program.
    from imgstore_tui.jobs.watchdog import watch_screen

    watchdog = watch_screen()
    from imgstore_tui.cli.main import guarded

    watchdog.end(guarded(lambda: _open_screen(argv, watchdog)))


def _open_screen(argv: list[str], watchdog: Watchdog) -> int:
    from imgstore_tui.cli.main import parse_screen_arguments

    arguments = parse_screen_arguments(argv)
    from imgstore_tui.tui.terminal.capabilities import prepare_terminal

    settings = prepare_terminal(theme=arguments.theme, ascii_only=arguments.ascii, fps=arguments.fps)
    from imgstore_tui.cli.plan_arguments import has_plan_arguments, plan_from_arguments

    plan = plan_from_arguments(arguments) if has_plan_arguments(arguments) else None
    from imgstore_tui.tui.app import run_app

    return run_app(settings, mouse=not arguments.no_mouse, plan=plan, watchdog=watchdog)


if __name__ == "__main__":
    main()
