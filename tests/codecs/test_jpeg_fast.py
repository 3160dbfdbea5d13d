"""The codec jpeg-fast: the conformance suite, and that Pillow and it read each other's files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.options import resolve_options
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, psnr_db, smooth

KIND = registry.codecs.get("jpeg-fast")
PILLOW = registry.make_codec(registry.resolve_spec("disk+jpeg"))

needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="simplejpeg is not installed (extra fast)")


def coder(**chosen: Any) -> Codec:
    return KIND(resolve_options(KIND.options, chosen, "it"))


def test_it_has_the_options_of_jpeg_and_the_command_that_gets_it() -> None:
    assert KIND.options == type(PILLOW).options
    assert registry.how_to_get(KIND).endswith(" -m pip install 'simplejpeg>=1.8'")


@needs
class TestJpegFast(CodecConformance):
    codec = "jpeg-fast"
    settings = ({}, {"quality": 50}, {"quality": 100, "subsampling": "4:4:4"})


@needs
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3), (1, 1, 3), (301, 203, 3)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    payload = coder().encode(smooth(shape))
    with Image.open(io.BytesIO(payload)) as picture:
        assert picture.format == "JPEG"
        np.testing.assert_allclose(np.asarray(picture).reshape(shape), coder().decode(payload), atol=2)


@needs
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 1), (40, 30, 3), (40, 30, 4)])
def test_it_and_the_codec_jpeg_read_each_others_files(shape: tuple[int, ...], dtype: str) -> None:
    image = smooth(shape, dtype)
    for writer, reader in ((coder(), PILLOW), (PILLOW, coder())):
        decoded = reader.decode(writer.encode(image))
        assert (decoded.shape, decoded.dtype.name) == (shape, dtype)
        assert psnr_db(reader.kept_pixels(decoded), reader.kept_pixels(image)) > 35


@needs
@pytest.mark.parametrize("extra", [{"progressive": True}, {"optimize": True}, {"dpi": (72, 72)}])
def test_it_reads_whatever_pillow_writes(extra: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(smooth((40, 30, 3))).save(buffer, "JPEG", quality=95, **extra)
    assert psnr_db(coder().decode(buffer.getvalue()), smooth((40, 30, 3))) > 35


@needs
def test_a_kind_it_does_not_write_is_refused() -> None:
    buffer = io.BytesIO()
    Image.fromarray(smooth((40, 30, 4)), "CMYK").save(buffer, "JPEG")
    with pytest.raises(StoreError, match="does not write"):
        coder().decode(buffer.getvalue())


@needs
@pytest.mark.parametrize(("option", "factors"), [("4:4:4", (1, 1)), ("4:2:2", (2, 1)), ("4:2:0", (2, 2))])
def test_subsampling_is_as_asked_for(option: str, factors: tuple[int, int]) -> None:
    with Image.open(io.BytesIO(coder(subsampling=option).encode(smooth((64, 48, 3))))) as picture:
        assert picture.layer[0][1:3] == factors  # type: ignore[attr-defined]


@needs
def test_more_quality_is_more_alike_and_larger() -> None:
    image = smooth((64, 48, 3))
    payloads = [coder(quality=quality).encode(image) for quality in (10, 50, 90)]
    likeness = [psnr_db(coder().decode(payload), image) for payload in payloads]
    assert [len(payload) for payload in payloads] == sorted(len(payload) for payload in payloads)
    assert likeness == sorted(likeness)


@needs
def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    payload = bytearray(coder().encode(smooth((40, 30, 3))))
    frame = payload.index(b"\xff\xc0")
    payload[frame + 5 : frame + 9] = (65_500).to_bytes(2, "big") * 2
    with pytest.raises(StoreError, match="more than the 128,000,000"):
        coder().decode(bytes(payload))
