"""Stop a run whose child the kernel holds: ``python -m tests.faults.stuck SCRATCH``; its file system is frozen."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from pathlib import Path

from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.events import Event, RunFinished, TrialStarted, Warned
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins.registry import resolve_spec
from tests.faults.drill import broken


def main() -> None:
    scratch = Path(sys.argv[1])
    os.environ["IMGSTORE_TUI_HOME"] = str(scratch.parent / "home")
    os.environ["IMGSTORE_TUI_LOCK"] = str(scratch.parent / "lock")
    cancel, warned = threading.Event(), []
    stopped_at = seconds = 0.0
    plan = Plan(
        specs=(resolve_spec("disk+raw"),), datasets=("synthetic,size=16",), cutoffs=(100,), rounds=1,
        operations=(Operation.WRITE_MANY,), scratch=str(scratch), budget_s=None,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:

        def stop() -> None:
            nonlocal stopped_at
            stopped_at = time.monotonic()
            cancel.set()

        def listen(event: Event) -> None:
            nonlocal seconds
            match event:
                case TrialStarted(_, _, "trial"):
                    (folder,) = scratch.glob("imgstore-tui-*")
                    stack.enter_context(broken("held", folder))
                    threading.Timer(2.0, stop).start()
                case Warned(text):
                    warned.append(text)
                case RunFinished():
                    seconds = time.monotonic() - stopped_at
                    # What is held lets go, and scratch can be removed.
                    stack.pop_all().close()

        run = run_plan(plan, cancel=cancel, listen=listen)
    print(json.dumps({"status": run.status, "seconds": seconds, "warned": warned}))


if __name__ == "__main__":
    main()
