"""The floors of the house, seen from fresh interpreters: the linter cannot tell a late import from an early one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from imgstore_tui.plugins import registry

DRIVERS = {name.partition(".")[0] for kind in registry.backends.all().values() for name in kind.requires}
SCREEN = {"textual"}


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after running ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint('MODULES', *sys.modules, file=sys.stderr)"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    line = next(line for line in done.stderr.splitlines() if line.startswith("MODULES"))
    return {name.partition(".")[0] for name in line.split()[1:]}


def command(*words: str) -> str:
    return f"import sys\nfrom imgstore_tui.__main__ import main\nsys.argv = {['imgstore-tui', *words]!r}\ntry:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"  # noqa: E501


@pytest.mark.sample_first(2)
@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"], ["show", "--help"]])
def test_help_needs_neither_numpy_nor_a_driver(words: list[str]) -> None:
    assert not modules_after(command(*words)) & ({"numpy", "PIL", "plotext"} | DRIVERS | SCREEN)


@pytest.mark.sample_first(3)
@pytest.mark.parametrize("words", [["backends"], ["backends", "lmdb"], ["codecs"], ["datasets"], ["doctor"], ["runs"]])
def test_lists_load_no_driver_and_no_screen(words: list[str]) -> None:
    assert not modules_after(command(*words)) & (DRIVERS | SCREEN | {"plotext"})


def test_a_headless_run_loads_no_screen_and_opens_no_store_in_its_own_process() -> None:
    loaded = modules_after(
        command("run", "-b", "lmdb", "-n", "1", "--rounds", "1", "-d", "synthetic,size=8", "--quiet")
    )
    assert not loaded & (DRIVERS | SCREEN | {"plotext"})


def test_a_plan_for_the_screen_can_be_made_without_it() -> None:
    loaded = modules_after(
        "import imgstore_tui.bench.run.runner, imgstore_tui.present.charts.text_chart, imgstore_tui.bench.results.state"
    )
    assert not loaded & (SCREEN | {"plotext"} | DRIVERS)
