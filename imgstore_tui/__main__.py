"""The way in: no command opens the screen, a command runs headless. Each is imported only when needed."""

from __future__ import annotations

import sys

from imgstore_tui.cli.main import guarded, parse_screen_arguments, run_command


def main() -> None:
    """Run the program and leave with its exit code."""
    arguments = sys.argv[1:]
    if arguments and not arguments[0].startswith("-"):
        sys.exit(guarded(lambda: run_command(arguments)))
    sys.exit(guarded(lambda: _open_screen(arguments)))


def _open_screen(arguments: list[str]) -> int:
    words = parse_screen_arguments(arguments)
    from imgstore_tui.tui.terminal.capabilities import open_gate

    settings = open_gate(theme=words.theme, ascii_only=words.ascii, fps=words.fps)
    from imgstore_tui.cli.run import names_plan, plan_of

    plan = plan_of(words) if names_plan(words) else None
    from imgstore_tui.tui.app import run_app

    return run_app(settings, mouse=not words.no_mouse, plan=plan)


if __name__ == "__main__":
    main()
