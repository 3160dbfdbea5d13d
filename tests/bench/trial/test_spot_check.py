"""What is timed is compared with what was checked: pixels, payloads and labels, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.bench.trial.pixel_cache import PixelCache
from imgstore_tui.bench.trial.read_buffer import ReadBuffer
from imgstore_tui.bench.trial.spot_check import SpotCheck
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins import registry
from tests.support.listed_images import build_listed

COUNT = 6
BLACK = np.zeros((COUNT, 16, 16, 3), np.uint8)
CODEC = registry.make_codec(registry.resolve_spec("disk+png"))


class MemoryReader(Reader):
    """Returns black images and the labels 0; leaves out what it is told to."""

    def __init__(self, *, pixels: bool = True, labels: bool = True, rows: int = 16, calls: int = COUNT) -> None:
        self.content = Content(COUNT, PayloadKind.ARRAY, "raw")
        self._pixels, self._labels, self._rows, self._calls = pixels, labels, rows, calls

    def read_bytes(self, ids: Sequence[int], labels: Any) -> list[bytes]:
        if self._labels:
            labels[:] = 0
        payload = CODEC.encode(BLACK[0])
        return [payload if self._pixels else b"\0" * len(payload) for _ in ids]

    def read_array(self, ids: Sequence[int], out: Any, labels: Any) -> None:
        self._calls -= 1
        if self._labels and self._calls >= 0:
            labels[:] = 0
        if self._pixels:
            out[:, : self._rows] = 0

    def read_labels(self) -> Any:
        return np.zeros(COUNT, np.int64)

    def close(self) -> None:
        """There is nothing to release."""


@pytest.fixture
def source(tmp_path: Path) -> PixelCache:
    _, cache = build_listed(tmp_path, list(BLACK), COUNT)
    return cache


def compare(source: PixelCache, kind: PayloadKind, timed: Reader, *, batch: int = 2, payloads: bool = False) -> None:
    """Read once for the check, then once timed, batch by batch, and compare."""
    spots = SpotCheck(COUNT, batch, payloads=payloads)
    for reader, copy_aside in ((MemoryReader(), spots.copy_checked), (timed, spots.copy_timed)):
        buffer = ReadBuffer(source, CODEC, kind, batch)
        spots.prepare(buffer)
        for start in range(0, COUNT, batch):
            ids = range(start, start + batch)
            buffer.fetch(reader, ids)
            if buffer.encoded and not payloads:
                buffer.decode()
            copy_aside(ids, buffer)
    spots.compare()


@pytest.mark.parametrize("kind", PayloadKind)
def test_the_same_twice_passes(source: PixelCache, kind: PayloadKind) -> None:
    compare(source, kind, MemoryReader())


@pytest.mark.parametrize("batch", [2, COUNT])
def test_what_reads_no_pixels_is_caught_though_all_images_are_alike(source: PixelCache, batch: int) -> None:
    # Neither the memory of the first call nor what the call before has left is taken for what was read.
    with pytest.raises(StoreError, match="of 6 images that were read on the clock are not"):
        compare(source, PayloadKind.ARRAY, MemoryReader(pixels=False), batch=batch)


@pytest.mark.parametrize("batch", [2, COUNT])
@pytest.mark.parametrize("kind", PayloadKind)
def test_what_reads_no_labels_is_caught_though_all_labels_are_alike(
    source: PixelCache, kind: PayloadKind, batch: int
) -> None:
    with pytest.raises(StoreError, match="6 of 6 images"):
        compare(source, kind, MemoryReader(labels=False), batch=batch)


def test_what_reads_half_of_each_image_is_caught(source: PixelCache) -> None:
    with pytest.raises(StoreError, match="of 6 images"):
        compare(source, PayloadKind.ARRAY, MemoryReader(rows=8))


def test_labels_of_the_call_before_are_caught(source: PixelCache) -> None:
    with pytest.raises(StoreError, match=r"of 6 images .* image 2 of them first"):
        compare(source, PayloadKind.ARRAY, MemoryReader(calls=1))


def test_payloads_that_nobody_decodes_are_compared_too(source: PixelCache) -> None:
    compare(source, PayloadKind.BYTES, MemoryReader(), payloads=True)
    with pytest.raises(StoreError, match="are not those of the store"):
        compare(source, PayloadKind.BYTES, MemoryReader(pixels=False), payloads=True)


def test_no_backend_can_know_the_places(source: PixelCache) -> None:
    checks = []
    for _ in range(2):
        spots = SpotCheck(COUNT, COUNT, payloads=False)
        buffer = ReadBuffer(source, CODEC, PayloadKind.ARRAY, COUNT)
        spots.prepare(buffer)
        reader = MemoryReader(pixels=False)
        buffer.fetch(reader, range(COUNT))
        before = [buffer.image(position).copy() for position in range(COUNT)]
        spots.copy_timed(range(COUNT), buffer)
        # It inverts what it has copied, which shows where.
        checks.append([np.flatnonzero((buffer.image(n) != before[n]).ravel()).tolist() for n in range(COUNT)])
    assert all(checks[0])
    assert checks[0] != checks[1]


def test_the_memory_never_begins_as_an_image_of_one_value(source: PixelCache) -> None:
    for _ in range(300):
        assert len(np.unique(ReadBuffer(source, CODEC, PayloadKind.ARRAY, 1).image(0))) == 2
