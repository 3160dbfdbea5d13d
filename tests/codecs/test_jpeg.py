"""The codec jpeg: the conformance suite, and that its options do what they say."""

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
from imgstore_tui.testing.conformance_codec import CodecConformance, psnr_db, smooth


class TestJpeg(CodecConformance):
    codec = "jpeg"
    settings = ({}, {"quality": 50}, {"quality": 100, "subsampling": "4:4:4"})


def coder(**chosen: Any) -> Codec:
    kind = registry.codecs.get("jpeg")
    return kind(resolve_options(kind.options, chosen, "it"))


def test_it_says_that_it_is_lossy() -> None:
    assert not coder().lossless
    assert not registry.codecs.get("jpeg").lossless


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    payload = coder().encode(smooth(shape))
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.format == "JPEG"
        np.testing.assert_array_equal(np.asarray(picture).reshape(shape), coder().decode(payload))


def test_more_quality_is_more_alike_and_larger() -> None:
    image = smooth((64, 48, 3))
    payloads = [coder(quality=quality).encode(image) for quality in (10, 50, 90)]
    likeness = [psnr_db(coder().decode(payload), image) for payload in payloads]
    assert [len(payload) for payload in payloads] == sorted(len(payload) for payload in payloads)
    assert likeness == sorted(likeness)


@pytest.mark.parametrize(("option", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_subsampling_is_as_asked_for(option: str, factors: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(coder(subsampling=option).encode(smooth((64, 48, 3))))) as picture:
        assert picture.layer[0][1:3] == factors  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("shape", "dtype"), [((7, 5, 2), "uint8"), ((7, 5), "uint32"), ((65_501, 1, 3), "uint8"), ((0, 5), "uint8")]
)
def test_what_has_no_place_is_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="Codec jpeg takes"):
        coder().check(shape, dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_transparency_is_dropped_and_the_colours_under_it_stay(dtype: str) -> None:
    image = smooth((40, 30, 4), dtype)
    image[:20, :, 3] = 0
    decoded = coder().decode(coder().encode(image))
    assert (decoded.shape, decoded.dtype.name) == (image.shape, dtype)
    assert (decoded[:, :, 3] == np.iinfo(dtype).max).all()
    assert psnr_db(decoded[:, :, :3], image[:, :, :3]) > 30
    assert "transparency" in coder().drops


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3)])
def test_of_16_bits_the_upper_8_are_kept(shape: tuple[int, ...]) -> None:
    image = smooth(shape, "uint16")
    decoded = coder(quality=100, subsampling="4:4:4").decode(coder(quality=100, subsampling="4:4:4").encode(image))
    assert (decoded.shape, decoded.dtype.name) == (shape, "uint16")
    assert int(decoded.max()) > 60_000
    assert psnr_db(decoded, image) > 35
    assert "16-bit depth" in coder().drops


def test_a_comment_of_someone_else_is_no_note() -> None:
    buffer = io.BytesIO()
    Image.fromarray(smooth((40, 30, 3))).save(buffer, "JPEG", comment=b"imgstore HW4/16bits")
    assert coder().decode(buffer.getvalue()).shape == (40, 30, 3)
