"""Holds the process in which a client is timed, and makes what it compares with, on the side of the worker."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imgstore_tui.bench.processes import client_child, client_data
from imgstore_tui.storekit import child_python

_POLL_S = 0.1


class ClientProcess:
    """The process in which a client is timed."""

    def __init__(self, message: str, environment: Mapping[str, str]) -> None:
        """Start it, and send it what it is to do as JSON."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._process = subprocess.Popen(
            child_python.command(client_child.__name__, str(os.getpid())),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            bufsize=0,
        )
        self._output = bytearray()
        self.send(message)

    def __enter__(self) -> ClientProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def send(self, line: str) -> None:
        """Send a line."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(line.encode() + b"\n")

    def receive(self, limit_s: float, is_wanted: Callable[[], bool]) -> dict[str, Any]:
        """Return its next message, or why it sends none any more."""
        deadline = time.monotonic() + limit_s
        descriptor = -1 if self._process.stdout is None else self._process.stdout.fileno()
        while (end := self._output.find(b"\n")) < 0:
            if not is_wanted():
                return {"event": "failed", "reason": "Stopped."}
            if time.monotonic() > deadline:
                return {"event": "failed", "reason": f"Not done after {limit_s:.0f} s, killed."}
            if select.select([descriptor], [], [], _POLL_S)[0]:
                data = os.read(descriptor, 65_536)
                if not data:
                    return {"event": "failed", "reason": self._death()}
                self._output += data
        message: dict[str, Any] = json.loads(self._output[:end])
        del self._output[: end + 1]
        return message

    def _death(self) -> str:
        code = self._process.wait()
        if code < 0:
            return f"The client's process was killed by {signal.Signals(-code).name}."
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = f" Its last words: {lines[-1]}" if lines else ""
        return f"The client's process ended with exit status {code} and no result.{last}"


def environment_of_trials(set_by_dask: Mapping[str, object]) -> dict[str, str]:
    """Return the environment of a client: as that of an ordinary trial, without what Dask sets for its workers."""
    variables = child_python.environment(**child_python.SINGLE_THREADED)
    for name, value in set_by_dask.items():
        if name not in child_python.SINGLE_THREADED and variables.get(name) == str(value):
            del variables[name]
    return variables


def make_pictures(
    data: dict[str, Any], folder: Path, limit_s: float, environment: Mapping[str, str]
) -> tuple[Path, str]:
    """Make the pictures to compare with in a folder of this worker; return where, and why not if they are not."""
    place = folder / client_data.folder_name(data["fingerprint"], data["count"])
    try:
        done = subprocess.run(
            child_python.command(client_data.__name__, str(place)),
            input=json.dumps(data).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            timeout=limit_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return place, f"Its pictures were not made within {limit_s:.0f} s."
    said = done.stdout.decode("utf-8", "replace").strip()
    return place, "" if done.returncode == 0 else said or "The process that makes its pictures died."
