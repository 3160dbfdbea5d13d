"""The codec qoi: the conformance suite, and that Pillow and it read each other's files."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import pixels

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

KIND = registry.codecs.get("qoi")

needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="imagecodecs is not installed (extra fast)")


@needs
class TestQoi(CodecConformance):
    codec = "qoi"


@needs
@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4), (300, 200, 3), (1, 1, 4)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    for image in (pixels(shape, 1), smooth(shape)):
        with Image.open(io.BytesIO(KIND({}).encode(image))) as picture:
            assert picture.format == "QOI"
            colours = image.reshape(*shape[:2], 1).repeat(3, 2) if shape[2:] in ((), (1,)) else image
            np.testing.assert_array_equal(np.asarray(picture), colours)


@needs
@pytest.mark.parametrize("shape", [(7, 5, 3), (7, 5, 4), (300, 200, 3)])
def test_it_reads_what_pillow_writes(shape: tuple[int, ...]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(pixels(shape, 1)).save(buffer, "QOI")
    np.testing.assert_array_equal(KIND({}).decode(buffer.getvalue()), pixels(shape, 1))


@needs
@pytest.mark.parametrize("shape", [(33, 31), (33, 31, 1), (33, 31, 3)])
def test_a_file_cut_anywhere_is_refused(shape: tuple[int, ...]) -> None:
    payload = KIND({}).encode(pixels(shape, 1))
    whole = payload.index(bytes(7) + b"\x01") + 8
    for length in range(whole):
        with pytest.raises(StoreError):
            KIND({}).decode(payload[:length])


@needs
def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    payload = bytearray(KIND({}).encode(pixels((7, 5, 3), 1)))
    payload[4:12] = (2**31 - 1).to_bytes(4, "big") * 2
    with pytest.raises(StoreError, match="more than the 128,000,000"):
        KIND({}).decode(bytes(payload))


@needs
@pytest.mark.parametrize("shape", [(33, 31, 3), (33, 31, 4), (33, 1, 3)])
def test_a_file_with_more_or_fewer_pixels_than_it_says_is_refused(shape: tuple[int, ...]) -> None:
    payload = KIND({}).encode(pixels(shape, 1))
    pixel = b"\xfe\x01\x02\x03"
    for damaged in (
        payload[:14] + payload[18:],  # of noise every pixel has an entry of its own
        payload[:-8] + pixel + payload[-8:],
        payload[:14] + pixel + payload[14:],
        payload[:14] + payload[-8:],
    ):
        for read in (KIND({}).decode, lambda data: KIND({}).decode_into(data, np.zeros(shape, np.uint8))):
            with pytest.raises(StoreError, match=r"more or fewer pixels|cannot be decoded"):
                read(damaged)


@needs
def test_threads_share_no_memory() -> None:
    codec = KIND({})
    images = [pixels((64, 48, 3), number) for number in range(4)]
    payloads = [codec.encode(image) for image in images]
    wrong: list[int] = []

    def read(number: int) -> None:
        wrong.extend(number for _ in range(200) if (codec.decode(payloads[number]) != images[number]).any())

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@needs
def test_its_library_starts_no_thread() -> None:
    script = (
        "import os, numpy; from imgstore_tui import registry; c = registry.codecs.get('qoi')({}); "
        "c.decode(c.encode(numpy.zeros((9, 9, 3), 'u1'))); print(len(os.listdir('/proc/self/task')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == "1"


@needs
@pytest.mark.parametrize(
    ("payload", "image"),
    [
        (
            "716f696600000003000000020300fe000912bb88bb88bb88bb88bb880000000000000001",
            np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * np.uint8(9),
        ),
        (
            "716f696600000003000000020300c0bf88bf88bf88bf88bf880000000000000001696d6773746f7265204857",
            np.arange(6, dtype=np.uint8).reshape(2, 3) * np.uint8(31),
        ),
    ],
)
def test_what_was_stored_by_the_package_qoi_is_read(payload: str, image: Pixels) -> None:
    np.testing.assert_array_equal(KIND({}).decode(bytes.fromhex(payload)), image)
    assert KIND({}).encode(image).hex() == payload
