"""Does a long run stay small? ``python -m tests.benchmarks.memory [--spec NAME ...] [--only small|large]``.

Runs 100,000 x 32x32x3 and 5,000 x 512x512x3 (3.9 GB) through the backends as a user would, looks at the private memory
(RssAnon) of every process of the run fifty times a second, and prints the peak of each kind: the supervisor, the
fork server, and the children in which trials run. None may pass 600 MB.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from pathlib import Path

LIMIT_MB = 600.0
RUNS = {"small": ("synthetic", "100k"), "large": ("synthetic,size=512", "5k")}


def private_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def watch(words: list[str]) -> tuple[int, dict[str, float]]:
    """Run to the end; return the exit status and the peak of each kind of process."""
    peaks = {"supervisor": 0.0, "fork server": 0.0, "child": 0.0}
    run = subprocess.Popen(words)
    while run.poll() is None:
        level = {run.pid: "supervisor"}
        while level:
            below: dict[int, str] = {}
            for pid, kind in level.items():
                # A process may end between being listed and being looked at.
                with contextlib.suppress(OSError):
                    peaks[kind] = max(peaks[kind], private_mb(pid))
                    below |= dict.fromkeys(children(pid), "fork server" if kind == "supervisor" else "child")
            level = below
        time.sleep(0.02)
    return run.returncode, peaks


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", nargs="*", default=["disk", "lmdb", "hdf5"])
    parser.add_argument("--only", choices=RUNS, default=None)
    asked = parser.parse_args()
    worst = 0.0
    for name, (dataset, cutoff) in RUNS.items():
        if asked.only not in (None, name):
            continue
        for spec in asked.spec:
            words = [sys.executable, "-m", "imgstore_tui", "run", "-b", spec, "-d", dataset, "-n", cutoff, "--quiet"]
            words += ["-o", "write-many,read-many,read-random,read-labels", "--rounds", "1", "--budget", "3h"]
            status, peaks = watch(words)
            if status:
                raise SystemExit(f"{cutoff} x {dataset} {spec}: the run ended with {status}; nothing is shown by that.")
            worst = max(worst, *peaks.values())
            said = "  ".join(f"{kind} {peak:6.1f} MB" for kind, peak in peaks.items())
            print(f"{cutoff:>5} x {dataset:18} {spec:10} {said}", flush=True)
    print(f"peak {worst:.0f} MB, limit {LIMIT_MB:.0f} MB: {'kept' if worst <= LIMIT_MB else 'PASSED'}")


if __name__ == "__main__":
    main()
