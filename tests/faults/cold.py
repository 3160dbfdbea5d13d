"""Stores made cold, seen by fincore, too: ``python -m tests.faults.cold SCRATCH SPEC`` prints what both say as JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from imgstore_tui.bench.protocol.messages import Step, TrialRequest
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.mounts import mount_of
from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.bench.trial.write import write
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Operation
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.store_material import walk

IMAGES = 60


def pages(files: list[Path]) -> int:
    """Return how many pages of the files are in memory, as fincore sees it."""
    words = ["fincore", "-nb", "-o", "PAGES", *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return sum(int(line) for line in done.stdout.split())


def main() -> None:
    scratch, spec = Path(sys.argv[1]), resolve_spec(sys.argv[2])
    os.environ["IMGSTORE_TUI_HOME"] = str(scratch.parent / "home")
    os.environ["IMGSTORE_TUI_LOCK"] = str(scratch.parent / "lock")
    source, store = scratch / "source", scratch / "store"
    source.mkdir()
    dataset = registry.make_dataset("synthetic,size=32")
    dataset.scan()
    build_pixel_cache(
        dataset, "synthetic", IMAGES, source, originals=False, progress=lambda done, total: None,
        cancel=threading.Event(),
    )  # fmt: skip
    places = (str(store), str(source), str(scratch))
    setup = TrialSetup.of(
        TrialRequest(Step.TRIAL, spec, Operation.READ_MANY, IMAGES, *places, cache=CacheState.COLD), lambda _: None
    )
    write(setup, store, IMAGES, Clock())
    files = walk(store)
    before = pages(files)
    try:
        share, refused = setup.access.prepare_cache(store), None
    except UnsupportedError as error:
        share, refused = None, str(error)
    after = pages(files)
    plan = Plan(
        specs=(spec,), datasets=("synthetic,size=32",), cutoffs=(IMAGES,), operations=(Operation.READ_MANY,),
        cache=(CacheState.COLD,), rounds=1, scratch=str(scratch), budget_s=None,
    )  # fmt: skip
    (row,) = run_plan(plan).measurements
    print(json.dumps({
        "kind": mount_of(scratch).filesystem, "before": before, "share": share, "refused": refused, "after": after,
        "status": row.status, "reason": row.reason, "proof": row.cache_proof, "read": row.io_read_bytes,
        "seconds": row.seconds,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
