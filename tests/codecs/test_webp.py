"""The codec webp: the conformance suite, lossless and lossy, and the alpha channel in all its states."""

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
from imgstore_tui.testing.store_material import pixels


class TestWebp(CodecConformance):
    codec = "webp"
    settings = ({}, {"method": 0, "quality": 0}, {"lossless": False}, {"lossless": False, "quality": 95, "method": 6})


def coder(**chosen: Any) -> Codec:
    kind = registry.codecs.get("webp")
    return kind(resolve_options(kind.options, chosen, "it"))


def test_the_option_says_whether_it_is_lossless() -> None:
    assert coder().lossless
    assert not coder(lossless=False).lossless


@pytest.mark.parametrize("alpha", [0, 1, 254, 255, None])
@pytest.mark.parametrize("lossless", [True, False])
def test_an_alpha_channel_stays_whatever_is_in_it(alpha: int | None, lossless: bool) -> None:
    image = pixels((20, 30, 4), 1)
    if alpha is not None:
        image[:, :, 3] = alpha
    chosen = coder(lossless=lossless)
    payload = chosen.encode(image)
    decoded = chosen.decode(payload)
    assert decoded.shape == image.shape
    np.testing.assert_array_equal(decoded[:, :, 3], image[:, :, 3])
    if lossless:
        np.testing.assert_array_equal(decoded, image)
    out = np.zeros_like(image)
    chosen.decode_into(payload, out)
    np.testing.assert_array_equal(out, decoded)


def test_pillow_reads_the_same() -> None:
    image = smooth((40, 30, 3))
    with Image.open(io.BytesIO(coder().encode(image))) as picture:
        assert picture.format == "WEBP"
        np.testing.assert_array_equal(np.asarray(picture), image)


@pytest.mark.parametrize(
    ("shape", "dtype"), [((7, 5, 2), "uint8"), ((7, 5), "uint32"), ((16_384, 1, 3), "uint8"), ((0, 5), "uint8")]
)
def test_what_has_no_place_is_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="Codec webp takes"):
        coder().check(shape, dtype)


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1)])
def test_grey_becomes_colours_in_the_file_and_grey_again(shape: tuple[int, ...]) -> None:
    image = smooth(shape)
    payload = coder().encode(image)
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.mode == "RGB"
    np.testing.assert_array_equal(coder().decode(payload), image)


def test_of_16_bits_the_upper_8_are_kept_if_it_may_lose_any() -> None:
    image = smooth((40, 30, 3), "uint16")
    with pytest.raises(UnsupportedError, match=r"codec\.lossless=no"):
        coder().encode(image)
    chosen = coder(lossless=False, quality=95)
    decoded = chosen.decode(chosen.encode(image))
    assert decoded.dtype == np.uint16
    assert psnr_db(decoded, image) > 30
    assert "16-bit depth" in chosen.drops
    assert "16-bit depth" not in coder().drops
