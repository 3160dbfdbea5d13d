"""What must not end the program."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.screen import ModalScreen

from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.screen import driven


@pytest.mark.sample_first
@pytest.mark.parametrize("action", ["action_command_palette", "action_change_theme"])
async def test_a_palette_that_is_closed_while_it_looks_for_commands_ends_nothing(
    action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    met = []

    def too_late(*_: object) -> None:
        met.append(1)
        raise NoMatches

    # What Textual meets when the list that it wants to fill has gone.
    monkeypatch.setattr(CommandPalette, "_refresh_command_list", too_late)
    async with driven() as app:
        getattr(app.app, action)()
        await app.until(lambda: bool(met))
        await app.press("escape")
        await app.until(lambda: app.shows(Workbench))


@pytest.mark.sample_first
@pytest.mark.parametrize("key", ["question_mark", "d", "c", "o", "w", "f", "ctrl+p"])
async def test_what_is_closed_twice_takes_nothing_else_away(key: str) -> None:
    async with driven() as app:
        await app.press(key)
        dialog = app.app.screen
        assert isinstance(dialog, ModalScreen)
        # As when a key comes twice before the first is heeded.
        for _ in range(3):
            dialog.dismiss(None)
        await app.until(lambda: app.shows(Workbench))
        assert app.app.screen is app.workbench


@pytest.mark.sample_first
@pytest.mark.parametrize("action", ["action_page_up", "action_page_down"])
async def test_a_list_without_any_room_can_be_paged(action: str) -> None:
    async with driven() as app:
        storage = app.workbench.panes.choose.storage
        storage.styles.height = 0
        await app.pilot.pause()
        storage._clear_caches()
        getattr(storage, action)()
        assert storage.highlighted is not None


async def test_a_palette_is_opened_again_while_the_last_one_goes() -> None:
    async with driven() as app:
        for _ in range(2):
            app.app.action_command_palette()
            front = app.app.screen
            assert isinstance(front, CommandPalette)
            front.dismiss(None)
        await app.until(lambda: app.shows(Workbench))
