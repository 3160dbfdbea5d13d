"""Textual's drivers with output that never waits and a terminal that the watchdog can restore at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import termios
from functools import partial
from io import TextIOWrapper
from typing import Any, Protocol, cast

from textual import events
from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver
from textual.drivers.web_driver import WebDriver
from textual.geometry import Size

from imgstore_tui.jobs.watchdog import Watchdog
from imgstore_tui.tui.terminal.output_writer import OutputWriter

LEAVE = (
    "\x1b[?2026l"  # the end of a frame that was cut short
    "\x1b[?2004l\x1b[?7h\x1b[?2048l"  # no bracketed paste, wrapped lines, no reports of the window's size
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # no reports of the mouse
    "\x1b[<u"  # the keyboard's protocol of before, which belongs to the alternate screen
    "\x1b[?1049l\x1b[?25h\x1b[?1004l"  # the main screen, with a cursor, and no reports of the focus
).encode("ascii")
"""What takes back all that ``LinuxDriver.start_application_mode`` asks of a terminal."""


class WatchedApp(Protocol):
    """What the drivers need of the app."""

    watchdog: Watchdog


class TerminalWriter(OutputWriter):
    """An ``OutputWriter`` with the interface of Textual's ``WriterThread``."""

    def __init__(self, file: TextIOWrapper) -> None:
        super().__init__(file.fileno())
        self._encode = partial(str.encode, encoding=file.encoding, errors=file.errors or "replace")

    def write(self, text: str) -> None:
        """Write text, or leave it out while the terminal is behind."""
        self.write_frame(self._encode(text))

    def flush(self) -> None:
        """Do nothing: the thread writes as soon as it can."""

    def isatty(self) -> bool:
        """Tell Textual that this is a terminal."""
        return True

    def stop(self) -> None:
        """End, within ``FINISH_S``."""
        self.finish()


vars(linux_driver)["WriterThread"] = TerminalWriter


class TerminalDriver(LinuxDriver):
    """The driver of a terminal."""

    def start_application_mode(self) -> None:
        """Take the terminal; from the first byte on the watchdog can give it back."""
        watchdog = _watchdog_of(self)
        with watchdog.switching:
            try:
                self._attributes: list[Any] | None = termios.tcgetattr(self.fileno)
            except termios.error:
                self._attributes = None
            watchdog.restore = self._restore
            super().start_application_mode()  # type: ignore[no-untyped-call]
            writer = self._writer
            if writer is not None:
                writer.caught_up = partial(_request_picture, self)

    def stop_application_mode(self) -> None:
        """Give the terminal back, even one that takes no output."""
        with _watchdog_of(self).switching:
            writer = self._writer
            if writer is not None:
                writer.finish(LEAVE)
            super().stop_application_mode()  # its writes come to nothing now

    @property
    def _writer(self) -> TerminalWriter | None:
        return cast("TerminalWriter | None", self._writer_thread)

    def _restore(self) -> None:
        if self._attributes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._attributes)
        if self._writer is not None:
            self._writer.finish(LEAVE)

    def run_input_thread(self) -> None:
        """Read keys until the end, which is also the terminal's."""
        with contextlib.suppress(OSError):
            super().run_input_thread()


class BrowserDriver(WebDriver):
    """The driver of a browser, which is at the other end of two pipes."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._output = OutputWriter(self.fileno)
        self._write = self._output.write_whole  # type: ignore[assignment]  # by which Textual writes packets

    def write(self, data: str) -> None:
        """Send a part of the picture, or leave it out while the browser is behind."""
        payload = data.encode("utf-8")
        self._output.write_frame(b"D%s%s" % (len(payload).to_bytes(4, "big"), payload))

    def start_application_mode(self) -> None:
        """Begin as Textual does, but leave the signals to the watchdog."""
        self._output.caught_up = partial(_request_picture, self)
        self._output.start()
        _watchdog_of(self).restore = self._output.finish
        self._write(b"__GANGLION__\n")
        self.write("\x1b[?1049h")
        self._enable_mouse_support()
        self.write("\x1b[?25l\x1b[?1003h")
        size = Size(80, 24) if self._size is None else Size(*self._size)
        asyncio.get_running_loop().create_task(self._app._post_message(events.Resize(size, size)))
        self._request_terminal_sync_mode_support()
        self._enable_bracketed_paste()
        self._key_thread.start()
        self._app.call_later(self._app.post_message, events.AppBlur())

    def on_meta(self, packet_type: str, payload: dict[str, object]) -> None:
        """Take what the server says; that the window is closed ends the app as a signal does."""
        if packet_type == "quit":
            _watchdog_of(self).hang_up()
        else:
            super().on_meta(packet_type, payload)

    def close(self) -> None:
        """End the output, within ``FINISH_S``."""
        self._output.finish()


def _watchdog_of(driver: LinuxDriver | WebDriver) -> Watchdog:
    return cast("WatchedApp", driver._app).watchdog


def _request_picture(driver: LinuxDriver | WebDriver) -> None:
    """Let the app paint its whole picture, from any thread."""
    # A loop that is closed paints no more.
    with contextlib.suppress(RuntimeError):
        driver._loop.call_soon_threadsafe(partial(driver._app.refresh, layout=True))
