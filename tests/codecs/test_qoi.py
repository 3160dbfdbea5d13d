"""The codec qoi: the conformance suite, and that Pillow and it read each other's files."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import pixels

KIND = registry.codecs.get("qoi")

needs = pytest.mark.skipif(bool(registry.missing(KIND)), reason="qoi is not installed (extra qoi)")


@needs
class TestQoi(CodecConformance):
    codec = "qoi"


@needs
@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4), (300, 200, 3), (1, 1, 4)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    for image in (pixels(shape, 1), smooth(shape)):
        with Image.open(io.BytesIO(KIND({}).encode(image))) as found:
            assert found.format == "QOI"
            colours = image.reshape(*shape[:2], 1).repeat(3, 2) if shape[2:] in ((), (1,)) else image
            np.testing.assert_array_equal(np.asarray(found), colours)


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
