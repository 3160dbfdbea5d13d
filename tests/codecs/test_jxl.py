"""The codec jxl: the conformance suite, and its files as the library by itself and their boxes show them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.options import resolve_options
from imgstore_tui.images.jxl_header import size_in
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, psnr_db, smooth
from imgstore_tui.testing.store_material import pixels

KIND = registry.codecs.get("jxl")

needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="imagecodecs is not installed (extra fast)")


@needs
class TestJxl(CodecConformance):
    codec = "jxl"
    settings = ({}, {"effort": 1}, {"lossless": False}, {"lossless": False, "distance": 0.5, "effort": 7})


def coder(**chosen: Any) -> Codec:
    return KIND(resolve_options(KIND.options, chosen, "it"))


def test_the_option_says_whether_it_is_lossless() -> None:
    assert coder().lossless
    assert not coder(lossless=False).lossless


@needs
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3), (40, 30, 4)])
def test_the_library_reads_the_same(shape: tuple[int, ...], dtype: str) -> None:
    import imagecodecs

    image = smooth(shape, dtype)
    decoded = imagecodecs.jpegxl_decode(coder().encode(image))
    np.testing.assert_array_equal(decoded.reshape(shape), image)


@needs
def test_distance_is_what_it_says() -> None:
    picture: Any = smooth((120, 90, 3)) ^ (pixels((120, 90, 3), 1) & 15)
    coders = [coder(lossless=False, distance=distance) for distance in (8.0, 2.0, 0.5)]
    payloads = [each.encode(picture) for each in coders]
    assert [len(payload) for payload in payloads] == sorted(map(len, payloads))
    likeness = [psnr_db(each.decode(payload), picture) for each, payload in zip(coders, payloads, strict=True)]
    assert likeness == sorted(likeness)


@needs
def test_the_size_is_told_without_decoding() -> None:
    import imagecodecs

    sides = (1, 7, 8, 16, 40, 256, 264, 512, 513, 8193)
    for height, width in itertools.product(sides, sides):
        if height * width > 2**20:
            continue
        for container in (False, True):
            made = imagecodecs.jpegxl_encode(
                np.zeros((height, width), np.uint8), lossless=True, effort=1, usecontainer=container
            )
            assert size_in(bytes(made)) == (height, width)


@needs
def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    header = (0b10 << 1 | (2**18 - 1) << 3 | 1 << 21).to_bytes(4, "little")  # not small, 18 bits of height, as wide
    payload = b"\xff\x0a" + header + coder().encode(pixels((40, 30, 3), 1))[6:]
    assert size_in(payload) == (2**18, 2**18)
    with pytest.raises(StoreError, match="more than the 128,000,000"):
        coder().decode(payload)


@needs
@pytest.mark.parametrize("payload", [b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(99)])
def test_a_header_without_a_picture_is_refused(payload: bytes) -> None:
    with pytest.raises(StoreError, match="cut short"):
        coder().decode(payload)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((7, 5, 2), "uint8"), ((7, 5), "uint32"), ((20_000, 20_000, 3), "uint8"), ((0, 5), "uint8")]
)
def test_what_has_no_place_is_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="Codec jxl takes"):
        coder().check(shape, dtype)
