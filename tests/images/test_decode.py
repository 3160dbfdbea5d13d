"""Decoding picture files: every kind that is taken, and every way in which one can be wrong."""

from __future__ import annotations

import contextlib
import io
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import DataError
from imgstore_tui.images import decode

SUFFIX_OF = {kind: f".{suffix}" for kind, suffix in decode.EXTENSIONS.items()}


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(*shape: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(7).integers(0, 256, shape, np.uint8)


def palette(transparent: bool) -> bytes:
    image = Image.fromarray(noise(5, 7) % 4, "L").convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    return saved(image, "PNG", **({"transparency": 1} if transparent else {}))


def png_16_bit_colour() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + bytes(12) for _ in range(2)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def probe(data: bytes, folder: Path) -> tuple[tuple[int, ...], str]:
    path = folder / "picture.bin"
    path.write_bytes(data)
    return decode.probe(path)


KINDS = {
    "png-grey": (saved(Image.fromarray(noise(5, 7)), "PNG"), (5, 7), "uint8"),
    "png-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "PNG"), (5, 7, 3), "uint8"),
    "png-rgba": (saved(Image.fromarray(noise(5, 7, 4)), "PNG"), (5, 7, 4), "uint8"),
    "png-grey-alpha": (saved(Image.fromarray(noise(5, 7, 2)), "PNG"), (5, 7, 4), "uint8"),
    "png-one-bit": (saved(Image.fromarray(noise(5, 7)).convert("1"), "PNG"), (5, 7), "uint8"),
    "png-one-bit-keyed": (saved(Image.fromarray(noise(5, 7)).convert("1"), "PNG", transparency=0), (5, 7, 4), "uint8"),
    "png-rgb-keyed": (saved(Image.fromarray(noise(5, 7, 3)), "PNG", transparency=(1, 2, 3)), (5, 7, 4), "uint8"),
    "png-16": (saved(Image.fromarray(noise(5, 7).astype(np.uint16) * 257), "PNG"), (5, 7), "uint16"),
    "png-palette": (palette(False), (5, 7, 3), "uint8"),
    "png-palette-alpha": (palette(True), (5, 7, 4), "uint8"),
    "jpeg-grey": (saved(Image.fromarray(noise(5, 7)), "JPEG"), (5, 7), "uint8"),
    "jpeg-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "JPEG"), (5, 7, 3), "uint8"),
    "jpeg-cmyk": (saved(Image.fromarray(noise(5, 7, 3)).convert("CMYK"), "JPEG"), (5, 7, 3), "uint8"),
    "webp-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "WEBP"), (5, 7, 3), "uint8"),
    "webp-rgba": (saved(Image.fromarray(noise(5, 7, 4)), "WEBP", lossless=True), (5, 7, 4), "uint8"),
    "bmp-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "BMP"), (5, 7, 3), "uint8"),
    "bmp-palette": (saved(Image.fromarray(noise(5, 7, 3)).convert("P"), "BMP"), (5, 7, 3), "uint8"),
    "tiff-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "TIFF"), (5, 7, 3), "uint8"),
    "tiff-lzw": (saved(Image.fromarray(noise(5, 7, 3)), "TIFF", compression="tiff_lzw"), (5, 7, 3), "uint8"),
    "tiff-16": (saved(Image.fromarray(noise(5, 7).astype(np.uint16) * 257), "TIFF"), (5, 7), "uint16"),
    "tiff-cmyk": (saved(Image.fromarray(noise(5, 7, 4), "CMYK"), "TIFF"), (5, 7, 3), "uint8"),
    "avif-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "AVIF"), (5, 7, 3), "uint8"),
    "avif-rgba": (saved(Image.fromarray(noise(5, 7, 4)), "AVIF"), (5, 7, 4), "uint8"),
    "ppm-rgb": (saved(Image.fromarray(noise(5, 7, 3)), "PPM"), (5, 7, 3), "uint8"),
    "pgm-16": (b"P5 7 5 65535\n" + noise(5, 7, 2).tobytes(), (5, 7), "uint16"),
    "pgm-12": (b"P5 7 5 4095\n" + (noise(5, 7, 2) % 16).tobytes(), (5, 7), "uint16"),
    "pbm": (saved(Image.fromarray(noise(5, 7)).convert("1"), "PPM"), (5, 7), "uint8"),
}


@pytest.mark.parametrize("name", KINDS)
def test_probe_and_decode_agree(name: str, tmp_path: Path) -> None:
    data, shape, dtype = KINDS[name]
    pixels = decode.decode(data)
    assert (pixels.shape, pixels.dtype.name) == (shape, dtype)
    assert probe(data, tmp_path) == (shape, dtype)
    assert pixels.flags.owndata
    assert pixels.flags.writeable
    assert pixels.flags.c_contiguous
    out = np.zeros_like(pixels)
    decode.decode_into(data, out)
    np.testing.assert_array_equal(out, pixels)


@pytest.mark.parametrize("name", ["png-grey", "png-rgb", "png-rgba", "webp-rgba", "bmp-rgb", "tiff-rgb", "ppm-rgb"])
def test_lossless_kinds_give_the_pixels_back(name: str) -> None:
    data, shape, _ = KINDS[name]
    np.testing.assert_array_equal(decode.decode(data), noise(*shape))


def test_16_bit_grey_keeps_its_depth_in_either_byte_order() -> None:
    expected = noise(5, 7).astype(np.uint16) * 257
    for name in ("png-16", "tiff-16"):
        np.testing.assert_array_equal(decode.decode(KINDS[name][0]), expected)
    big_endian = b"P5 7 5 65535\n" + expected.astype(">u2").tobytes()
    np.testing.assert_array_equal(decode.decode(big_endian), expected)


def test_one_bit_is_black_and_white_and_a_palette_is_its_colours() -> None:
    assert set(np.unique(decode.decode(KINDS["png-one-bit"][0]))) == {0, 255}
    indices = noise(5, 7) % 4
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8)
    np.testing.assert_array_equal(decode.decode(palette(False)), colours[indices])
    alpha = decode.decode(palette(True))
    np.testing.assert_array_equal(alpha[..., 3], np.where(indices == 1, 0, 255))


@pytest.mark.parametrize(
    ("kind", "turned"), [("JPEG", False), ("PNG", False), ("WEBP", False), ("AVIF", False), ("TIFF", True)]
)
def test_orientation_is_left_alone_but_where_the_format_itself_has_it(kind: str, turned: bool, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(noise(5, 7, 3)), kind, exif=exif)
    shape = (7, 5, 3) if turned else (5, 7, 3)
    assert decode.decode(data).shape == shape
    assert probe(data, tmp_path) == (shape, "uint8")


REFUSED = {
    "empty": (b"", "no picture"),
    "text": (b"hello, I am a .png", "no picture"),
    "gif": (saved(Image.fromarray(noise(5, 7)), "GIF"), "no picture"),
    "png-16-bit-colour": (png_16_bit_colour(), "more than 8 bits"),
    "ppm-16-bit-colour": (b"P6 2 2 65535\n" + bytes(24), "more than 8 bits"),
    "tiff-float": (saved(Image.fromarray(noise(5, 7).astype(np.float32)), "TIFF"), "mode F"),
    "tiff-32-bit": (saved(Image.fromarray(noise(5, 7).astype(np.int32)), "TIFF"), "mode I"),
    "tiff-lab": (saved(Image.fromarray(noise(5, 7, 3), "LAB"), "TIFF"), "mode LAB"),
    "png-head-only": (b"\x89PNG\r\n\x1a\n", "damaged"),
    "jpeg-head-only": (b"\xff\xd8\xff\xe0", "damaged"),
    "tiff-head-only": (b"II*\0", "damaged"),
    "webp-head-only": (b"RIFF\0\0\0\0WEBP", "damaged"),
    "bmp-head-only": (b"BM", "damaged"),
    "ppm-head-only": (b"P6 ", "damaged"),
    "avif-head-only": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "damaged"),
    "jxl": (b"\xff\x0a" + bytes(40), "JPEG XL"),
    "jxl-in-boxes": (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40), "JPEG XL"),
    "video": (b"\0\0\0\x1cftypisom\0\0\0\0isommp42mp41" + bytes(40), "no picture"),
    "bomb": (b"P5 100000 100000 255\n", "more than the 128,000,000"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    data, message = REFUSED[name]
    for attempt in (lambda: decode.decode(data), lambda: probe(data, tmp_path)):
        with pytest.raises(DataError, match=message) as caught:
            attempt()
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)
        assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", KINDS)
def test_cut_short_anywhere_it_is_an_error_of_ours_or_a_whole_picture(name: str) -> None:
    data, shape, _ = KINDS[name]
    for length in range(len(data)):
        with contextlib.suppress(DataError):
            assert decode.decode(data[:length]).shape == shape


@pytest.mark.sample_first(9)
@pytest.mark.parametrize("name", KINDS)
def test_a_flipped_byte_never_escapes_as_another_exception(name: str) -> None:
    data = KINDS[name][0]
    for position in range(min(len(data), 300)):
        flipped = bytearray(data)
        flipped[position] ^= 0x7F
        with contextlib.suppress(DataError):
            decode.decode(bytes(flipped))


def test_a_cut_png_is_an_error() -> None:
    with pytest.raises(DataError, match="damaged or cut short"):
        decode.decode(KINDS["png-rgb"][0][:-30])


def test_only_one_format_and_only_the_right_array() -> None:
    data = KINDS["jpeg-rgb"][0]
    with pytest.raises(DataError, match="a JPEG picture, not PNG"):
        decode.decode(data, only="PNG")
    with pytest.raises(DataError, match="not \\(5, 7\\)"):
        decode.decode_into(data, np.zeros((5, 7), np.uint8))
    with pytest.raises(DataError, match="uint16"):
        decode.decode_into(data, np.zeros((5, 7, 3), np.uint16))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read: No such file"):
        decode.probe(tmp_path / "absent.png")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        decode.probe(tmp_path)


def test_sniffing_agrees_with_pillow() -> None:
    for data, _, _ in KINDS.values():
        assert decode.sniff(data) == Image.open(io.BytesIO(data)).format
        assert SUFFIX_OF[str(decode.sniff(data))] in decode.SUFFIXES


def heif() -> Any:
    return pytest.importorskip("pillow_heif", reason="pillow_heif is not installed (extra heif)")


def heic(*shape: int) -> bytes:
    buffer = io.BytesIO()
    heif().from_pillow(Image.fromarray(noise(*shape))).save(buffer, quality=-1)
    return buffer.getvalue()


@pytest.mark.parametrize("shape", [(64, 48, 3), (64, 48, 4)])
def test_heic_is_decoded_where_its_library_is(shape: tuple[int, ...], tmp_path: Path) -> None:
    data = heic(*shape)
    assert decode.sniff(data) == "HEIF"
    assert probe(data, tmp_path) == (shape, "uint8")
    np.testing.assert_array_equal(decode.decode(data), np.asarray(heif().open_heif(io.BytesIO(data))))
    for length in range(0, len(data), max(1, len(data) // 200)):
        with contextlib.suppress(DataError):
            assert decode.decode(data[:length]).shape == shape


def test_heic_without_its_library_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    decode._opener.cache_clear()
    try:
        with pytest.raises(
            decode.NoDecoderError, match=r"needs pillow-heif \(.*GPLv2\)\. Run: .* pip install .*pillow-heif"
        ):
            probe(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40), tmp_path)
    finally:
        decode._opener.cache_clear()


def test_more_than_8_bits_a_channel_are_not_cut_quietly(tmp_path: Path) -> None:
    imagecodecs: Any = pytest.importorskip("imagecodecs", reason="imagecodecs is not installed (extra fast)")
    deep = noise(64, 48, 3).astype(np.uint16) * 4
    made = [bytes(imagecodecs.avif_encode(deep, level=90, bitspersample=10))]
    with contextlib.suppress(ImportError):
        import pillow_heif

        buffer = io.BytesIO()
        pillow_heif.from_bytes("RGB;16", (48, 64), (deep * 16).tobytes()).save(buffer)
        made.append(buffer.getvalue())
    for data in made:
        with pytest.raises(DataError, match="more than 8 bits"):
            probe(data, tmp_path)
