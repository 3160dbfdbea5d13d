"""The script of a shell completes commands, arguments and runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from imgstore_tui.cli.main import COMMANDS
from tests.support.program import program, sentence

_ASK = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}
_shtab_imgstore_tui
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(name="script", scope="module")
def _script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("shtab", reason="shtab is not installed (extra completion)")
    path = tmp_path_factory.mktemp("completion") / "imgstore-tui.bash"
    done = program("completion", "bash")
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout)
    return path


def offered(script: Path, *words: str, home: str = "") -> list[str]:
    """Return what bash offers for the last of these words."""
    bash = shutil.which("bash") or pytest.fail("bash is not installed")
    environment = {"PATH": "/usr/bin:/bin", "IMGSTORE_TUI_HOME": home}
    done = subprocess.run(
        [bash, "-c", _ASK, "bash", str(script), "imgstore-tui", *words],
        capture_output=True, text=True, check=True, env=environment, cwd=script.parent,
    )  # fmt: skip
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (["re"], {"resume", "rename", "replay"}),
        (["run", "-b", "lm"], {"lmdb"}),
        (["run", "-o", "write"], {"write-one", "write-many"}),
        (["run", "--plan", "art"], {"article"}),
        (["export", "last", "-f", "p"], {"png", "pdf"}),
        (["show", "last", "ch"], {"charts"}),
        (["backends", "hd"], {"hdf5"}),
        (["servers", "up", "postg"], {"postgres"}),
        (["datasets", "fe"], {"fetch"}),
        (["help", "noteb"], {"notebook"}),
        (["show", "--js"], {"--json"}),
    ],
)
def test_bash_offers_what_fits(script: Path, words: list[str], there: set[str]) -> None:
    assert set(offered(script, *words)) == there


def test_bash_offers_every_command_and_the_saved_runs(script: Path, tmp_path: Path) -> None:
    assert set(COMMANDS) <= set(offered(script, ""))
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "20270101-000000-quick.jsonl").touch()
    assert offered(script, "show", "2027", home=str(tmp_path)) == ["20270101-000000-quick"]
    assert "last" in offered(script, "resume", "la", home=str(tmp_path))


def test_there_is_a_script_for_zsh(script: Path) -> None:
    printed = program("completion", "zsh").stdout
    assert printed.startswith("#compdef imgstore-tui")
    assert "_imgstore_tui_runs" in printed


def test_an_unknown_shell_is_refused() -> None:
    done = program("completion", "fish")
    assert done.returncode == 2
    assert "Known: bash, zsh." in sentence(done)
