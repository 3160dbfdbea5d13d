"""A program on a pseudo terminal of its own, which can be read, resized, stalled, closed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HOUSE = str(Path(__file__).parents[2])
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A program and the terminal that it runs on."""

    def __init__(self, process: subprocess.Popen[bytes], master: int, slave: int) -> None:
        self.process = process
        self._master, self._slave = master, slave
        self._attributes = self._now()
        self.painted = b""

    def _now(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    @property
    def raw(self) -> bool:
        """Whether the terminal is in another mode than at first."""
        return self._now() != self._attributes

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown, by what was read."""
        return self.painted.count(ENTER) > self.painted.count(LEAVE)

    def stop_output(self) -> None:
        """Let the terminal take no more output, as Ctrl-S does where the terminal heeds it."""
        termios.tcflow(self._slave, termios.TCOOFF)

    def start_output(self) -> None:
        """Let the terminal take output again, as Ctrl-Q does."""
        termios.tcflow(self._slave, termios.TCOON)

    def send(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def send_bytes(self, keys: bytes) -> None:
        """Send what need not be UTF-8."""
        os.write(self._master, keys)

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size, as a window that is pulled does; the kernel tells the program."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self) -> None:
        """Close the terminal under the program, as a dropped SSH line does."""
        os.dup2(os.open(os.devnull, os.O_RDWR), self._master)

    def read(self, seconds: float) -> bool:
        """Read what has been painted; return whether there was anything."""
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            painted = os.read(self._master, 65536)
        except OSError:
            return False
        self.painted += painted
        return bool(painted)

    def until(self, words: bytes, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.painted:
            assert time.monotonic() < deadline, self.painted[-2000:]
            self.read(0.1)

    def end(self, seconds: float = 60) -> int:
        """Wait for the program to end, reading on so that it never waits for us; return its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it goes on"
            self.read(0.05)
        while self.read(0.05):
            pass
        return self.process.returncode


@contextmanager
def program(
    folder: Path, code: str | None = None, arguments: Sequence[str] = (), **environment: str
) -> Iterator[Terminal]:
    """Run the program, or Python code, on a terminal of 80x24."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in ("NO_COLOR", "COLORTERM", "SSH_CONNECTION", "COLUMNS", "LINES")
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", *arguments] if code is None else [sys.executable, "-c", code],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=folder,
        env={**inherited, "TERM": "xterm-256color", "XDG_DATA_HOME": str(folder), "PYTHONPATH": HOUSE, **environment},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )
    try:
        yield Terminal(process, master, slave)
    finally:
        process.kill()
        process.wait()
        os.close(master)
        os.close(slave)
