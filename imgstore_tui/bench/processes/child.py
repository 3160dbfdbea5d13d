"""The child's side: does one request, reports its outcome, ends. Also the entry of a fresh interpreter."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from typing import Any

from imgstore_tui.bench.protocol.messages import TrialRequest
from imgstore_tui.bench.protocol.shared_progress import SharedProgress
from imgstore_tui.core.errors import ImgstoreError, UnsupportedError
from imgstore_tui.core.model import from_json


def handle_request(values: dict[str, Any], progress: SharedProgress) -> dict[str, Any]:
    """Run a request and return ``{"ok", "reason", "fields"[, "skipped"]}``; what fails in it is never raised."""
    from imgstore_tui.bench.trial.trial import run_request

    try:
        request: TrialRequest = from_json(TrialRequest, values)
        return {"ok": True, "reason": None, "fields": run_request(request, progress)}
    except UnsupportedError as error:
        return {"ok": False, "reason": str(error), "fields": {}, "skipped": True}
    except ImgstoreError as error:
        return {"ok": False, "reason": str(error), "fields": {}}
    except MemoryError:
        return {"ok": False, "reason": "Out of memory.", "fields": {}}
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return {"ok": False, "reason": f"{error.strerror or error}{where}.", "fields": {}}
    except Exception as error:  # a driver's own error is a failed row, never the end of a run
        return {"ok": False, "reason": f"{type(error).__name__}: {error}", "fields": {}}


def write_message(result: dict[str, Any], descriptor: int) -> None:
    """Write a result to the pipe whole."""
    data = json.dumps(result).encode()
    while data:
        data = data[os.write(descriptor, data) :]


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.child RESULT_FD PROGRESS_FD`` with the request on stdin."""
    result, progress = int(sys.argv[1]), SharedProgress(int(sys.argv[2]))
    values = json.loads(sys.stdin.buffer.read())
    for module in values["modules"]:
        # A driver that cannot be loaded fails the request, in its own words, not the interpreter.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    write_message(handle_request(values, progress), result)
    # As in a forked child: no shutdown of the interpreter, in which HDF5 crashes after a full disk.
    os._exit(0)


if __name__ == "__main__":
    main()
