"""Collects the checks of what keys do, by class and keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.screen import Driven

KeyCheck = Callable[[Driven, str], Awaitable[None]]

EFFECTS: dict[tuple[str, tuple[str, ...]], KeyCheck] = {}
"""Checks by the class that binds and the keys that they press, one after the other in one app."""


def effect(owner: str, *keys: str) -> Callable[[KeyCheck], KeyCheck]:
    """Register a check of what these keys of ``owner`` do."""

    def keep(check: KeyCheck) -> KeyCheck:
        EFFECTS[owner, keys] = check
        return check

    return keep


async def run_once(app: Driven) -> bool:
    """Run unless an earlier key of the same check has; return whether it ran now."""
    first = app.workbench.results is None
    if first:
        await app.run()
    return first


async def closes(app: Driven, key: str) -> None:
    """KeyCheck that a key closes the dialog in front, and not the app."""
    await app.press(key)
    assert app.shows(Workbench)
    assert not app.app.leaving.is_set()
