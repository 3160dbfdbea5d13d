"""Checks the keys of the other dialogs: report, detail, help, quitting, export."""

from __future__ import annotations

from imgstore_tui.plugins import registry
from imgstore_tui.present.help import load_topic
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.tui.screens.advice import AdviceScreen
from imgstore_tui.tui.screens.detail import DetailScreen
from imgstore_tui.tui.screens.help import HelpScreen, TopicList, TopicPage
from imgstore_tui.tui.screens.jump import JumpScreen
from imgstore_tui.tui.screens.leave import LeaveScreen
from imgstore_tui.tui.screens.present import PresentScreen
from imgstore_tui.tui.screens.report import ReportScreen
from imgstore_tui.tui.screens.server import ServerScreen
from imgstore_tui.tui.screens.use import UseScreen
from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.screen import Driven
from tests.tui.keys.effects import closes, effect, run_once


@effect("ReportScreen", "escape", "enter", "q")
async def _close_report(app: Driven, key: str) -> None:
    await run_once(app)
    await app.press("5", "enter")
    assert app.shows(ReportScreen)
    await closes(app, key)


@effect("AdviceScreen", "escape", "enter", "q")
async def _close_advice(app: Driven, key: str) -> None:
    await run_once(app)
    await app.press("j")
    await app.write("advice")
    await app.press("enter")
    assert app.shows(AdviceScreen)
    await closes(app, key)


@effect("UseScreen", "escape", "q")
async def _leave_the_use_open(app: Driven, key: str) -> None:
    before = app.workbench.choice
    await app.press("U")
    assert app.shows(UseScreen)
    await closes(app, key)
    assert app.workbench.choice == before


@effect("ServerScreen", "escape")
async def _name_no_server(app: Driven, key: str) -> None:
    backend = registry.backends.get("postgres")
    assert issubclass(backend, ServerBackend)
    app.app.push_screen(ServerScreen(backend))
    await app.until(lambda: "Server of postgres" in app.picture)
    await closes(app, key)


@effect("DetailScreen", "escape", "enter", "q")
async def _close_detail(app: Driven, key: str) -> None:
    await run_once(app)
    await app.press("6", "enter")
    assert app.shows(DetailScreen)
    await closes(app, key)


@effect("DetailScreen", "C")
async def _copy_detail(app: Driven, key: str) -> None:
    await app.run()
    await app.press("6", "enter", key)
    assert app.app.clipboard.startswith("disk, write-one, 1 image")
    assert "round 1" in app.app.clipboard


@effect("JumpScreen", "down", "up")
async def _move_in_list(app: Driven, key: str) -> None:
    if not app.shows(JumpScreen):
        await app.run()
        await app.press("j")
    await app.press(key)
    screen = app.app.screen
    assert isinstance(screen, JumpScreen)
    assert screen.entries.highlighted == (1 if key == "down" else 0)


@effect("JumpScreen", "escape")
async def _close_list(app: Driven, key: str) -> None:
    await app.run()
    await app.press("j")
    assert app.shows(JumpScreen)
    await closes(app, key)


@effect("PresentScreen", "space", "left", "right", "backspace", "enter")
async def _turn_pages(app: Driven, key: str) -> None:
    if not app.shows(PresentScreen):
        await app.run()
        await app.press("P")
        await app.until(lambda: " 1 of " in app.picture and "Write many" in app.picture)
    await app.press(key)
    here = "1" if key in ("left", "backspace") else "2"
    await app.until(lambda: f" {here} of " in app.picture)
    await app.until(lambda: ("Read many" in app.picture) is (here == "2"))


@effect("PresentScreen", "escape", "q")
async def _close_presentation(app: Driven, key: str) -> None:
    await run_once(app)
    await app.press("P")
    assert app.shows(PresentScreen)
    await closes(app, key)


@effect("DetailScreen", "right", "left")
async def _step_in_detail(app: Driven, key: str) -> None:
    if not app.shows(DetailScreen):
        await app.run()
        await app.press("6", "g", "enter")
    await app.press(key)
    assert f"disk, write-many, {'10 images' if key == 'right' else '1 image,'}" in app.picture


@effect("HelpScreen", "escape", "q", "question_mark", "f1")
async def _close_help(app: Driven, key: str) -> None:
    await app.press("question_mark")
    assert app.shows(HelpScreen)
    await closes(app, key)


async def _help_on(app: Driven, topic: str) -> HelpScreen:
    """Open the help, if it is closed, with the keys at the list and this topic shown."""
    if not app.shows(HelpScreen):
        await app.press("question_mark")
    screen = app.app.screen
    assert isinstance(screen, HelpScreen)
    screen.topics.focus()
    screen.topics.highlighted = 0
    while screen.topics.highlighted_option is None or screen.topics.highlighted_option.id != topic:
        await app.press("down")
    await app.until(lambda: load_topic(topic).title in app.picture)
    return screen


@effect("TopicList", "right")
async def _read_topic(app: Driven, key: str) -> None:
    screen = await _help_on(app, "verdict")
    await app.press(key)
    assert screen.focused is screen.page
    await app.until(lambda: not screen.topics.display)  # all 80 columns for the page


@effect("TopicList", "space")
async def _more_of_topic(app: Driven, key: str) -> None:
    screen = await _help_on(app, "measuring")
    assert screen.page.scroll_y == 0
    await app.press(key)
    assert screen.page.scroll_y > 0
    assert screen.topics.highlighted_option is not None
    assert screen.topics.highlighted_option.id == "measuring"
    await app.press("down")
    assert screen.page.scroll_y == 0, "another topic begins at its first line"


@effect("TopicPage", "space")
async def _more_of_page(app: Driven, key: str) -> None:
    screen = await _help_on(app, "measuring")
    await app.press("enter", key)
    assert screen.page.scroll_y > 0


@effect("TopicPage", "left", "backspace")
async def _back_to_topics(app: Driven, key: str) -> None:
    screen = await _help_on(app, "verdict")
    await app.press("enter")
    assert isinstance(screen.focused, TopicPage)
    await app.press(key)
    assert isinstance(screen.focused, TopicList)
    await app.until(lambda: "measuring" in app.picture)


async def _ask_to_quit(app: Driven) -> None:
    if not app.app.run_thread.busy:
        await app.hold(3)
    await app.press("q")
    assert isinstance(app.app.screen, LeaveScreen)


@effect("LeaveScreen", "q")
@effect("LeaveScreen", "y")
@effect("LeaveScreen", "enter")
async def _stop_and_quit(app: Driven, key: str) -> None:
    await _ask_to_quit(app)
    await app.press(key)
    await app.until(app.app.leaving.is_set)
    run = app.workbench.run_state.run
    assert run is not None
    assert (run.status, len(run.measurements)) == ("stopped", 3)


@effect("LeaveScreen", "escape", "n")
async def _stay(app: Driven, key: str) -> None:
    await _ask_to_quit(app)
    await app.press(key)
    assert isinstance(app.app.screen, Workbench)
    assert app.app.run_thread.busy
    assert not app.app.run_thread.stopping


@effect("ExportScreen", "escape")
async def _cancel_export(app: Driven, key: str) -> None:
    await app.run()
    await app.press("e", key)
    assert app.app.screen is app.workbench
    assert app.app.saved == []


@effect("ExportScreen", "c")
async def _copy(app: Driven, key: str) -> None:
    await app.run()
    await app.press("e", key)
    assert app.app.clipboard.startswith("run,")
    assert "sent to the terminal's clipboard" in app.picture
