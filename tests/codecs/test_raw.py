"""The codec raw: the conformance suite, its header to the letter, and headers made to do harm."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from imgstore_tui.codecs.raw import RawCodec
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.testing.conformance_codec import CodecConformance


class TestRaw(CodecConformance):
    codec = "raw"


RAW = RawCodec({})


def test_its_layout_is_what_its_page_says() -> None:
    image = np.arange(24, dtype=np.uint16).reshape(4, 3, 2)
    head = struct.pack("<4sBcBB3I", b"IMGR", 1, b"u", 2, 3, 4, 3, 2)
    assert RAW.encode(image) == head + image.astype("<u2").tobytes()


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", "b1"])
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (2, 3, 4, 5), (0,), (3, 0, 2)])
def test_any_numbers_of_any_shape(dtype: str, shape: tuple[int, ...]) -> None:
    image: Any = np.random.default_rng(1).integers(0, 2, shape).astype(dtype)
    decoded = RAW.decode(RAW.encode(image))
    assert decoded.dtype == image.dtype
    assert decoded.shape == shape
    np.testing.assert_array_equal(decoded, image)
    out = np.ones_like(image)
    RAW.decode_into(RAW.encode(image), out)
    np.testing.assert_array_equal(out, image)


def test_arrays_in_another_order_or_byte_order_come_back_equal() -> None:
    image: Any = np.arange(24, dtype=np.uint16).reshape(4, 6)
    for other in (image.T, image[::2, ::-1], np.asfortranarray(image), image.astype(">u2")):
        np.testing.assert_array_equal(RAW.decode(RAW.encode(other)), other)


@pytest.mark.parametrize("image", [np.array(["a"]), np.array([None]), np.zeros(2, "c8"), np.zeros(2, "M8[s]")])
def test_what_is_no_plain_number_is_refused(image: Any) -> None:
    with pytest.raises(UnsupportedError, match="plain numbers"):
        RAW.encode(image)


def head(
    magic: bytes = b"IMGR", version: int = 1, kind: bytes = b"u", size: int = 1, sides: tuple[int, ...] = (2, 2)
) -> bytes:
    return struct.pack(f"<4sBcBB{len(sides)}I", magic, version, kind, size, len(sides), *sides)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (head(magic=b"XXXX") + bytes(4), "not of the raw kind"),
        (head(version=2) + bytes(4), "layout 2"),
        (head(kind=b"O", size=8) + bytes(32), "makes no sense"),
        (head(kind=b"V", size=1) + bytes(4), "makes no sense"),
        (head(kind=b"u", size=3) + bytes(12), "makes no sense"),
        (head(kind=b"\xff") + bytes(4), "makes no sense"),
        (head(sides=(1,) * 40) + bytes(1), "makes no sense"),
        (head(sides=(2**32 - 1,) * 8), "bytes of pixels"),
        (head(sides=(2**31, 2**31, 4)), "bytes of pixels"),
        (head() + bytes(3), "3 bytes of pixels, not 4"),
        (head() + bytes(5), "5 bytes of pixels, not 4"),
        (head()[:-1], "cut short"),
    ],
)
def test_a_header_is_not_believed(payload: bytes, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        RAW.decode(payload)
