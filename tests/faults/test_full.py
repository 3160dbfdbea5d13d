"""A full disk, no inodes, a file size limit: one failed row that names its cause, and the run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.places import run_on

SCRIPT = """
import json, os, resource, sys
from pathlib import Path
from imgstore_tui.bench.run import preflight
from imgstore_tui.bench.results.journal import read_journal, saved_runs
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins.registry import resolve_spec
place, spec, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
os.environ["IMGSTORE_TUI_HOME"] = str(place / "home")
# The refusal before the first trial is tested elsewhere: here the disk fills although it was said to be large.
preflight.free_bytes = preflight.free_files = lambda _: 1 << 50
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
plan = Plan(
    specs=(resolve_spec(spec),), datasets=("synthetic,size=32",), cutoffs=(10, 4000), rounds=1, scratch=str(place),
    operations=(Operation.WRITE_MANY, Operation.READ_MANY),
)
run = run_plan(plan)
assert read_journal(saved_runs()[0]) == run
left = [path.name for path in place.iterdir()]
print(json.dumps({"rows": [[m.operation, m.cutoff, m.status, m.reason] for m in run.measurements], "left": left}))
"""
SPECS = ["disk+raw", "lmdb", "hdf5", "lmdb:preset=article", "hdf5:preset=article"]


def check(output: str, words: str) -> None:
    outcome = json.loads(output)
    assert outcome["left"] == ["home"]
    rows = {(operation, cutoff): (status, reason) for operation, cutoff, status, reason in outcome["rows"]}
    assert rows["write-many", 10] == ("ok", None)
    assert rows["read-many", 10] == ("ok", None)
    status, reason = rows["write-many", 4000]
    assert status == "failed"
    assert words in reason
    status, reason = rows["read-many", 4000]
    assert status == "failed"
    assert reason.startswith("Not run, because write-many failed")


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", SPECS)
def test_a_full_disk_fails_one_row_and_results_on_it_are_safe(spec: str, tmp_path: Path) -> None:
    # The pixels (12 MB) fit, pixels and store do not.
    check(run_on("size=17m", tmp_path / "full", SCRIPT, str(tmp_path / "full"), spec, "0"), "The disk is full")


def test_out_of_inodes_is_named(tmp_path: Path) -> None:
    check(
        run_on("size=100m,nr_inodes=600", tmp_path / "few", SCRIPT, str(tmp_path / "few"), "disk+raw", "0"),
        "No inodes are left",
    )


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", ["lmdb", "hdf5"])
def test_a_limit_of_the_file_size_is_one_failed_row(spec: str, tmp_path: Path) -> None:
    # Children inherit the limit; the pixel cache (12.3 MB) stays below it, a store of 4,000 images does not.
    output = run_on("size=100m", tmp_path / "limit", SCRIPT, str(tmp_path / "limit"), spec, str(12_290_000))
    outcome = json.loads(output)
    failed = [row for row in outcome["rows"] if row[1] == 4000]
    assert [row[2] for row in failed] == ["failed", "failed"]
    assert failed[0][3].startswith("No file may grow beyond 11.7 MiB here (ulimit -f). ")
