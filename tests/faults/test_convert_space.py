"""A conversion and a disk that is too small, or that fills up meanwhile: a sentence that says so, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.core.units import format_bytes
from tests.faults.places import run_on
from tests.support.program import program

COMMAND = """
import os, sys
from imgstore_tui.__main__ import main
from imgstore_tui.jobs.convert import space
os.environ["IMGSTORE_TUI_HOME"] = sys.argv[1] + "/home"
os.dup2(1, 2)  # one stream, in the order in which things are said
if sys.argv[2] == "fills up":
    space.check_space = lambda *_: None
    from imgstore_tui.jobs.convert import fill
    fill.check_space = space.check_space
sys.argv[1:] = ["convert", sys.argv[3], sys.argv[4], sys.argv[1] + "/out", "--quiet"]
try:
    main()
except SystemExit as ended:
    print("exit", ended.code)
"""
DATA = "synthetic,size=32,count=8000"
"""23.4 MiB of pixels."""


def convert(tmp_path: Path, size: str, how: str, spec: str, data: str = DATA) -> list[str]:
    place = tmp_path / "disk"
    return run_on(f"size={size}", place, COMMAND, str(place), how, data, spec).splitlines()


@pytest.mark.parametrize("spec", ["disk+raw", "lmdb+raw", "hdf5", "zarr", "npy", "sqlite+raw"])
def test_a_store_that_has_no_room_is_not_begun(spec: str, tmp_path: Path) -> None:
    if spec == "zarr":
        pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")
    message = convert(tmp_path, "17m", "begins", spec)
    assert message[-1] == "exit 3"
    assert "The store needs about" in message[0]
    assert "17.0 MiB free" in message[0]
    assert "another disk" in message[0]
    assert len(message) == 2


def test_files_that_no_inodes_are_left_for_are_not_begun(tmp_path: Path) -> None:
    message = convert(tmp_path, "100m,nr_inodes=2000", "begins", "disk+raw")
    assert "The store needs 8,000 files" in message[0]
    assert message[1] == "exit 3"


def test_a_backend_that_compresses_is_asked_before_it_is_refused(tmp_path: Path) -> None:
    """One colour shrinks to next to nothing: what is too large as pixels is not as a store."""
    pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    from PIL import Image

    for number in range(60):
        Image.new("RGB", (512, 512), (number, 0, 0)).save(pictures / f"{number:03}.png")
    message = convert(tmp_path, "17m", "begins", "zarr+raw:filter=zstd", f"folder:{pictures}")
    assert message[-1] == "exit 0", message
    refused = convert(tmp_path, "17m", "begins", "zarr+raw:filter=none", f"folder:{pictures}")
    assert format_bytes(60 * 512 * 512 * 3) in refused[0]


@pytest.mark.parametrize(
    "spec", ["disk+raw", "lmdb", "lmdb+raw", "hdf5", "zarr", "zarr+raw", "zarr:chunk=16", "sqlite", "parquet", "npy"]
)
@pytest.mark.sample_diagonal
@pytest.mark.parametrize("size", ["2m", "6m", "15m"])
def test_a_disk_that_fills_up_is_called_full_in_one_sentence(spec: str, size: str, tmp_path: Path) -> None:
    if spec == "parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed (extra arrow)")
    if spec.startswith("zarr"):
        pytest.importorskip("zarr", reason="zarr is not installed (extra zarr)")
    message = convert(tmp_path, size, "fills up", spec)
    assert message[-1] == "exit 3"
    assert "The disk is full" in message[0] or "No space left" in message[0]
    assert [line for line in message[1:-1] if "images are kept" not in line] == []
    assert len(message) <= 3


def test_a_conversion_that_fits_is_as_before(tmp_path: Path) -> None:
    done = program("convert", "synthetic,size=8,count=300", "disk+png", str(tmp_path / "out"), "--quiet")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
