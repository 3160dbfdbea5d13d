"""A folder of more files of other programs than a process may open."""

from __future__ import annotations

import io
import resource
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins.foreign import open_foreign

COUNT = 150


@pytest.fixture
def few_files() -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (120, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def make_tars(folder: Path) -> list[bytes]:
    pictures = []
    for number in range(COUNT):
        buffer = io.BytesIO()
        Image.new("RGB", (2, 2), (number, 1, 2)).save(buffer, "PNG")
        pictures.append(buffer.getvalue())
        with tarfile.open(folder / f"{number:05}.tar", "w") as tar:
            facts = tarfile.TarInfo("0.png")
            facts.size = len(pictures[-1])
            tar.addfile(facts, io.BytesIO(pictures[-1]))
    return pictures


@pytest.mark.usefixtures("few_files")
def test_more_shards_than_files_may_be_open_are_read(tmp_path: Path) -> None:
    pictures = make_tars(tmp_path)
    opened = open_foreign(tmp_path)
    assert opened is not None
    with opened[1] as reader:
        order = np.random.default_rng(0).permutation(COUNT).tolist()
        labels = np.zeros(COUNT, np.int64)
        assert reader.read_bytes(range(COUNT), labels) == pictures
        assert reader.read_bytes(order, labels) == [pictures[number] for number in order]


@pytest.mark.usefixtures("few_files")
def test_a_shard_that_changes_between_two_reads_is_refused(tmp_path: Path) -> None:
    make_tars(tmp_path)
    opened = open_foreign(tmp_path)
    assert opened is not None
    with opened[1] as reader:
        (tmp_path / "00000.tar").write_bytes(bytes(10240))
        with pytest.raises(StoreError, match=r"00000\.tar has changed since it was scanned"):
            reader.read_bytes([0], np.zeros(1, np.int64))
