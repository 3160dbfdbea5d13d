"""Every fault for real, for every backend: one failed row that names its cause, the run goes on, results are safe."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.run_folder import leftovers
from tests.faults.places import loop, run_in, tmpfs
from tests.support.program import SMALL_RUN

SPECS = ["disk+raw", "lmdb", "hdf5"]
SMALL_TMPFS = tmpfs("size=48m,nr_inodes=900")

FAULTS = {
    "read-only": ("", "cannot be written: Read-only file system."),
    "immutable": ("", "cannot be written, it is immutable (chattr +i): Operation not permitted."),
    "inodes": (SMALL_TMPFS, "No inodes are left at "),
    "space": (tmpfs("size=48m,nr_inodes=90000"), "The disk is full: "),
    "file-size": ("", "No file may grow beyond 97.7 KiB here (ulimit -f)."),
    "cut-map": ("", "The process was killed by SIGBUS: a file that it had mapped was cut short"),
    "stopped": ("", " s, killed."),
    "held": (loop("ext4", 64), " is held by the kernel ("),
    "memory": ("", "The kernel killed it because memory ran out."),
}

# Which call fails is counted in each child anew, so that only what writes the larger store gets that far.
FAILING_CALLS = {
    "disk+raw": ("trace=write", "inject=write:error=EIO:when=100"),
    "lmdb": ("trace=pwrite64,writev,pwritev", "inject=pwrite64,writev,pwritev:error=EIO:when=15"),
    "hdf5": ("trace=pwrite64", "inject=pwrite64:error=EIO:when=15"),
}
FAILING_SYNCS = {
    "disk+raw": ("trace=fsync", "inject=fsync:error=EIO:when=60"),
    "lmdb": ("trace=fsync,fdatasync,msync", "inject=fsync,fdatasync,msync:error=EIO:when=6"),
    "hdf5": ("trace=fsync", "inject=fsync:error=EIO:when=5"),
}


def drill(place: Path, mount: str, *words: str) -> dict[str, Any]:
    """Run the drill; check what holds whatever the fault; return what it found."""
    outcome: dict[str, Any] = json.loads(run_in(place, mount, "-m", "tests.faults.drill", str(place), *words))
    # To its end, all of it in the journal, nothing left in scratch.
    assert (outcome["status"], outcome["same"], outcome["left"], outcome["warned"]) == ("finished", True, [], [])
    for row in outcome["rows"]:
        if row["round"] == 1:
            assert row["status"] == "ok", row["reason"]
    return outcome


def needs_strace() -> None:
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed (apt-get install strace)")


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_failed_row_that_names_its_cause(fault: str, spec: str, tmp_path: Path) -> None:
    mount, words = FAULTS[fault]
    outcome = drill(tmp_path / "scratch", mount, spec, fault)
    failed = [row for row in outcome["rows"] if row["status"] != "ok"]
    assert [(row["operation"], row["round"]) for row in failed] == [("write-many", 0), ("read-many", 0)]
    assert words in failed[0]["reason"]
    assert failed[1]["reason"].startswith("Not run, because write-many failed: ")


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", SPECS)
def test_an_error_of_the_device_is_one_failed_row(spec: str, tmp_path: Path) -> None:
    needs_strace()
    outcome = drill(tmp_path / "scratch", "", spec, "eio", *FAILING_CALLS[spec])
    failed = [row for row in outcome["rows"] if row["status"] != "ok"]
    assert [(row["operation"], row["cutoff"]) for row in failed] == [("write-many", 200), ("read-many", 200)]
    assert failed[0]["reason"].startswith("The device or file system under ")
    assert "Input/output error" in failed[0]["reason"]


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", SPECS)
def test_a_failed_fsync_is_never_retried(spec: str, tmp_path: Path) -> None:
    needs_strace()
    outcome = drill(tmp_path / "scratch", "", spec, "fsync", *FAILING_SYNCS[spec])
    failed = [row for row in outcome["rows"] if row["status"] != "ok"]
    # A second try would have gone well, and the row with it.
    assert failed
    assert {(row["operation"], row["sync"]) for row in failed} == {("write-many", "end")}
    assert all(row["reason"].startswith("The device or file system under ") for row in failed)
    calls = [line.split(maxsplit=1) for line in (tmp_path / "strace.log").read_text().splitlines()]
    hit = [number for number, (_, call) in enumerate(calls) if call.endswith("(INJECTED)")]
    assert len(hit) == len(failed)
    for number in hit:
        later = [call for process, call in calls[number + 1 :] if process == calls[number][0]]
        assert not any("sync(" in call for call in later)


def test_results_that_cannot_be_made_safe_end_the_run_and_those_before_are_kept(tmp_path: Path) -> None:
    needs_strace()
    done = subprocess.run(
        ["strace", "-D", "-qq", "-o", str(tmp_path / "log"), "-e", "trace=fsync", "-e", "inject=fsync:error=EIO:when=9",
         sys.executable, "-m", "imgstore_tui", *SMALL_RUN],
        capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip
    assert done.returncode == 3
    (line,) = done.stderr.splitlines()
    assert line.startswith("imgstore-tui: Results can no longer be saved in ")
    assert line.endswith(": Input/output error. Earlier ones are safe.")
    run = read_journal(saved_runs()[0])
    assert run.status == "interrupted"
    assert run.measurements
    calls = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("fsync(")]
    assert calls[-1].endswith("(INJECTED)")
    assert list(Path.cwd().iterdir()) == []
    assert leftovers() == []


def test_what_is_stuck_in_the_kernel_is_named_when_a_run_is_stopped(tmp_path: Path) -> None:
    output = run_in(tmp_path / "scratch", loop("ext4", 64), "-m", "tests.faults.stuck", str(tmp_path / "scratch"))
    outcome = json.loads(output)
    assert outcome["status"] == "stopped"
    assert any("is held by the kernel (" in text for text in outcome["warned"])


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", SPECS)
def test_somebody_without_privileges_can_measure_and_is_told_what_he_may_not(spec: str, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to run the program as somebody else: run as root")
    own, others = tmp_path / "own", tmp_path / "others"
    own.mkdir()
    others.mkdir(mode=0o755)
    os.chown(own, 65534, 65534)
    for folder in tmp_path.parents:
        if folder != Path("/") and folder.owner() == "root":
            folder.chmod(folder.stat().st_mode | 0o055)
    environment = {**os.environ, "HOME": str(own), "IMGSTORE_TUI_HOME": str(own / "home"), "TMPDIR": str(own),
                   "IMGSTORE_TUI_LOCK": str(own / "lock")}  # fmt: skip
    # The capability to read anything stays, because this Python may lie where only root looks; that to write does not.
    drop = "-all,+dac_read_search"
    words = ["run", "-b", spec, "-n", "5", "-d", "synthetic,size=8", "--rounds", "1", "--cache", "hot", "cold"]

    def run(scratch: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={drop}",
             f"--ambient-caps={drop}", f"--bounding-set={drop}",
             sys.executable, "-m", "imgstore_tui", *words, "--scratch", str(scratch)],
            capture_output=True, text=True, check=False, timeout=150, env=environment, cwd=own,
        )  # fmt: skip

    refused = run(others)
    assert refused.returncode == 3, refused.stderr
    assert refused.stderr == f"imgstore-tui: Scratch folder {others} cannot be written. Name another with --scratch.\n"
    assert list(others.iterdir()) == []
    done = run(own)
    assert done.returncode == 0, done.stderr
    assert "ok " in done.stderr
    assert not any(path.name.startswith("imgstore-tui-") for path in own.iterdir())
