"""Runs one request in the measured process and reports its outcome; also the entry point of a fresh interpreter."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from typing import Any

from imgstore_tui.bench.protocol.messages import TrialOutcome, TrialRequest
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.core import credentials
from imgstore_tui.core.errors import ImgstoreError, UnsupportedError
from imgstore_tui.core.json_values import from_json, to_json


def handle_request(values: dict[str, Any], progress: SharedProgress) -> dict[str, Any]:
    """Run a request; an error in it becomes the reason of the outcome and is never raised.

    Args:
        values: The request as JSON values.
        progress: Where the child reports how far it is.

    Returns:
        The outcome as JSON values.
    """
    from imgstore_tui.bench.trial.trial import run_request

    try:
        request: TrialRequest = from_json(TrialRequest, values)
        return _values_of(TrialOutcome(True, result=run_request(request, progress)))
    except Exception as error:  # a driver's own error is a failed row, never the end of a run
        return _values_of(TrialOutcome(False, reason_of(error), skipped=isinstance(error, UnsupportedError)))


def reason_of(error: Exception) -> str:
    """Return the sentence that an error in a measured process becomes."""
    match error:
        case ImgstoreError():
            return str(error)
        case MemoryError():
            return "Out of memory."
        case OSError():
            path = f" ({error.filename})" if error.filename else ""
            return f"{error.strerror or error}{path}."
        case _:
            return f"{type(error).__name__}: {error}"


def _values_of(outcome: TrialOutcome) -> dict[str, Any]:
    values: dict[str, Any] = to_json(outcome)
    return values


def write_message(message: dict[str, Any], descriptor: int) -> None:
    """Write a message to a pipe as JSON, whole."""
    data = json.dumps(message).encode()
    while data:
        data = data[os.write(descriptor, data) :]


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.child RESULT_FD PROGRESS_FD`` with the request on stdin."""
    result_fd, progress = int(sys.argv[1]), SharedProgress(int(sys.argv[2]))
    values = json.loads(sys.stdin.buffer.read())
    credentials.hold(values["credentials"])
    for module in values["modules"]:
        # A driver that cannot be loaded fails the request, in its own words, not the interpreter.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    write_message(handle_request(values, progress), result_fd)
    # As in a forked child: no shutdown of the interpreter, in which HDF5 crashes after a full disk.
    os._exit(0)


if __name__ == "__main__":
    main()
