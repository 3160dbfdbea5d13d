"""Runs the child process that reads a damaged store, which may end or hang it."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import tempfile
import time
from pathlib import Path
from typing import IO

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.spec import Spec
from imgstore_tui.core.units import counted, format_seconds
from imgstore_tui.storekit import child_python

LEAST_LIMIT_S = 60.0
"""Time within which all images of a small store must have been read or refused."""
IMAGE_LIMIT_S = 0.1
"""Time more for each image of the store, as it is read for the first time."""
LIMIT_FACTOR = 10
"""How many times as long as the first time a store may take once a byte is flipped."""
_CHILD = "imgstore_tui.jobs.damage.reading"


class ReadingProcess:
    """A child process that reads the store on request; started anew where a damaged file has ended it."""

    def __init__(self, spec: Spec, location: Path, images: int) -> None:
        """Prepare.

        Args:
            spec: The method of the store.
            location: The store.
            images: Number of images in it.
        """
        self._label = spec.label
        self._limit_s = LEAST_LIMIT_S + IMAGE_LIMIT_S * images
        self._command = child_python.command(_CHILD, spec.label, str(location))
        self._process: subprocess.Popen[str] | None = None
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process

    def __enter__(self) -> ReadingProcess:
        # The store as it is must be read whole, or losses would be counted that no flip has caused.
        begin = time.monotonic()
        counts = self._start()
        if counts is None or counts["refused"]:
            reason = self._refusal(counts)
            self.__exit__()
            raise StoreError(f"The store of {self._label} cannot be read before a byte is flipped: {reason}.")
        self._limit_s = max(LEAST_LIMIT_S, LIMIT_FACTOR * (time.monotonic() - begin))
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._stderr.close()

    def _refusal(self, counts: dict[str, int] | None) -> str:
        """Return why the store cannot be read whole, for a sentence."""
        if counts is not None:
            return f"{counted(counts['refused'], 'image')} of it could not be read back"
        self._stderr.seek(0)
        lines = self._stderr.read()[-300:].decode(errors="replace").strip().splitlines()
        return (
            lines[-1].rstrip(".")
            if lines
            else (
                f"the process that reads it has ended, or took more than {format_seconds(self._limit_s)}; take fewer "
                "images (-n)"
            )
        )

    def read(self) -> dict[str, int] | None:
        """Have the store read, and return how many images are the same, changed and refused; None for a crash."""
        assert self._process is not None  # noqa: S101 - ``ensure_running`` comes first
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        with contextlib.suppress(BrokenPipeError):  # it has ended, and does not answer
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return self._receive()

    def _start(self) -> dict[str, int] | None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, text=True,
            env=child_python.environment(),
        )  # fmt: skip
        return self._receive()

    def _receive(self) -> dict[str, int] | None:
        assert self._process is not None  # noqa: S101 - started
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        ready, _, _ = select.select([self._process.stdout], [], [], self._limit_s)
        line = self._process.stdout.readline() if ready else ""
        if not line:
            self._end()
            return None
        counts: dict[str, int] = json.loads(line)
        return counts

    def ensure_running(self) -> None:
        """Start the process again if it has ended; to be called while the store is whole, which is read first."""
        if self._process is None:
            self._start()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
