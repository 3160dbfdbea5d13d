"""Cold on several file systems, as the program and fincore see it; and where it is not to be had."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.bench.system.page_cache import evict, mapped_by, resident_share
from tests.faults.places import loop, run_in, tmpfs

SPECS = ["disk", "lmdb", "hdf5"]
OVERLAY = (
    '(mkdir "$1.parts" && cd "$1.parts" && mkdir up low work && '
    'mount -t overlay -o lowerdir=low,upperdir=up,workdir=work overlay "$1")'
)
# Not less than what XFS makes a file system of.
PLACES = {"ext4": loop("ext4", 64), "xfs": loop("xfs", 320), "overlay": OVERLAY, "tmpfs": tmpfs("size=64m")}


def look(place: Path, mount: str, spec: str) -> dict[str, Any]:
    if shutil.which("fincore") is None:
        pytest.skip("fincore is not installed (apt-get install util-linux-extra)")
    outcome: dict[str, Any] = json.loads(run_in(place, mount, "-m", "tests.faults.cold", str(place), spec))
    return outcome


@pytest.mark.sample_diagonal
@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("kind", ["ext4", "xfs", "overlay"])
def test_what_is_called_cold_is_cold_for_fincore(kind: str, spec: str, tmp_path: Path) -> None:
    if kind == "xfs" and shutil.which("mkfs.xfs") is None:
        pytest.skip("mkfs.xfs is not installed (apt-get install xfsprogs)")
    outcome = look(tmp_path / "place", PLACES[kind], spec)
    assert outcome["kind"] == kind
    assert outcome["before"] > 0
    assert (outcome["share"], outcome["after"], outcome["refused"]) == (0.0, 0, None)
    assert (outcome["status"], outcome["reason"]) == ("ok", None)
    assert outcome["proof"].startswith("data cold, metadata warm: 0.0% of the store's pages resident")
    assert outcome["read"] > 0


@pytest.mark.sample_first
@pytest.mark.parametrize("spec", SPECS)
def test_in_memory_nothing_is_called_cold_and_fincore_agrees(spec: str, tmp_path: Path) -> None:
    outcome = look(tmp_path / "place", PLACES["tmpfs"], spec)
    assert outcome["after"] == outcome["before"] > 0
    assert (outcome["share"], outcome["status"], outcome["seconds"], outcome["proof"]) == (None, "skipped", None, None)
    for sentence in (outcome["refused"], outcome["reason"]):
        assert re.fullmatch(
            "(99|100)% of the store stayed in memory on tmpfs after eviction: it is not cold.", sentence
        )


def test_who_else_has_a_file_mapped_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file with space"
    path.write_bytes(b"x" * 100_000)
    code = (
        "import mmap, sys; file = open(sys.argv[1], 'rb'); view = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ); "
        "sum(view[::4096]); print('ready', flush=True); sys.stdin.read()"
    )
    assert mapped_by([path]) is None
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        evict([path])
        # Whether the kernel lets mapped pages go is its own affair; who maps them is known.
        assert resident_share([path]) is not None
        assert f"(process {holder.pid})" in str(mapped_by([path]))
        holder.communicate()
