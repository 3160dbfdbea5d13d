"""Stop a run whose child the kernel holds: ``python -m tests.faults.stuck SCRATCH``; its file system is frozen."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
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
    plan = Plan(
        specs=(resolve_spec("disk+raw"),), datasets=("synthetic,size=16",), cutoffs=(100,), rounds=1,
        operations=(Operation.WRITE_MANY,), scratch=str(scratch), budget_s=None,
    )  # fmt: skip
    with contextlib.ExitStack() as stack:

        def listen(event: Event) -> None:
            match event:
                case TrialStarted(_, _, "trial"):
                    (folder,) = scratch.glob("imgstore-tui-*")
                    stack.enter_context(broken("held", folder))
                    threading.Timer(2.0, cancel.set).start()
                case Warned(text):
                    warned.append(text)
                case RunFinished():
                    # Not before the run has ended does what is held let go; then scratch can be removed.
                    stack.pop_all().close()

        run = run_plan(plan, cancel=cancel, listen=listen)
    print(json.dumps({"status": run.status, "warned": warned}))


if __name__ == "__main__":
    main()
