"""Writes and changes stores at every sync level, with marks for strace around what is timed.

``python -m tests.support.sync_calls SPEC FOLDER`` prints a line of JSON for each operation and level: the sync calls
that the row would say, or why there is no row. ``traced`` runs it under strace and adds what the kernel saw.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from imgstore_tui.bench.protocol.messages import Step, TrialRequest, TrialResult
from imgstore_tui.bench.trial.clock import Clock
from imgstore_tui.bench.trial.edit import edit
from imgstore_tui.bench.trial.pixel_cache_writer import build_pixel_cache
from imgstore_tui.bench.trial.setup import TrialSetup
from imgstore_tui.bench.trial.write import write, write_many
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry
from tests.support.entry_points import ROOT

IMAGES = 40
OPERATIONS = (Operation.WRITE_MANY, Operation.APPEND, Operation.OVERWRITE, Operation.DELETE)
LEVELS = (SyncLevel.BUFFERED, SyncLevel.END, SyncLevel.BATCH)
_REPLACES = re.compile(r"O_TRUNC|\bcreat\(|\brename(at|at2)?\((?!.*RENAME_NOREPLACE)")
_CALLS = re.compile(r"^\d+ +(fsync|fdatasync|syncfs|sync|sync_file_range|msync\([^)]*MS_SYNC)\b")


@dataclass(frozen=True, slots=True)
class SyncCalls:
    """The sync calls of one operation at one level."""

    operation: str
    level: str
    reported: int | None
    """According to the row; None if it does not say."""
    reason: str | None
    """Why there is no such row."""
    traced: tuple[str, ...] = ()
    """Calls that strace saw while the clock ran."""
    replaced: tuple[str, ...] = ()
    """Files that were truncated or renamed over while the clock ran, though they were made there: ext4 begins to write
    out what takes their place."""


def traced(spec: str, folder: Path) -> list[SyncCalls]:
    """Run this module under strace."""
    log = folder / "strace.log"
    command = [
        "strace", "-f", "-qq", "-s", "200", "-o", str(log),
        "-e", "trace=fsync,fdatasync,syncfs,sync,sync_file_range,msync,access,faccessat,faccessat2,"
        "open,openat,creat,rename,renameat,renameat2,unlink,unlinkat",
        sys.executable, "-m", "tests.support.sync_calls", spec, str(folder),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[tuple[str, str], list[str]] = {}
    replaced: dict[tuple[str, str], list[str]] = {}
    inside: list[str] | None = None
    for line in log.read_text(errors="replace").splitlines():
        if mark := re.search(r'"/(begin|end) (\S+) (\S+)"', line):
            inside = seen.setdefault((mark[2], mark[3]), []) if mark[1] == "begin" else None
            made, again = set[str](), replaced.setdefault((mark[2], mark[3]), [])
        elif inside is not None and "resumed>" not in line and _CALLS.search(line):
            inside.append(line.partition("(")[0])
        elif inside is not None and " unlink" in line:
            made -= set(re.findall(r'"([^"]*)"', line))
        elif inside is not None and (path := _made_at(line)):
            again += [path] if path in made and _REPLACES.search(line) else []
            made.add(path)
    rows = [SyncCalls(**json.loads(line)) for line in done.stdout.splitlines()]
    return [
        replace(
            row,
            traced=tuple(seen.get((row.operation, row.level), ())),
            replaced=tuple(replaced.get((row.operation, row.level), ())),
        )
        for row in rows
    ]


def _made_at(line: str) -> str:
    """Return the path at which a call made a file, or gave it that name; empty if it did neither."""
    call = re.search(r"\b(open|openat|creat|rename|renameat|renameat2)\(", line)
    paths = re.findall(r'"([^"]*)"', line)
    if call is None or not paths or " = -1 " in line:
        return ""
    return str(paths[-1]) if "rename" in call[1] or call[1] == "creat" or "O_CREAT" in line else ""


def main(spec_text: str, folder: Path) -> None:
    """Measure every operation at every level, and print what the rows say."""
    source = folder / "source"
    source.mkdir()
    dataset = registry.make_dataset("synthetic,size=8")
    dataset.scan()
    build_pixel_cache(
        dataset, "synthetic", IMAGES + 1, source, originals=False, progress=lambda *_: None, cancel=threading.Event()
    )
    spec = registry.resolve_spec(spec_text)
    backend = registry.backends.get(spec.backend)
    for number, level in enumerate(LEVELS):
        for operation in OPERATIONS:
            if not backend.capabilities.claims(operation):
                continue
            location = folder / f"store-{number}-{operation}"
            request = TrialRequest(
                Step.TRIAL, spec, operation, IMAGES, str(location), str(source), str(folder), batch=16, sync=level
            )
            setup, reason, result = TrialSetup.of(request, lambda _: None), None, TrialResult()
            try:
                if operation is not Operation.WRITE_MANY:
                    first = TrialRequest(
                        Step.TRIAL, spec, operation, IMAGES, str(location), str(source), str(folder), batch=16
                    )
                    write(TrialSetup.of(first, lambda _: None), location, IMAGES, Clock())
                _mark(f"/begin {operation} {level}")
                timed = (write_many if operation is Operation.WRITE_MANY else edit)(setup, location, Clock())
                _mark(f"/end {operation} {level}")
                result = timed.complete(result)
            except UnsupportedError as error:
                reason = str(error)
            row = {"operation": operation, "level": level, "reported": result.sync_count, "reason": reason}
            print(json.dumps(row))


def _mark(text: str) -> None:
    """Make a system call that strace shows."""
    os.access(text, os.F_OK)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
