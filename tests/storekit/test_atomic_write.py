"""A file is there whole or not at all, whatever happens while it is written."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from imgstore_tui.core.errors import FileTakenError
from imgstore_tui.storekit.atomic_write import atomic_file, write_atomic
from tests.support.entry_points import ROOT

PARTIAL = "facts.json.partial"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    path.write_bytes(b"before")
    return path


@pytest.mark.parametrize("partial_name", [None, PARTIAL])
def test_it_has_its_name_only_when_the_block_ends(path: Path, partial_name: str | None) -> None:
    with atomic_file(path, partial_name=partial_name) as file:
        file.write(b"after")
        file.flush()
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("partial_name", [None, PARTIAL])
def test_a_block_that_raises_leaves_what_was_there(path: Path, partial_name: str | None) -> None:
    def fail_halfway() -> None:
        with atomic_file(path, partial_name=partial_name) as file:
            file.write(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        fail_halfway()
    assert path.read_bytes() == b"before"
    assert list(path.parent.iterdir()) == [path]


def test_a_partial_file_of_a_dead_process_is_replaced_and_its_link_not_followed(path: Path, tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib; from imgstore_tui.storekit.atomic_write import atomic_file\n"
        f"with atomic_file(pathlib.Path(sys.argv[1]), partial_name={PARTIAL!r}) as file:\n"
        "    file.write(b'x' * 100_000); file.flush(); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=ROOT)
    assert done.returncode == 9
    assert (path.parent / PARTIAL).stat().st_size == 100_000
    assert path.read_bytes() == b"before"
    (tmp_path / "precious").write_bytes(b"mine")
    for make_link in (False, True):
        if make_link:
            (path.parent / PARTIAL).symlink_to(tmp_path / "precious")
        with atomic_file(path, partial_name=PARTIAL) as file:
            file.write(b"after")
        assert path.read_bytes() == b"after"
    assert (tmp_path / "precious").read_bytes() == b"mine"
    assert not (path.parent / PARTIAL).exists()


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "new"

    def write_while_another_takes_the_name() -> None:
        with atomic_file(path, overwrite=False) as file:
            file.write(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        write_while_another_takes_the_name()
    assert path.read_bytes() == b"theirs"
    with pytest.raises(FileTakenError):
        write_atomic(path, b"ours")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed (apt-get install strace)")
def test_a_durable_file_is_forced_before_it_has_its_name_and_its_folder_after(path: Path) -> None:
    trace = path.with_name("trace")
    script = (
        "import sys, pathlib; from imgstore_tui.storekit.atomic_write import write_atomic; "
        "write_atomic(pathlib.Path(sys.argv[1]), b'after', overwrite=True)"
    )
    command = ["strace", "-f", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2", "-o", str(trace)]
    subprocess.run([*command, sys.executable, "-c", script, str(path)], check=True, cwd=ROOT)
    calls = [line.split("(")[0].split()[-1] for line in trace.read_text().splitlines() if "(" in line and "=" in line]
    assert [call.rstrip("at2") if call.startswith("rename") else call for call in calls] == ["fsync", "rename", "fsync"]
