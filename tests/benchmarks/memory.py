"""Does a long run stay small? ``python -m tests.benchmarks.memory [--spec NAME ...] [--only small|large]``.

Runs 100,000 x 32x32x3 and 5,000 x 512x512x3 (3.9 GB) through the backends as a user would, looks at the private memory
(RssAnon) of every process of the run fifty times a second, and prints the peak of each kind: the supervisor, the
fork server, and the children in which trials run. None may pass 600 MB: the exit code is 1 then, or where a row failed.

``--servers [NAME ...]`` runs the large one through the servers that ``imgstore-tui servers list`` names (all that are
installed, without a NAME): a node of each is started with the vendor's durable settings and removed afterwards, one
after the other. What is looked at are the processes of the run, and those of ours that belong to a node; the server's
own memory is its own affair.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from imgstore_tui.jobs.servers.catalogue import all_recipes, recipe
from imgstore_tui.jobs.servers.node import DEFAULT_PARENT
from imgstore_tui.plugins import registry
from tests.support.nodes import running_node

LIMIT_MB = 600.0
RUNS = {"small": ("synthetic", "100k"), "large": ("synthetic,size=512", "5k")}
OPERATIONS = "write-many,read-many,read-random,read-labels"
ROOM_BYTES = 25 * 10**9
"""What a server may take up at most: the pictures, a log of them, a second copy before it compacts, and a reserve."""


def private_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(pid: int) -> list[int]:
    pids = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        pids += [int(child) for child in (task / "children").read_text().split()]
    return pids


def is_ours(pid: int) -> bool:
    """Whether a process of a node runs code of this program."""
    return b"imgstore_tui." in Path(f"/proc/{pid}/cmdline").read_bytes()


def watch(words: list[str], beside: Sequence[int] = (), **environment: str) -> tuple[int, dict[str, float]]:
    """Run to the end; return the exit status and the peak of each kind of process."""
    peaks = {"supervisor": 0.0, "fork server": 0.0, "child": 0.0, **({"adapter": 0.0} if beside else {})}
    run = subprocess.Popen(words, env=os.environ | environment, stdout=subprocess.DEVNULL)
    while run.poll() is None:
        level = {run.pid: "supervisor"} | dict.fromkeys(beside, "adapter")
        while level:
            below: dict[int, str] = {}
            for pid, kind in level.items():
                # A process may end between being listed and being looked at.
                with contextlib.suppress(OSError):
                    peaks[kind] = max(peaks[kind], private_mb(pid))
                    if kind != "adapter":
                        below |= dict.fromkeys(children(pid), "fork server" if kind == "supervisor" else "child")
            level = below
        time.sleep(0.02)
    return run.returncode, peaks


def measure(spec: str, run: str, title: str, beside: Sequence[int] = (), **environment: str) -> float:
    """Run one method, print a line, and return the highest peak.

    Raises:
        SystemExit: If the run or a row of it fails.
    """
    dataset, cutoff = RUNS[run]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="memory-", dir=DEFAULT_PARENT) as scratch:
        saved = Path(scratch, "run.json")
        words = [sys.executable, "-m", "imgstore_tui", "run", "-b", spec, "-d", dataset, "-n", cutoff, "--quiet"]
        words += ["-o", OPERATIONS, "--rounds", "1", "--budget", "3h", "--scratch", scratch, "--save", str(saved)]
        own = {"IMGSTORE_TUI_HOME": f"{scratch}/home"}
        status, peaks = watch(words, beside, **own, **environment)
        rows = json.loads(saved.read_text())["measurements"] if saved.is_file() else []
    failed = [f"{row['operation']}: {row['status']}, {row.get('reason')}" for row in rows if row["status"] != "ok"]
    if status or failed or not rows:
        raise SystemExit(f"{title}: the run ended with {status}: nothing is shown by that. {'; '.join(failed)}")
    figures = "  ".join(f"{kind} {peak:6.1f} MB" for kind, peak in peaks.items())
    print(f"{cutoff:>5} x {dataset:18} {title:38} {figures}  {time.monotonic() - began:5.0f} s", flush=True)
    return max(peaks.values())


def measure_server(name: str, specs: Sequence[str]) -> float:
    """Start a node, run the large data set through it, end and remove it; return the highest peak.

    Raises:
        SystemExit: If there is too little room, or a run fails.
    """
    free = shutil.disk_usage(DEFAULT_PARENT).free
    if free < ROOM_BYTES:
        raise SystemExit(f"{name}: {DEFAULT_PARENT} has {free / 1e9:.0f} GB free, {ROOM_BYTES / 1e9:.0f} are needed.")
    kind = registry.backends.get(recipe(name).backend)
    raw = kind.name if kind.default_codec == "raw" else f"{kind.name}+raw"
    worst = 0.0
    with running_node(recipe(name)) as node:
        for spec in specs or [raw]:
            beside = [pid for pid in node.pids if is_ours(pid)]
            worst = max(worst, measure(spec, "large", f"{name} {spec}", beside, **node.variables()))
    return worst


def main() -> int:
    """Measure what is asked for; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", nargs="*", default=[])
    parser.add_argument("--only", choices=RUNS, default=None)
    parser.add_argument("--servers", nargs="*", metavar="NAME", default=None)
    words = parser.parse_args()
    peaks: list[float] = []
    failures: list[str] = []
    if words.servers is not None:
        for name in words.servers or [name for name, one in all_recipes().items() if one.programs() is not None]:
            try:
                peaks.append(measure_server(name, words.spec))
            except SystemExit as error:
                failures.append(str(error))
                print(error, flush=True)
    else:
        for run in [words.only] if words.only else RUNS:
            peaks += [measure(spec, run, spec) for spec in words.spec or ["disk", "lmdb", "hdf5"]]
    within_limit = all(peak <= LIMIT_MB for peak in peaks)
    print(f"peak {max(peaks, default=0.0):.0f} MB, limit {LIMIT_MB:.0f} MB: {'kept' if within_limit else 'EXCEEDED'}")
    return 0 if within_limit and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
