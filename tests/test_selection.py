"""What runs without --full stands for all that runs with it, and --full leaves out nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ONLY_IN_FULL = {
    "tests/benchmarks/test_fuzz_foreign.py",
    "tests/faults/test_source_tree.py",
    "tests/present/exports/test_report_geometry.py",
    "tests/test_selection.py",
}
"""Files that are left out as a whole without --full."""

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


def collected(*arguments: str) -> list[str]:
    """Return the ids of the tests that pytest would run, in its order."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert ("deselected" in done.stdout) == ("--full" not in arguments)
    return [line for line in done.stdout.splitlines() if "::" in line]


def function(test: str) -> str:
    return test.partition("[")[0]


def test_every_file_is_represented_and_nearly_every_test() -> None:
    everything, part = collected("--full"), collected()
    assert len(everything) == len(set(everything)) > 1.5 * len(part)
    assert part == [test for test in everything if test in set(part)]
    files, files_of_part = ({test.partition("::")[0] for test in tests} for tests in (everything, part))
    assert files - files_of_part == ONLY_IN_FULL
    assert len(set(map(function, part))) > 0.9 * len(set(map(function, everything)))


def test_a_matrix_is_represented_by_each_of_its_values() -> None:
    file = "tests/faults/test_cold_places.py"
    test = f"{file}::test_what_is_called_cold_is_cold_for_fincore"
    names = collected(file), collected(file, "--full")
    part, everything = ([name for name in some if function(name) == test] for some in names)
    assert part == [f"{test}[{values}]" for values in ("ext4-disk", "xfs-lmdb", "overlay-hdf5")]
    assert len(everything) == 3 * 3


def test_a_suite_is_represented_by_the_default_way_to_store() -> None:
    part = collected("tests/backends/test_disk.py", "-k", "TestDisk and (setup or shape or disk)")
    specs = {test.partition("[disk")[2].partition("-")[0].rstrip("]") for test in part if "[disk" in test}
    assert specs == {"+png:preset=tuned", ":preset=tuned"}


def test_a_test_that_is_named_by_itself_is_run() -> None:
    test = "tests/faults/test_cold_places.py::test_what_is_called_cold_is_cold_for_fincore[xfs-disk]"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", test],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert test in done.stdout
