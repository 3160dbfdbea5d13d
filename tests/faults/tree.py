"""A source tree through runs, kills and sweeps: ``python -m tests.faults.tree PLACE``; the tree is ``PLACE/tree``.

Prints, as JSON, what of it has changed: bytes, kinds, modes, owners, names, links, and both times of change.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.run_folder import leftovers
from imgstore_tui.core.errors import DataError

KILLS = 5


def look(top: Path) -> dict[str, tuple[object, ...]]:
    entries: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(top):
        for path in (Path(folder), *(Path(folder) / name for name in (*folders, *files))):
            status = path.lstat()
            content = ""
            if path.is_symlink():
                content = str(path.readlink())
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            facts = (
                status.st_mode,
                status.st_uid,
                status.st_nlink,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )
            entries[str(path)] = (*facts, content)
    return entries


def start(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "imgstore_tui", *words, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def broken_off() -> bool:
    try:
        return bool(saved_runs()) and read_journal(saved_runs()[-1]).status != "finished"
    except DataError:
        return False


def main() -> None:
    place = Path(sys.argv[1])
    tree, scratch = place / "tree", place / "scratch"
    scratch.mkdir()
    os.environ["IMGSTORE_TUI_HOME"] = str(place / "home")
    os.environ["IMGSTORE_TUI_LOCK"] = str(place / "lock")
    run = [
        "run", "-d", f'folder:"{tree}"', "-b", "disk", "disk+original", "lmdb", "hdf5", "-n", "4,12", "--rounds", "2",
        "-o", "write-many,read-one,read-many", "--cache", "hot", "cold", "--budget", "none", "--scratch", str(scratch),
    ]  # fmt: skip
    before, order, killed, swept = look(place / "tree"), random.Random(1), 0, 0
    beside = look(place / "outside")
    for number in range(KILLS):
        started = start("resume", "last") if broken_off() else start(*run)
        time.sleep(order.uniform(1.0, 4.0))
        killed += started.poll() is None
        started.send_signal(signal.SIGKILL)
        started.wait()
        if number % 2:
            swept += len(leftovers())
            start_sweep = [sys.executable, "-m", "imgstore_tui", "sweep"]
            subprocess.run(start_sweep, check=True, capture_output=True)
    code = start(*(("resume", "last") if broken_off() else run)).wait()
    after = look(place / "tree")
    changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    print(json.dumps({
        "changed": changed, "beside": look(place / "outside") == beside, "killed": killed, "swept": swept, "code": code,
        "entries": len(before), "left": [path.name for path in scratch.iterdir()],
        "failed": [m.reason for m in read_journal(saved_runs()[-1]).measurements if m.status != "ok"],
    }))  # fmt: skip


if __name__ == "__main__":
    main()
