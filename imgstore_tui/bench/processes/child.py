"""The child's side: do one job, say what came of it, end. Also the entry of a fresh interpreter."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from typing import Any

from imgstore_tui.bench.protocol.messages import Job
from imgstore_tui.bench.protocol.shared_progress import Board
from imgstore_tui.core.errors import ImgstoreError, UnsupportedError
from imgstore_tui.core.model import from_json


def perform(request: dict[str, Any], board: Board) -> dict[str, Any]:
    """Do the job and return ``{"ok", "reason", "fields"[, "skipped"]}``; never raises for the job's sake."""
    from imgstore_tui.bench.trial.trial import run_job

    try:
        job: Job = from_json(Job, request)
        return {"ok": True, "reason": None, "fields": run_job(job, board)}
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


def answer(result: dict[str, Any], descriptor: int) -> None:
    """Write a result to the pipe whole."""
    data = json.dumps(result).encode()
    while data:
        data = data[os.write(descriptor, data) :]


def main() -> None:
    """Run as ``python -m imgstore_tui.bench.processes.child RESULT_FD BOARD_FD`` with the request on standard input."""
    result, board = int(sys.argv[1]), Board(int(sys.argv[2]))
    request = json.loads(sys.stdin.buffer.read())
    for module in request["modules"]:
        # A driver that cannot be loaded fails the job, in its own words, not the interpreter.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    answer(perform(request, board), result)
    # As in a forked child: no shutdown of the interpreter, in which HDF5 crashes after a full disk.
    os._exit(0)


if __name__ == "__main__":
    main()
