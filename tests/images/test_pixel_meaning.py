"""Pixels mean what their file says: a transparent colour of a PNG, and TIFFs of 16 bits in which 0 is white."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import DataError
from imgstore_tui.images.decode import decode, probe


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, depth: int, colour: int, rows: list[bytes], transparent: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = [(b"IHDR", head), (b"tRNS", transparent), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


@pytest.mark.parametrize(
    ("data", "grey", "alpha"),
    [
        (png(2, 8, 0, [b"\x00\x80"], b"\0\x80"), [0, 128], [255, 0]),
        (png(8, 1, 0, [b"\xf0"], b"\0\0"), [255] * 4 + [0] * 4, [255] * 4 + [0] * 4),
        (png(4, 2, 0, [bytes([0b00011011])], b"\0\1"), [0, 85, 170, 255], [255, 0, 255, 255]),
        (png(2, 4, 0, [b"\x0f"], b"\0\x0f"), [0, 255], [255, 0]),
        (png(2, 8, 0, [b"\x00\x80"], b"\0\x07"), [0, 128], [255, 255]),
    ],
    ids=["8 bits", "1 bit", "2 bits", "4 bits", "unused"],
)
def test_a_transparent_grey_becomes_alpha(data: bytes, grey: list[int], alpha: list[int], tmp_path: Path) -> None:
    pixels = decode(data)
    assert pixels[0, :, 3].tolist() == alpha
    assert all(pixels[0, :, channel].tolist() == grey for channel in range(3))
    (tmp_path / "x.png").write_bytes(data)
    assert probe(tmp_path / "x.png") == (pixels.shape, "uint8")


def test_a_transparent_colour_becomes_alpha() -> None:
    pixels = decode(png(2, 8, 2, [bytes([1, 2, 3, 1, 2, 4])], struct.pack(">HHH", 1, 2, 3)))
    assert pixels.tolist() == [[[1, 2, 3, 0], [1, 2, 4, 255]]]


def test_a_transparent_grey_of_16_bits_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="16-bit grey with a transparent value"):
        decode(png(1, 16, 0, [b"\0\1"], b"\0\1"))


@pytest.mark.parametrize("white_is_0", [True, False])
def test_0_is_black_in_a_tiff_of_16_bits(white_is_0: bool) -> None:
    pixels = np.array([[0, 1, 65535]], np.uint16)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "TIFF", tiffinfo={262: 0 if white_is_0 else 1})
    stored = Image.open(io.BytesIO(stream.getvalue())).tag_v2[262]  # type: ignore[attr-defined]
    assert stored == (0 if white_is_0 else 1)
    assert decode(stream.getvalue()).tolist() == [[65535, 65534, 0] if white_is_0 else [0, 1, 65535]]
