"""Runs the child process that reads a store for a dataset; a process that inherits the dataset starts its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Mapping
from typing import IO, Any

from imgstore_tui.core import credentials
from imgstore_tui.core.dataset import ScanProgress
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.location import Location
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit import child_python
from imgstore_tui.storekit.messages import read_message

_SERVICE = "imgstore_tui.plugins.store_process"  # started, not imported: backends and datasets do not know each other
_END_TIMEOUT_S = 10

Message = tuple[dict[str, Any], bytes]


class StoreChild:
    """A child process with an open store.

    Its pipes belong to the process that started it: answers would go to the wrong one of two that read. A forked or
    unpickled copy, as the workers of a loader have it, starts a child of its own when it is first asked.
    """

    def __init__(self, location: Location, address: str, values: Mapping[str, OptionValue]) -> None:
        self._location, self._address, self._values = location, address, dict(values)
        self._process: subprocess.Popen[bytes] | None = None
        self._opened: Message | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs to start a child of its own."""
        picklable = ("_location", "_address", "_values", "_opened")
        return {name: self.__dict__[name] for name in picklable}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what ``__getstate__`` returned; no child runs yet."""
        self.__dict__.update(state, _process=None, _owner=0, _lock=threading.Lock())

    def start(self, progress: ScanProgress | None = None) -> Message:
        """Start the process, which opens the store; return the facts of what it holds, and the labels as bytes.

        Raises:
            DataError: If the store cannot be opened.
        """
        command = child_python.command(_SERVICE, self._address, json.dumps(self._values))
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - a pipe that is not read would fill up
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr, env=child_python.environment()
        )
        self._process, self._owner = process, os.getpid()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended; why is read below
                process.stdin.write(json.dumps(credentials.held()).encode("ascii") + b"\n")
                process.stdin.flush()
        self._end = weakref.finalize(self, _end, process, self._stderr)
        facts, data = self._receive()
        while "progress" in facts:
            if progress is not None:
                progress(*facts["progress"])
            facts, data = self._receive()
        if "error" in facts:
            raise DataError(str(facts["error"]))
        self._opened = self._opened or (facts, data)
        return facts, data

    def request(self, question: Mapping[str, Any]) -> Message:
        """Ask the process, and return its answer: facts, and the bytes of images.

        Raises:
            DataError: If it has ended, or the store is another than the one that was opened first.
        """
        if self._owner != os.getpid():
            self._lock = threading.Lock()  # a thread of the former process may have held it
        with self._lock:
            if self._owner != os.getpid():
                self._start_own()
            if self._process is None or self._process.stdin is None:
                raise ValueError("a dataset is scanned before it is read")
            try:
                self._process.stdin.write(json.dumps(question).encode("ascii") + b"\n")
                self._process.stdin.flush()
            except OSError:
                raise self._died() from None
            return self._receive()

    def _start_own(self) -> None:
        """Start a child of this process, in which the store must be the one that was opened first."""
        if self._process is not None:  # inherited: this end of it is closed, and it goes on for its owner
            self._end.detach()
            for stream in (self._process.stdin, self._process.stdout, self._stderr):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
        if self._opened is None:
            raise ValueError("a dataset is scanned before it is read")
        if self.start() != self._opened:
            raise DataError(f"{self._location} has changed since it was opened. Open it again.")

    def _receive(self) -> Message:
        return read_message(self._read_exactly)

    def _read_exactly(self, count: int) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise ValueError("a dataset is scanned before it is read")
        data = self._process.stdout.read(count)
        if len(data) < count:
            raise self._died()
        return data

    def _died(self) -> DataError:
        """Return the error for a child process that ended; the last line it wrote to standard error is the reason."""
        process = self._process
        if process is None:
            raise ValueError("a dataset is scanned before it is read")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_TIMEOUT_S)
        self._stderr.seek(0)
        lines = self._stderr.read().decode("utf-8", "replace").strip().splitlines() or [""]
        code = process.returncode
        reason = f"signal {-code}" if code is not None and code < 0 else safe_text(lines[-1][:200]) or f"exit {code}"
        return DataError(f"{self._location} cannot be read: the process that reads it has ended ({reason}).")


def _end(process: subprocess.Popen[bytes], stderr: IO[bytes]) -> None:
    """Close the streams, upon which the child process ends, and wait for it."""
    for stream in (process.stdin, process.stdout, stderr):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
    try:
        process.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
