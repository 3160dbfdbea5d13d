"""Starts the program: the screen without a command, else the command; each is imported only when needed."""

from __future__ import annotations

import sys

# What ``signal`` is made of: it is loaded with every interpreter, and ``signal`` itself takes milliseconds.
from _signal import (  # type: ignore[import-not-found]
    SIG_DFL,
    SIG_IGN,
    SIGINT,
    getsignal,
    signal,
)


def main() -> None:
    """Run the program and exit with its code."""
    if getsignal(SIGINT) is not SIG_IGN:
        # Until a handler of our own is loaded: Python's would print a traceback.
        signal(SIGINT, SIG_DFL)
    argv = sys.argv[1:]
    if argv and argv[0] != "replay" and not argv[0].startswith("-"):
        sys.exit(_run_command(argv))
    _show_screen(argv)


def _run_command(argv: list[str]) -> int:
    from imgstore_tui.cli import interrupt

    interrupt.end_at_once()
    from imgstore_tui.cli.main import guarded, run_command

    code = guarded(lambda: run_command(argv))
    interrupt.end_at_once()
    return code


def _show_screen(argv: list[str]) -> None:
    """Open the screen and end the process."""
    # Before anything else is loaded: from here on a signal, or a terminal that is closed, ends the program.
    from imgstore_tui.jobs.watchdog import watch_screen

    watchdog = watch_screen()
    from imgstore_tui.cli.main import guarded, parse_screen_arguments

    def open_screen() -> int:
        plan = replay = fps = None
        if argv[:1] == ["replay"]:
            from imgstore_tui.cli.replay import parse_replay

            arguments, replay = parse_replay(argv[1:])
        else:
            arguments = parse_screen_arguments(argv)
            fps = arguments.fps
        from imgstore_tui.tui.terminal.capabilities import prepare_terminal

        settings = prepare_terminal(theme=arguments.theme, ascii_only=arguments.ascii, fps=fps)
        if replay is None:
            from imgstore_tui.cli.plan_arguments import has_plan_arguments, plan_from_arguments

            plan = plan_from_arguments(arguments) if has_plan_arguments(arguments) else None
        from imgstore_tui.tui.app import run_app

        return run_app(settings, mouse=not arguments.no_mouse, plan=plan, watchdog=watchdog, replay=replay)

    watchdog.end(guarded(open_screen))


if __name__ == "__main__":
    main()
