"""Writes the picture to a terminal or a pipe from a thread of its own; the caller never waits.

Textual's own writer makes the app wait when 30 writes are queued: on a terminal that takes no output (a frozen SSH
line, Ctrl-S, a browser that reads nothing) it waits for ever, deaf to keys and signals. Here frames are left out while
the terminal is behind, and the whole picture is requested when it has caught up.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum, auto

BEHIND_S = 0.5
"""A terminal that has not taken what was written so long ago is behind: frames are left out until it has."""
MOST_PENDING_BYTES = 1 << 20
"""No frame is added to more than this."""
RETRY_S = 0.02
"""A pseudo terminal that is nearly full says that it takes output and takes none: it is asked no more often."""
FINISH_S = 0.4
"""How long the last bytes wait for what is pending before that is discarded."""

_CHUNK_BYTES, _BLOCKING_CHUNK_BYTES = 1 << 16, 256
_CANCEL = b"\x18"
"""CAN, which ends an escape sequence that was cut short."""


class _Step(Enum):
    WRITTEN = auto()
    REFUSED = auto()
    IDLE = auto()


class OutputWriter(threading.Thread):
    """Writes bytes to a descriptor, in order, without its callers ever waiting for it."""

    def __init__(self, descriptor: int) -> None:
        """Prepare; nothing is written before ``start``.

        Args:
            descriptor: A terminal or a pipe.
        """
        super().__init__(name="output-writer", daemon=True)
        self.caught_up: Callable[[], None] | None = None
        """Called in this thread when frames were left out and the terminal takes output again."""
        self._descriptor, self._chunk = _opened_again(descriptor)
        self._lock = threading.Lock()
        """For the fields below; held for moments only."""
        self._pending: deque[tuple[float, memoryview]] = deque()
        """What is to be written, each with the time at which it was handed over."""
        self._pending_bytes = 0
        self._torn = False
        """Whether a part of the first pending bytes is written."""
        self._behind = False
        self._finishing = False
        self._broken = False
        self._writing = threading.Lock()
        """Held during a write to the descriptor."""
        self._over = threading.Event()
        self._wakeup, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def write_frame(self, data: bytes) -> None:
        """Write a part of the picture, or leave it out while the terminal is behind."""
        with self._lock:
            late = bool(self._pending) and time.monotonic() - self._pending[0][0] > BEHIND_S
            self._behind = self._behind or late or self._pending_bytes > MOST_PENDING_BYTES
            if not self._behind:
                self._add(data)
        self._wake_up()

    def write_whole(self, data: bytes) -> None:
        """Write what must not be left out: little, or what the reader requests piece by piece."""
        with self._lock:
            self._add(data)
        self._wake_up()

    def finish(self, last: bytes = b"", patience_s: float = FINISH_S) -> None:
        """Write the last bytes and end; what a stalled terminal does not take is discarded. Safe to call twice.

        Args:
            last: What restores the terminal.
            patience_s: How long pending bytes may take.
        """
        with self._lock:
            if self._finishing:
                return
            self._add(last)
            self._finishing = True
        self._wake_up()
        if self.is_alive():
            self._over.wait(patience_s)
        if not self._over.is_set():
            self._over.set()
            self._discard_but(last)

    def run(self) -> None:
        """Write until finished."""
        poll = select.poll()
        poll.register(self._wakeup, select.POLLIN)
        refusals = 0
        while not self._over.is_set():
            step = self._write_some()
            if step is _Step.WRITTEN:
                refusals = 0
            elif step is _Step.REFUSED and (refusals := refusals + 1) % 2 == 0:
                time.sleep(RETRY_S)
            else:
                if step is _Step.REFUSED:
                    poll.register(self._descriptor, select.POLLOUT)
                poll.poll()
                if step is _Step.REFUSED:
                    poll.unregister(self._descriptor)
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wakeup, 4096)

    def _add(self, data: bytes) -> None:
        if data and not self._broken and not self._finishing:
            self._pending.append((time.monotonic(), memoryview(data)))
            self._pending_bytes += len(data)

    def _wake_up(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake, b"\0")

    def _write_some(self) -> _Step:
        with self._writing:
            with self._lock:
                head = self._pending[0][1] if self._pending else None
            if head is None:
                return self._idle()
            try:
                count = os.write(self._descriptor, head[: self._chunk])
            except BlockingIOError:
                return _Step.REFUSED
            except OSError:
                # Its other end is gone, which the watchdog sees, too.
                with self._lock:
                    self._broken = True
                    self._clear()
                return _Step.WRITTEN
            with self._lock:
                since, _ = self._pending.popleft()
                self._torn = count < len(head)
                if self._torn:
                    self._pending.appendleft((since, head[count:]))
                self._pending_bytes -= count
            return _Step.WRITTEN

    def _idle(self) -> _Step:
        with self._lock:
            if self._pending:
                return _Step.WRITTEN
            if self._finishing:
                self._over.set()
            behind, self._behind = self._behind, False
        if behind and self.caught_up is not None:
            self.caught_up()
        return _Step.IDLE

    def _clear(self) -> None:
        self._pending.clear()
        self._pending_bytes = 0

    def _discard_but(self, last: bytes) -> None:
        """Discard what is pending, here and in the kernel, and write the last bytes if there is room for them now."""
        # A thread that waits in a write cannot be stopped: then nothing more can be said to this terminal.
        if not self._writing.acquire(timeout=RETRY_S):
            return
        with self._lock:
            torn = self._torn
            self._clear()
        # A pipe knows neither. Output that was stopped is started: the program ends, and the picture with it.
        with contextlib.suppress(termios.error):
            termios.tcflow(self._descriptor, termios.TCOON)
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
        with contextlib.suppress(OSError):
            os.write(self._descriptor, (_CANCEL if torn else b"") + last)


def _opened_again(descriptor: int) -> tuple[int, int]:
    """Return an open file of our own on what a descriptor has open, and how many bytes may be written at once.

    The flag that keeps writes from waiting belongs to all who share an open file, and a shell shares its terminal with
    us. Where the system does not let us open it once more (another user's terminal, after ``su``), the thread may wait
    in a write; only little is written at once then.
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(f"/proc/self/fd/{descriptor}", flags), _CHUNK_BYTES
    except OSError:
        return os.dup(descriptor), _BLOCKING_CHUNK_BYTES
