"""A run during which one thing goes wrong for real: ``python -m tests.faults.drill SCRATCH SPEC FAULT [INJECTION]``.

Two cutoffs in two rounds, written and read. The fault is there while the larger cutoff is written in the first round,
and mended when that row is in the journal; what strace injects is there in the first round. Results are saved beside
the scratch folder. What became of it all is printed as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.processes import executor
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run import services
from imgstore_tui.bench.run.run_folder import leftovers
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.cgroups import memory_groups
from imgstore_tui.bench.system.disk_space import free_bytes
from imgstore_tui.bench.system.processes import descendants_of
from imgstore_tui.core.events import Event, TrialFinished, TrialStarted, Warned
from imgstore_tui.core.model import Cell, Plan
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins.registry import resolve_spec
from tests.faults.places import CANNOT

SMALL, LARGE = 10, 200
PYTHON = sys.executable


def call(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(f"{words[0]} cannot do it here: {done.stderr.strip()}\n")
        sys.stderr.flush()
        os._exit(CANNOT)


def fill(place: Path, size: int) -> None:
    """Make files of a size until no more can be made."""
    with contextlib.suppress(OSError):
        for number in range(1_000_000):
            with (place / f"filler-{number}").open("wb") as file:
                if size:
                    os.posix_fallocate(file.fileno(), 0, size)


@contextlib.contextmanager
def broken(fault: str, folder: Path) -> Iterator[None]:
    """Let a run's folder, or what works in it, be broken for a while."""
    match fault:
        case "read-only":
            call("mount", "--bind", str(folder), str(folder))
            call("mount", "-o", "remount,ro,bind", str(folder))
            yield
            call("umount", str(folder))
        case "immutable":
            place = str(max(folder.glob("store-*")))  # where the store of this trial is to be made
            call("chattr", "+i", place)
            yield
            call("chattr", "-i", place)
        case "inodes" | "space":
            # Never a disk that others work on.
            assert free_bytes(folder) < 256 << 20
            filler = folder.parent / "filler"
            filler.mkdir()
            fill(filler, 0 if fault == "inodes" else 64 << 10)
            fill(filler, 0 if fault == "inodes" else 4 << 10)
            yield
            shutil.rmtree(filler)
        case "cut-map" | "stopped":
            pixels = folder / "source-0" / "pixels.bin"
            whole = pixels.read_bytes()
            done = threading.Event()
            catch = cut_its_map if fault == "cut-map" else stop_it
            thread = threading.Thread(target=meet_the_child, args=(done, catch, pixels))
            thread.start()
            yield
            done.set()
            thread.join()
            pixels.write_bytes(whole)
        case "held":
            call("fsfreeze", "-f", str(folder))
            try:
                yield
            finally:
                call("fsfreeze", "-u", str(folder))
        case "memory":
            group = Path(os.environ["DRILL_GROUP"])
            limit = next(group / name for name in LIMITS if (group / name).exists())
            # What all have now, the page cache left out, and less than the child needs for its batches.
            words = (group / "memory.stat").read_text().split()
            now = int(words[words.index("rss" if "rss" in words else "anon") + 1])
            limit.write_text(str(now + (8 << 20)))
            yield
            limit.write_text(LIMITS[limit.name])
        case "file-size":
            processes = [os.getpid(), *descendants_of(os.getpid())]
            set_file_size(processes, 100_000)
            yield
            set_file_size(processes, resource.RLIM_INFINITY)
        case _:
            # Injected by strace from the start of the fork server; the next one is started without.
            yield
            sys.executable = PYTHON


def meet_the_child(done: threading.Event, catch: Callable[[int, Path], bool], pixels: Path) -> None:
    """Wait for the child that runs the trial, and have it caught."""
    while not done.is_set():
        for process in descendants_of(os.getpid())[1:]:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                if catch(process, pixels):
                    return
        time.sleep(0.0005)


def stop_it(process: int, pixels: Path) -> bool:
    os.kill(process, signal.SIGSTOP)
    return True


def cut_its_map(process: int, pixels: Path) -> bool:
    """Cut the pixel cache short under a child that has it mapped."""
    if pixels.name not in Path(f"/proc/{process}/maps").read_text():
        return False
    os.kill(process, signal.SIGSTOP)
    os.truncate(pixels, 0)
    os.kill(process, signal.SIGCONT)
    return True


def set_file_size(processes: list[int], most: int) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(process, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))


LIMITS = {"memory.max": "max", "memory.limit_in_bytes": "-1"}
"""Where a control group's limit stands, in both versions, and how there is none."""


def join_a_group() -> None:
    """Put this process into a control group of its own, whose memory can be limited."""
    for top in memory_groups():
        group = top / f"drill-{os.getpid()}"
        with contextlib.suppress(OSError):
            group.mkdir()
            if any((group / name).exists() for name in LIMITS):
                (group / "cgroup.procs").write_text(str(os.getpid()))
                os.environ["DRILL_GROUP"] = str(group)
                return
            group.rmdir()
    sys.stderr.write("a control group that limits memory cannot be made here\n")
    sys.exit(CANNOT)


def leave_the_group() -> None:
    """Remove the group again."""
    group = Path(os.environ["DRILL_GROUP"])
    (group.parent / "cgroup.procs").write_text(str(os.getpid()))
    group.rmdir()


def inject(place: Path, words: list[str]) -> None:
    """Let the fork server and its children run under strace, which makes their calls fail; it notes them in a log."""
    wrapper = place / "python"
    options = " ".join(f"-e {word}" for word in words)
    wrapper.write_text(f'#!/bin/sh\nexec strace -D -f -qq -o "{place}/strace.log" {options} "{PYTHON}" "$@"\n')
    wrapper.chmod(0o755)
    sys.executable = str(wrapper)


def main() -> None:
    scratch, spec, fault = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    place = scratch.parent
    ours = set(scratch.iterdir())
    os.environ["IMGSTORE_TUI_HOME"] = str(place / "home")
    os.environ["IMGSTORE_TUI_LOCK"] = str(place / "lock")
    services.LEAST_LIMIT_S = 1.5 if fault in ("stopped", "held") else 60.0
    executor.STUCK_AFTER_S = 1.0
    plan = Plan(
        specs=(resolve_spec(spec),), datasets=("synthetic,size=32",), cutoffs=(SMALL, LARGE), rounds=2, batch=10,
        operations=(Operation.WRITE_MANY, Operation.READ_MANY), scratch=str(scratch), budget_s=None,
    )  # fmt: skip
    if fault == "file-size":
        plan = replace(plan, datasets=("synthetic,size=256",), cutoffs=(SMALL, 40))
    if fault == "memory":
        plan = replace(plan, datasets=("synthetic,size=1024",), cutoffs=(1, 30), batch=256)
        join_a_group()
    if len(sys.argv) > 4:
        inject(place, sys.argv[4:])
    if fault == "fsync":
        plan = replace(plan, sync=(SyncLevel.BUFFERED, SyncLevel.END))
    with contextlib.ExitStack() as stack:
        warned: list[str] = []

        def hurts(cell: Cell, number: int) -> bool:
            return (cell.operation, cell.cutoff, number) == (Operation.WRITE_MANY, plan.cutoffs[1], 0)

        def listen(event: Event) -> None:
            match event:
                case TrialStarted(cell, number, "trial") if hurts(cell, number):
                    (folder,) = scratch.glob("imgstore-tui-*")
                    stack.enter_context(broken(fault, folder))
                case TrialFinished(measurement) if hurts(measurement.cell, measurement.round):
                    stack.pop_all().close()
                case Warned(text):
                    warned.append(text)

        run = run_plan(plan, listen=listen)
    if fault == "memory":
        leave_the_group()
    rows = [
        {
            "operation": m.operation,
            "cutoff": m.cutoff,
            "sync": m.sync,
            "round": m.round,
            "status": m.status,
            "reason": m.reason,
        }
        for m in run.measurements
    ]
    same = read_journal(saved_runs()[0]) == run
    left = [path.name for path in scratch.iterdir() if path not in ours] + [str(entry.path) for entry in leftovers()]
    print(json.dumps({"rows": rows, "status": run.status, "same": same, "left": left, "warned": warned}))


if __name__ == "__main__":
    main()
