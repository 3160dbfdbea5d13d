"""The gate lets in what can show a screen, refuses the rest in a sentence, and never loads Textual."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest

from imgstore_tui.core.errors import ExitCode, UnavailableError
from imgstore_tui.tui.terminal.capabilities import check_terminal, settings_for


class Terminal(io.StringIO):
    questions = 0

    def isatty(self) -> bool:
        self.questions += 1
        return True


def settings(
    environment: dict[str, str], encoding: str = "utf-8", *, theme: str | None = None, fps: int | None = None
) -> tuple[str | None, bool, bool, int]:
    terminal = settings_for(environment, encoding, theme=theme, ascii_only=False, fps=fps)
    return terminal.theme, terminal.ascii, terminal.animate, terminal.fps


def test_a_terminal_is_let_in() -> None:
    keys, picture = Terminal(), Terminal()
    check_terminal(keys, picture, {"TERM": "xterm-256color"})
    assert (keys.questions, picture.questions) == (1, 1)


@pytest.mark.parametrize(
    ("stdin", "screen", "term"),
    [
        (None, Terminal(), "xterm"),
        (io.StringIO(), Terminal(), "xterm"),
        (Terminal(), io.StringIO(), "xterm"),
        (Terminal(), None, "xterm"),
        (Terminal(), Terminal(), "dumb"),
    ],
)
def test_what_cannot_show_a_screen_is_refused_with_the_way_out(
    stdin: io.StringIO | None, screen: io.StringIO | None, term: str
) -> None:
    with pytest.raises(UnavailableError, match="imgstore-tui run --help") as refused:
        check_terminal(stdin, screen, {"TERM": term})
    assert refused.value.exit_code is ExitCode.ENVIRONMENT
    assert "\n" not in str(refused.value)


def test_true_colour_gets_the_own_theme_and_moves() -> None:
    assert settings({"TERM": "xterm-256color", "COLORTERM": "truecolor"}) == (None, False, True, 2)


def test_256_colours_get_the_own_theme() -> None:
    assert settings({"TERM": "screen-256color"})[0] is None


@pytest.mark.parametrize("environment", [{"TERM": "xterm"}, {"TERM": "vt100"}, {}, {"TERM": "x-256", "NO_COLOR": "1"}])
def test_few_or_no_colours_get_the_terminals_own(environment: dict[str, str]) -> None:
    assert settings(environment)[0] == "terminal-dark"


def test_a_theme_that_was_asked_for_wins() -> None:
    assert settings({"TERM": "xterm"}, theme="lightbox")[0] == "lightbox"


@pytest.mark.parametrize(
    ("encoding", "ascii_only"), [("utf-8", False), ("UTF8", False), ("latin-1", True), ("ascii", True)]
)
def test_an_encoding_without_braille_gets_ascii(encoding: str, ascii_only: bool) -> None:
    assert settings({"TERM": "xterm-256color"}, encoding)[1] is ascii_only


def test_the_linux_console_has_no_braille_either() -> None:
    assert settings({"TERM": "linux"})[1]


def test_ssh_keeps_still() -> None:
    assert settings({"TERM": "xterm-256color", "SSH_CONNECTION": "a b c d"})[2] is False


@pytest.mark.parametrize(("fps", "most"), [(None, 2), (1, 1), (2, 2), (30, 2)])
def test_never_more_than_two_repaints_a_second_while_a_clock_runs(fps: int | None, most: int) -> None:
    assert settings({"TERM": "xterm-256color"}, fps=fps)[3] == most


def test_the_gate_loads_no_textual() -> None:
    code = (
        "import sys, imgstore_tui.tui.terminal.capabilities; "
        "sys.exit(any(name.startswith(('textual', 'rich')) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
