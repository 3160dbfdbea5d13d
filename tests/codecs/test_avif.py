"""The codec avif: the conformance suite, and its files as Pillow and their boxes show them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.codec import DEPTH, Codec
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.options import resolve_options
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, psnr_db, smooth
from imgstore_tui.testing.store_material import pixels

KIND = registry.codecs.get("avif")

needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="this build of Pillow has no AVIF")


@needs
class TestAvif(CodecConformance):
    codec = "avif"
    settings = ({}, {"speed": 10, "quality": 95, "subsampling": "4:4:4"})


def coder(**chosen: Any) -> Codec:
    return KIND(resolve_options(KIND.options, chosen, "it"))


@needs
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3), (40, 30, 4)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    payload = coder().encode(smooth(shape))
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.format == "AVIF"
        shown = np.asarray(picture.convert("RGBA" if shape[2:] == (4,) else "RGB"))
    decoded = coder().decode(payload)
    np.testing.assert_array_equal(decoded, shown if shape[2:] in ((3,), (4,)) else shown[:, :, 0].reshape(shape))


@needs
def test_quality_and_speed_are_what_they_say() -> None:
    picture: Any = smooth((120, 90, 3)) ^ (pixels((120, 90, 3), 1) & 15)
    sizes = [len(coder(quality=quality).encode(picture)) for quality in (20, 50, 90)]
    assert sizes == sorted(sizes)
    likeness = [psnr_db(coder(quality=x).decode(coder(quality=x).encode(picture)), picture) for x in (20, 50, 90)]
    assert likeness == sorted(likeness)
    assert coder(speed=10).encode(picture) != coder(speed=6).encode(picture)


@needs
@pytest.mark.parametrize("alpha", [0, 1, 254, 255])
def test_an_alpha_channel_stays(alpha: int) -> None:
    image = smooth((40, 30, 4))
    image[:, :, 3] = alpha
    decoded = coder(quality=95).decode(coder(quality=95).encode(image))
    assert decoded.shape == image.shape
    assert np.abs(decoded[:, :, 3].astype(int) - alpha).max() <= 1


@needs
def test_of_16_bits_the_upper_8_are_kept() -> None:
    image = smooth((40, 30, 3), "uint16")
    decoded = coder(quality=95).decode(coder(quality=95).encode(image))
    assert decoded.dtype == np.uint16
    assert psnr_db(decoded, image) > 30
    assert DEPTH in coder().drops


@needs
@pytest.mark.parametrize(
    ("shape", "dtype"), [((7, 5, 2), "uint8"), ((7, 5), "uint32"), ((32_769, 1, 3), "uint8"), ((0, 5), "uint8")]
)
def test_what_has_no_place_is_refused(shape: tuple[int, ...], dtype: str) -> None:
    with pytest.raises(UnsupportedError, match="Codec avif takes"):
        coder().check(shape, dtype)
