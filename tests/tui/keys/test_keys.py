"""Every key that is bound has a check of what it does, and is in the command palette and in the help."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode

import imgstore_tui.tui
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.help import ELSEWHERE, pane_bindings
from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.screen import driven
from tests.tui.keys import dialogs, forms, panes, saved_runs, workbench  # noqa: F401 - they register their checks
from tests.tui.keys.effects import EFFECTS


def bound_keys() -> Iterator[tuple[str, str]]:
    """Yield the class and the key of every binding declared in the package."""
    for module in pkgutil.walk_packages(imgstore_tui.tui.__path__, "imgstore_tui.tui."):
        for name, member in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(member, DOMNode) and member.__module__ == module.name:
                for binding in vars(member).get("BINDINGS", ()):
                    assert isinstance(binding, Binding)
                    assert binding.description, f"{name}: {binding.key} has no description for the command palette"
                    assert binding.tooltip, f"{name}: {binding.key} has no tooltip for the help"
                    for key in binding.key.split(","):
                        yield name, key


def test_every_key_has_a_test_and_every_test_a_key() -> None:
    assert set(bound_keys()) == {(owner, key) for owner, keys in EFFECTS for key in keys}


def _effects() -> Iterator[Any]:
    """Yield the class and the keys of each test; all but the first one of every sixth class are for a full run."""
    seen: set[str] = set()
    for owner, keys in sorted(EFFECTS):
        sampled = owner not in seen and len(seen) % 6 == 0
        yield pytest.param(owner, keys, marks=[] if sampled else [pytest.mark.full])
        seen.add(owner)


@pytest.mark.parametrize(("owner", "keys"), list(_effects()))
async def test_a_key_does_what_it_says(
    owner: str, keys: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as app:
        for key in keys:
            await EFFECTS[owner, keys](app, key)


async def test_every_action_stands_in_the_palette_and_in_the_help() -> None:
    async with driven() as app:
        await app.run()
        await app.press("1")
        offered = {command.help for command in app.app.get_system_commands(app.workbench)}
        for binding in [*Workbench.BINDINGS]:
            assert isinstance(binding, Binding)
            possible = app.workbench.check_action(binding.action.partition("(")[0], ()) is True
            assert (binding.tooltip in offered) is possible, binding.key
        panes = pane_bindings(app.workbench)
        assert len(panes) > 5
        assert ELSEWHERE not in panes
        own = [binding for bindings in panes.values() for binding in bindings]
        await app.press("question_mark")
        await app.until(lambda: "Run the plan" in app.picture)
        keys_help = " ".join(str(app.app.screen.query("Static").first().visual).split())  # type: ignore[attr-defined]
        for binding in [*Workbench.BINDINGS, *own]:
            assert isinstance(binding, Binding)
            assert binding.tooltip in keys_help


@pytest.mark.full
async def test_the_keys_of_a_pane_stand_in_the_palette_while_it_has_the_keys() -> None:
    async with driven() as app:
        await app.run()
        seen = set()
        for pane in PaneName:
            await app.press(pane.key)
            offered = {command.help for command in app.app.get_system_commands(app.workbench)}
            focused = app.workbench.focused
            assert focused is not None
            for widget_class in type(focused).__mro__:
                if not widget_class.__module__.startswith("imgstore_tui."):
                    continue
                for binding in vars(widget_class).get("BINDINGS", ()):
                    possible = focused.check_action(binding.action.partition("(")[0], ()) is True
                    assert (binding.tooltip in offered) is possible, binding.key
                    seen.add(widget_class.__name__)
        assert {"CheckList", "MatrixPane", "GridTable"} <= seen
