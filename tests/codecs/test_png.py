"""The codec png: the conformance suite, and what Pillow alone makes of it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import resolve_options
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import pixels


class TestPng(CodecConformance):
    codec = "png"
    settings = ({}, {"level": 6, "strategy": "default"}, {"level": 0}, {"level": 9, "strategy": "huffman"})


def coder(**chosen: Any) -> Codec:
    kind = registry.codecs.get("png")
    return kind(resolve_options(kind.options, chosen, "it"))


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    image = pixels(shape, 1)
    with Image.open(io.BytesIO(coder().encode(image))) as picture:
        assert picture.format == "PNG"
        np.testing.assert_array_equal(np.asarray(picture).reshape(shape), image)


def test_16_bit_grey_keeps_every_bit() -> None:
    image = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(coder().decode(coder().encode(image)), image)


def test_a_channel_axis_of_one_stays_and_an_absent_one_stays_absent() -> None:
    for shape in ((7, 5), (7, 5, 1)):
        payload = coder().encode(pixels(shape, 2))
        assert coder().decode(payload).shape == shape
        out = np.zeros(shape, np.uint8)
        coder().decode_into(payload, out)
        np.testing.assert_array_equal(out, pixels(shape, 2))


def test_the_articles_settings_are_pillows_own() -> None:
    image = smooth((64, 48, 3))
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    assert coder(level=6, strategy="default").encode(image) == buffer.getvalue()


def test_options_do_something() -> None:
    image = smooth((64, 48, 3))
    sizes = [len(coder(level=level).encode(image)) for level in (0, 1)]
    assert sizes[0] > image.nbytes > sizes[1]


@pytest.mark.parametrize(("shape", "dtype"), [((7, 5, 3), "uint16"), ((7, 5, 2), "uint8"), ((0, 5), "uint8")])
def test_what_would_lose_bits_is_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="16-bit grey"):
        coder().check(shape, dtype)
