"""An app that leaves in order: on a key, on a signal, on an error of its own, with a run going on or not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import traceback
from functools import partial

from rich.console import RenderableType
from textual.app import App, ReturnType

from imgstore_tui.core.errors import ExitCode
from imgstore_tui.tui.bridge import Bridge
from imgstore_tui.tui.farewell import crash_report

_SIGNALS = {
    signal.SIGHUP: ExitCode.HANGUP,
    signal.SIGTERM: ExitCode.TERMINATED,
    signal.SIGINT: ExitCode.INTERRUPTED,
}


PARENT_LOOK_S = 1.0


class OrderlyApp(App[None]):
    """Stops its run whenever it ends. Textual alone leaves terminal and children as they are on a signal."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__()
        self.bridge = bridge
        self.leaving = threading.Event()
        """Set when the app is about to end, for whatever reason."""

    def take_signals(self) -> None:
        """Leave on signals as on the key, with the exit code that tells them apart."""
        loop = asyncio.get_running_loop()
        for number, code in _SIGNALS.items():
            # Whoever embeds the app outside the main thread cannot take signals there.
            with contextlib.suppress(ValueError, RuntimeError):
                loop.add_signal_handler(number, partial(self.exit, None, code))

    def leave_with_parent(self) -> None:
        """Leave when the process that started us is gone, as a terminal's end would tell us to where there is one."""
        parent = os.getppid()

        def look() -> None:
            if os.getppid() != parent:
                self.exit(None, ExitCode.HANGUP)

        self.set_interval(PARENT_LOOK_S, look)

    def on_unmount(self) -> None:
        """Let no run outlive the screen, however the screen came to its end."""
        self.bridge.stop()

    def exit(
        self, result: ReturnType | None = None, return_code: int = 0, message: RenderableType | None = None
    ) -> None:
        """Leave, with the run told to stop: Textual waits for its thread."""
        self.bridge.stop()
        self.leaving.set()
        super().exit(None, return_code, message)

    def _fatal_error(self) -> None:
        """Leave after an error of our own. Textual would print local variables, which may hold what is secret."""
        self.bridge.stop()
        self.leaving.set()
        self._exit_renderables.append(crash_report(traceback.format_exc()))
        self._close_messages_no_wait()
