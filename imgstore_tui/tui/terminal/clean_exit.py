"""An app that leaves in order: on a key, on a signal, on an error of its own, with a run going on or not."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import traceback
from functools import partial

from rich.console import RenderableType
from textual import events
from textual.app import App, ReturnType
from textual.timer import Timer, TimerCallback

from imgstore_tui.jobs.watchdog import Watchdog
from imgstore_tui.tui.run.run_thread import RunThread
from imgstore_tui.tui.terminal.drivers import BrowserDriver, TerminalDriver
from imgstore_tui.tui.terminal.exit_summary import crash_report

_COLLECT_AFTER = (10_000, 20, 50)
"""Objects made, and collections of the younger, before Python looks for rubbish: less often than by itself."""
FOLLOWED_S = 0.5
"""After so long, what is in front has been laid out for a window of another size."""


class CleanExitApp(App[None]):
    """Stops its run whenever it ends. Textual alone leaves terminal and children as they are on a signal."""

    def __init__(self, run_thread: RunThread, watchdog: Watchdog, *, web: bool) -> None:
        super().__init__(driver_class=BrowserDriver if web else TerminalDriver)
        self.run_thread = run_thread
        self.watchdog = watchdog
        """Ends the program where the app itself cannot."""
        self.leaving = threading.Event()
        """Set when the app is about to end, for whatever reason."""

    def leave_on_signals(self) -> None:
        """Leave in order on a signal from now on; before this the watchdog ends the process."""
        loop = asyncio.get_running_loop()

        def ask_to_leave(code: int) -> None:
            loop.call_soon_threadsafe(partial(self.exit, None, code))

        self.watchdog.ask_first(ask_to_leave)

    def set_timer(
        self, delay: float, callback: TimerCallback | None = None, *, name: str | None = None, pause: bool = False
    ) -> Timer:
        """Call something once after a delay, however late the process comes to look at the clock.

        Textual's timers skip what they are late for, one that fires once too: held up for longer than its delay between
        its first two looks at the clock, as happens on a busy machine, it ends without a call. Textual follows the
        size of the window by such a timer, of 8 ms, and waits for it before it starts another: the window was then
        never followed again.
        """
        timer = super().set_timer(delay, callback, name=name, pause=pause)
        timer._skip = False  # looked at when its task begins, which is later
        return timer

    def on_resize(self) -> None:
        """See to it that what is in front comes to have the size of the window."""
        self.set_timer(FOLLOWED_S, self._follow_window)

    def _follow_window(self) -> None:
        """Lay out anew what is in front if it has another size than the window.

        Of sizes that come while a screen is busy, Textual may take one that the screen told itself for the newest.
        """
        for screen in self.screen_stack[-1:]:  # none while the app comes to its end
            if screen.outer_size != self.size:
                screen.post_message(events.Resize(self.size, self.size))

    def on_unmount(self) -> None:
        """Let no run outlive the screen, however the screen came to its end."""
        self.run_thread.stop()

    def exit(
        self, result: ReturnType | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave, with the run told to stop: Textual waits for its thread."""
        self.run_thread.stop()
        self.leaving.set()
        self.watchdog.leaving()
        super().exit(None, return_code, message)

    def _fatal_error(self) -> None:
        """Leave after an error of our own. Textual would print local variables, which may hold what is secret."""
        self.run_thread.stop()
        self.leaving.set()
        self.watchdog.leaving()
        if self.watchdog.code is None:
            # On a signal an app is taken apart while it does something; what fails of that is no news.
            self._exit_renderables.append(crash_report(traceback.format_exc()))
        self._close_messages_no_wait()

    def collect_less_often(self) -> None:
        """Let no key wait while Python goes through all that the screen is made of, which stays until the end."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)

    def say_what_failed(self) -> None:
        """Print what an error of our own has left to be said, unless Textual came to it."""
        with contextlib.suppress(OSError):
            self._print_error_renderables()
