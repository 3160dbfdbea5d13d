"""After a conversion to a format of several files, the command says which of them other programs open."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import numpy as np

from tests.support.program import program


def test_the_file_to_open_is_named(tmp_path: Path) -> None:
    for spec, name in (("npy", "images.npy"), ("webdataset:shard=2", "images-000000.tar")):
        target = tmp_path / name
        done = program("convert", "synthetic,size=8", spec, str(target), "-n", "5")
        assert done.returncode == 0, done.stderr
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("Other programs open")]
        assert f"{target / name}" in line
        if name == "images.npy":
            assert line == f"Other programs open {target / name}."
            assert len(np.load(target / name)) == 5
        else:
            assert line.endswith(" and, beside it, up to images-000002.tar: 3 files.")
            with tarfile.open(target / name) as tar:
                assert len(tar.getnames()) == 4


def test_what_is_opened_whole_needs_no_word(tmp_path: Path) -> None:
    for spec in ("lmdb", "disk+png", "hdf5"):
        done = program("convert", "synthetic,size=8", spec, str(tmp_path / spec), "-n", "3")
        assert done.returncode == 0, done.stderr
        assert "Other programs open" not in done.stderr
    done = program("convert", "synthetic,size=8", "npy", str(tmp_path / "npy"), "-n", "3", "--json")
    assert json.loads(done.stdout)["to_open"] == [str(tmp_path / "npy" / "images.npy")]
