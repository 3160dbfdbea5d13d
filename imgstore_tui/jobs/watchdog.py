"""Ends the process within two seconds of a signal or of the loss of its terminal, whatever its other threads wait for.

Python runs signal handlers in the main thread only, and asyncio calls them only when its loop comes round: a main
thread that waits for a terminal is deaf. So a thread of its own waits here, for nothing but signals (the wakeup
descriptor of ``signal``, which the C handler writes to) and for the other end of the standard streams (``poll``).
Only the standard library is loaded, so that it can begin before anything else does.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn, Self

BROWSER_DRIVER = "imgstore_tui.tui.terminal.drivers:BrowserDriver"
"""What ``TEXTUAL_DRIVER`` says to a program whose screen a browser shows, see ``cli.web_server``."""

SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)

ORDERLY_S = 1.0
"""How long the program may take to end by itself after a signal; then its terminal is restored without it."""
END_S = 1.3
"""When the process ends after a signal, in order or not."""
QUIT_ORDERLY_S = 2.0
"""How long the program may take to end after it was quit with a key, which has no limit to keep."""
QUIT_END_S = 4.0

_LOCK_S = 0.2
"""How long the switch of a terminal that is under way may take."""
_LEAVING = 0
"""What is written to the wakeup descriptor when the program leaves by itself; a signal writes its number."""


def _nothing() -> None:
    pass


def _no_descendants(_: int) -> list[int]:
    return []


class Watchdog:
    """Ends the process on SIGHUP, SIGTERM and SIGINT and when a standard stream has lost its other end.

    Before ``ask_first`` the process ends at once. After it the program is asked to leave; what it has not done by
    ``ORDERLY_S`` is done here: children are killed, the terminal is restored, the last words are printed. At
    ``END_S`` the process ends.
    """

    def __init__(self, streams: Sequence[int] = ()) -> None:
        """Prepare.

        Args:
            streams: Descriptors whose hang-up ends the program as SIGHUP does: a terminal that was closed, a pipe
                whose other end is gone.
        """
        self.code: int | None = None
        """Exit code of the first signal or hang-up; None while there was none."""
        self.switching = threading.Lock()
        """Held while the program switches the terminal's mode, which must not be interrupted by a restoration."""
        self.restore: Callable[[], None] = _nothing
        """Restores the terminal without waiting; set by who changes it."""
        self._streams = tuple(streams)
        self._ask: Callable[[int], None] | None = None
        self._last_words: Callable[[], None] = _nothing
        self._exit_code: Callable[[], int] = lambda: 0
        self._descendants_of: Callable[[int], list[int]] = _no_descendants
        self._spoken = threading.Lock()
        self._wakeup, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def start(self) -> Self:
        """Take the signals and start the thread. Signals that are ignored (``nohup``) stay ignored.

        Must be called from the main thread.
        """
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._note)
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        return self

    def at_end(self, last_words: Callable[[], None], exit_code: Callable[[], int]) -> None:
        """Say what is to be done when the program does not end by itself.

        Args:
            last_words: Prints what should stay on the terminal, see ``say_last_words``.
            exit_code: The code of a program that leaves by itself.
        """
        # Loaded only now: before this there are no children, and a signal must not wait for an import.
        from imgstore_tui.bench.system.processes import descendants_of

        self._descendants_of = descendants_of
        self._last_words, self._exit_code = last_words, exit_code

    def ask_first(self, ask: Callable[[int], None]) -> None:
        """Let the program leave by itself from now on; before this the process ends at once.

        Args:
            ask: Asks the program to leave with this exit code; called from the watchdog's thread, must not wait.
        """
        self._ask = ask

    def hang_up(self) -> None:
        """End the program as the loss of its terminal does: who showed it is gone."""
        self._wake_up(signal.SIGHUP)

    def leaving(self) -> None:
        """Say that the program has begun to leave by itself: it has until ``QUIT_END_S``."""
        self._wake_up(_LEAVING)

    def end(self, code: int) -> NoReturn:
        """End the process, without waiting for its threads and without a word to a terminal that is gone.

        Args:
            code: The exit code, unless a signal has set another.
        """
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code if self.code is None else self.code)

    def say_last_words(self) -> None:
        """Print the last words, once, whoever comes first."""
        if self._spoken.acquire(blocking=False):
            self._last_words()

    def _note(self, number: int, _: object) -> None:
        """Pass a signal on, in case another library has taken the wakeup descriptor."""
        self._wake_up(number)

    def _wake_up(self, number: int) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake, bytes([number]))

    def _watch(self) -> None:
        # To restore a terminal from the background would stop the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        for stream in self._streams:
            poll.register(stream, 0)
        orderly = end = float("inf")
        while True:
            now = time.monotonic()
            if now >= end:
                self._end()
            elif now >= orderly:
                orderly = float("inf")
                self._restore()
                threading.Thread(target=self.say_last_words, daemon=True).start()
            next_stop = min(orderly, end)
            timeout_ms = None if next_stop == float("inf") else max(0.0, next_stop - now) * 1000
            causes: list[int] = []
            for descriptor, _ in poll.poll(timeout_ms):
                if descriptor == self._wakeup:
                    causes += os.read(self._wakeup, 4096)
                else:
                    poll.unregister(descriptor)
                    causes.append(signal.SIGHUP)
            now = time.monotonic()
            for cause in causes:
                if cause in SIGNALS and self.code is None:
                    orderly, end = min(orderly, now + ORDERLY_S), min(end, now + END_S)
                    self._ask_to_leave(128 + cause)
                elif cause == _LEAVING and end == float("inf"):
                    orderly, end = now + QUIT_ORDERLY_S, now + QUIT_END_S

    def _ask_to_leave(self, code: int) -> None:
        self.code = code
        if self._ask is None:
            self._restore()
            self._end()
        else:
            # A loop that is closed is past being asked: the program is ending already.
            with contextlib.suppress(RuntimeError):
                self._ask(code)

    def _restore(self) -> None:
        """Kill what runs below this process and restore the terminal."""
        for process in self._descendants_of(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        # Held to the end by intent: who waits for it must not change the terminal any more.
        self.switching.acquire(timeout=_LOCK_S)
        with contextlib.suppress(OSError):
            self.restore()

    def _end(self) -> NoReturn:
        os._exit(self._exit_code() if self.code is None else self.code)


def watch_screen() -> Watchdog:
    """Start the watchdog of the screen: keys come from standard input, the picture goes to standard error.

    In a browser both go through the pipes of standard input and output.
    """
    if os.environ.get("TEXTUAL_DRIVER") == BROWSER_DRIVER:
        return Watchdog((0, 1)).start()
    return Watchdog([stream for stream in (0, 2) if os.isatty(stream)]).start()
