"""Defines the Textual app: themes, command palette, exit, and the workbench as its only screen."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from textual import on
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen
from textual.scrollbar import ScrollBar
from textual.theme import ThemeProvider

from imgstore_tui.bench.run.replay import Replay
from imgstore_tui.core.errors import ImgstoreError, unknown_name
from imgstore_tui.core.model import Plan
from imgstore_tui.core.text import safe_text
from imgstore_tui.jobs.watchdog import Watchdog, watch_screen
from imgstore_tui.tui import themes
from imgstore_tui.tui.forms.choice import Choice, first_plan
from imgstore_tui.tui.forms.last_choice import load_choice, save_choice
from imgstore_tui.tui.keys import KEYS_BY_PURPOSE, PALETTE_KEY
from imgstore_tui.tui.run.run_thread import RunFunction, RunThread
from imgstore_tui.tui.screens.help import HelpScreen, KeyHelp, help_lines, pane_help
from imgstore_tui.tui.screens.workbench import Workbench
from imgstore_tui.tui.terminal import breakpoints
from imgstore_tui.tui.terminal.capabilities import ScreenSettings, ignore_size_variables
from imgstore_tui.tui.terminal.clean_exit import CleanExitApp
from imgstore_tui.tui.terminal.exit_summary import print_exit_summary
from imgstore_tui.tui.terminal.filters import AsciiFilter, NoColourFilter
from imgstore_tui.tui.terminal.textual_fixes import SafeCommandPalette, tolerate_undecodable_keys
from imgstore_tui.tui.widgets.chrome import SlimScrollBar


class ImgstoreApp(CleanExitApp):
    """The app: choose, run, watch and understand."""

    TITLE = "imgstore-tui"
    HORIZONTAL_BREAKPOINTS = breakpoints.COLUMN_CLASSES
    VERTICAL_BREAKPOINTS = breakpoints.ROW_CLASSES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True, tooltip="Quit, even while editing a line"),
    ]

    def __init__(
        self,
        settings: ScreenSettings,
        plan: Plan | None = None,
        run: RunFunction | None = None,
        watchdog: Watchdog | None = None,
        replay: Replay | None = None,
    ) -> None:
        super().__init__(RunThread(run), watchdog or Watchdog(), web=settings.web)
        ScrollBar.renderer = SlimScrollBar
        self.saved: list[str] = []
        """Paths of the files that were exported."""
        self._settings = settings
        self._replay = replay
        for theme in themes.THEMES:
            self.register_theme(theme)
        if settings.theme is not None and settings.theme not in self.available_themes:
            raise unknown_name("theme", settings.theme, self.available_themes)
        self.ansi_theme_dark, self.ansi_theme_light = themes.ANSI_DARK, themes.ANSI_LIGHT
        self.theme = settings.theme or themes.DARK.name
        self.animation_level = "basic" if settings.animate else "none"
        self._no_colour, self._no_unicode = NoColourFilter(), AsciiFilter(settings.ascii)
        choice, note = (None, "") if plan is not None else load_choice()
        self.workbench = Workbench(self.run_thread, choice or Choice.of(plan or first_plan()), settings, note)

    def on_mount(self) -> None:
        """Open the workbench."""
        self.theme_changed_signal.subscribe(self, lambda _: self._use_palette())
        self._use_palette()
        self.push_screen(self.workbench)
        if self._replay is not None:
            self.call_after_refresh(self.workbench.play, self._replay)
        self.call_after_refresh(self.leave_on_signals)
        self.call_after_refresh(self.collect_less_often)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return the filters of everything that is painted."""
        filters = [entry for entry in super().get_line_filters() if not isinstance(entry, Monochrome | NoColor)]
        filters += [self._no_colour] if self.no_color else []
        return [*filters, self._no_unicode] if self._no_unicode.enabled else filters

    def _use_palette(self) -> None:
        self.workbench.palette = themes.PALETTES.get(self.theme, themes.PALETTES[""])

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer every action in the command palette."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.tooltip:
                act = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(binding.description, binding.tooltip, act)
        yield SystemCommand("All themes", "Choose among all of Textual's themes", self.action_change_theme)

    def action_command_palette(self) -> None:
        """Open the command palette."""
        if not isinstance(self.screen, SafeCommandPalette):
            self.push_screen(SafeCommandPalette())

    def search_themes(self) -> None:
        """Offer all of Textual's themes."""
        self.push_screen(SafeCommandPalette(providers=[ThemeProvider], placeholder="Search for themes"))

    def action_help(self) -> None:
        """Show what every key does."""
        keys: list[KeyHelp] = []
        for purpose, bindings in KEYS_BY_PURPOSE.items():
            keys += [("", purpose), *help_lines(bindings)]
        keys += help_lines(ImgstoreApp.BINDINGS, [PALETTE_KEY])
        self.push_screen(HelpScreen([*keys, *pane_help(self.workbench)]))

    def action_next_theme(self) -> None:
        """Use the next of the app's themes."""
        index = themes.THEME_NAMES.index(self.theme) if self.theme in themes.THEME_NAMES else -1
        self.theme = themes.THEME_NAMES[(index + 1) % len(themes.THEME_NAMES)]

    async def action_quit(self) -> None:
        """Quit as the key does."""
        self.action_leave()

    def action_leave(self) -> None:
        """Quit; the workbench asks first while a run goes on."""
        self.workbench.ask_to_leave()

    @on(Workbench.Exported)
    def _exported(self, event: Workbench.Exported) -> None:
        self.saved.append(event.path)

    @on(Workbench.Leaving)
    def _leave(self) -> None:
        self.exit()


def run_app(
    settings: ScreenSettings,
    *,
    mouse: bool = True,
    plan: Plan | None = None,
    run: RunFunction | None = None,
    watchdog: Watchdog | None = None,
    replay: Replay | None = None,
) -> int:
    """Show the screen until the user quits, then print the summary on standard output.

    Args:
        settings: How to draw, from ``capabilities.prepare_terminal``.
        mouse: Whether the mouse is used; without it the terminal's own selection works.
        plan: The first choice; None for the last choice, or ``quick`` at the first start.
        run: Runs plans; None for the real instrument.
        watchdog: Ends the program where the app cannot; None for one that begins now.
        replay: A saved run to be played at once; None for none.

    Returns:
        The exit code.
    """
    tolerate_undecodable_keys()
    if not settings.web:
        ignore_size_variables(os.environ)
    watchdog = watchdog or watch_screen()
    app = ImgstoreApp(settings, plan, run, watchdog, replay)
    # Textual has standard output while the app runs, and it may be stuck there.
    output = sys.__stdout__

    def last_words() -> None:
        app.say_what_failed()
        if settings.web or output is None:
            return
        state = app.workbench.last_state()
        # A replay ends with what the run says, not with the part that was played.
        shown = (None, None) if app.run_thread.replay is not None else (state.run, state.journal)
        print_exit_summary(output, *shown, app.saved, ascii_only=settings.ascii)
        try:
            save_choice(app.workbench.choice)
        except ImgstoreError as error:
            with contextlib.suppress(OSError):
                sys.stderr.write(f"imgstore-tui: {safe_text(str(error))}\n")

    watchdog.at_end(last_words, lambda: app.return_code or 0)
    app.run(mouse=mouse)
    watchdog.say_last_words()
    return app.return_code or 0
