"""Runs one client of a round in an interpreter of its own: ready, then the agreed instant, then its figures.

It exchanges JSON lines on standard input and output with the worker that started it, and ends with it.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

from imgstore_tui.bench.processes.child import reason_of, write_message
from imgstore_tui.bench.protocol.client_messages import ClientRequest
from imgstore_tui.bench.system.processes import die_first, die_with_parent
from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.json_values import from_json, to_json


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.client_child PARENT_PID`` with messages on stdin."""
    die_with_parent(int(sys.argv[1]))
    die_first()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not end up among the messages.
    answers = os.dup(1)
    os.dup2(2, 1)
    _send(answers, _answer(answers))
    # As in a trial's child: no shutdown of the interpreter, in which HDF5 crashes after a full disk.
    os._exit(0)


def _answer(answers: int) -> dict[str, Any]:
    """Run the client; return what it has measured, or why it has not."""
    from imgstore_tui.bench.trial.client import ClientTrial

    try:
        values = _receive()
        credentials.hold(values["credentials"])
        for module in values["modules"]:
            # A driver that cannot be loaded fails the client, in its own words.
            with contextlib.suppress(Exception):
                importlib.import_module(module)
        request: ClientRequest = from_json(ClientRequest, values["request"])
        client = ClientTrial(request)
        _send(answers, {"event": "ready"})
        start = _receive()
        _set_name("client-reads")
        # On this clock nothing jumps, whatever sets the time of day meanwhile.
        instant = time.perf_counter() + (start["at"] - time.time())
        figures = client.run(instant)
        client.close()
        return {"event": "done", "figures": to_json(figures)}
    except Exception as error:  # a driver's own error is a failed client, never the end of a run
        reason = credentials.scrub(reason_of(error))
        return {"event": "failed", "reason": reason, "skipped": isinstance(error, UnsupportedError)}


def _set_name(name: str) -> None:
    """Let ``top`` and others see what this process does, where the system has names for that."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(name, encoding="ascii")


def _send(descriptor: int, message: dict[str, Any]) -> None:
    write_message(message, descriptor)
    os.write(descriptor, b"\n")


def _receive() -> dict[str, Any]:
    line = sys.stdin.buffer.readline()
    if not line:
        os._exit(1)  # the worker is gone
    message: dict[str, Any] = json.loads(line)
    return message


if __name__ == "__main__":
    main()
