"""What a long journal costs: ``python -m tests.benchmarks.long_journal [--measurements 50k] [-f csv ...]``.

Makes the journal of a run with so many measurements (300 cells, as many rounds as it takes), and prints the CPU seconds
and the peak memory of ``show``, of ``runs`` and of ``export`` in each format. Of CPU seconds only the ratio to
``show`` of a run of 300 measurements carries over to another machine; it is printed, too."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.core.model import Run
from imgstore_tui.core.units import parse_count
from imgstore_tui.testing.fake_runs import fake_run

SPECS = ("disk", "lmdb", "hdf5", "disk+jpeg", "lmdb+png", "lmdb+jpeg", "hdf5:chunks=64", "zarr", "npy", "sqlite")
CUTOFFS = (1, 10, 100, 1000, 10_000, 100_000)
FORMATS = ("csv", "tsv", "json", "md", "html", "tex", "svg")


def write_journal(folder: Path, measurements: int) -> Path:
    """Write the journal of a run with so many measurements; return its path.

    Written at once: a journal that is forced to the device line by line would take minutes.
    """
    cells = len(fake_run(SPECS, CUTOFFS, 1).measurements)
    rounds = -(-measurements // cells)
    head: Run | None = None
    left = measurements
    path = folder / "unwritten"
    for start in range(0, rounds, 50):
        part = fake_run(SPECS, CUTOFFS, min(50, rounds - start), seed=start)
        if head is None:
            head = replace(part, plan=replace(part.plan, rounds=rounds), id=f"20260102-030405-{measurements}")
            journal = Journal.begin(head, folder)
            path = journal.path
            journal.close()
        with path.open("ab") as file:
            for entry in part.measurements[:left]:
                line = replace(entry, round=entry.round - 1 + start)
                file.write(_line("measurement", line.to_json()))
        left -= min(left, len(part.measurements))
    assert head is not None
    with path.open("ab") as file:
        file.write(_line("end", {"status": "finished", "finished_at": head.finished_at}))
    return path


def _line(kind: str, values: dict[str, object]) -> bytes:
    return json.dumps({"kind": kind, **values}, separators=(",", ":")).encode() + b"\n"


def cost(*words: str) -> tuple[float, float, float]:
    """Run a command; return its CPU seconds, its peak memory in MB, and how many MB it printed."""
    with tempfile.TemporaryFile() as output:
        started = subprocess.Popen([sys.executable, "-m", "imgstore_tui", *words], stdout=output)
        _, status, usage = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
        assert started.returncode == 0, words
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.seek(0, os.SEEK_END) / 1e6


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.long_journal", description=__doc__.split("\n")[0])
    parser.add_argument("--measurements", default="50k", metavar="N")
    parser.add_argument("-f", "--format", action="append", metavar="FORMAT", help=f"default: {', '.join(FORMATS)}")
    words = parser.parse_args(arguments)
    measurements = parse_count(words.measurements)
    # The program is to be compiled once, as it is where it is installed.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory(prefix="imgstore-journal-") as name:
        os.environ |= {"IMGSTORE_TUI_HOME": name, "IMGSTORE_TUI_LOCK": str(Path(name, "lock"))}
        folder = Path(name, "runs")
        short = write_journal(folder, 300)
        base, _, _ = cost("show", str(short))
        began = time.process_time()
        path = write_journal(folder, measurements)
        used = time.process_time() - began + resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - base
        print(f"{measurements:,} measurements, {path.stat().st_size / 1e6:.0f} MB, made with {used:.0f} s of CPU")
        print(f"{'show of 300 measurements':28} {base:6.1f} s of CPU")
        for command in (
            ["show", str(path)],
            ["runs"],
            *(["export", str(path), "-f", f] for f in words.format or FORMATS),
        ):
            seconds, peak_mb, printed_mb = cost(*command)
            label = " ".join(word for word in command if word != str(path))
            print(
                f"{label:28} {seconds:6.1f} s of CPU ({seconds / base:4.1f} times)  peak {peak_mb:6.0f} MB"
                f"  printed {printed_mb:7.1f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
