"""Tests what every codec must do. The test of a codec inherits the class and names the codec.

class TestMine(CodecConformance):
    codec = "mine"
    settings = ({}, {"quality": 50})

Every test runs for each of the settings. Every image that a codec does not claim must be refused in a sentence.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pytest

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnsupportedError
from imgstore_tui.core.options import OptionValue, resolve_options
from imgstore_tui.images import decode
from imgstore_tui.plugins import registry
from imgstore_tui.testing.store_material import Shape, is_sentence, picture_file, pixels

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

SHAPES: list[Shape] = [
    *((7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4), (1, 1), (1, 1, 1), (1, 1, 3), (1, 1, 4)),
    *((1, 300, 3), (300, 1, 3), (33, 31, 3), (7, 5, 2), (7, 5, 5)),
]
TYPES = ("uint8", "uint16")
_LEAST_PSNR_DB = 20.0
"""PSNR below which a decoded smooth picture counts as another picture."""


def smooth(shape: Shape, dtype: str = "uint8") -> Pixels:
    """Return a picture that lossy codecs keep well: slow waves, different in each channel."""
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    waves = [
        np.sin(rows / 9 + number) + np.cos(columns / 13 - number) for number in range(np.prod(shape[2:], dtype=int))
    ]
    most = np.iinfo(dtype).max
    picture = ((np.stack(waves, -1) + 2) / 4 * most).reshape(shape)
    return picture.astype(np.uint16) if dtype == "uint16" else picture.astype(np.uint8)


def psnr_db(a: Pixels, b: Pixels) -> float:
    """Return the PSNR of two pictures in dB; infinite if they are equal."""
    error = float(np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2))
    return float("inf") if not error else 10 * float(np.log10(float(np.iinfo(a.dtype).max) ** 2 / error))


class CodecConformance:
    """The conformance suite of a codec: inherit it and name the codec."""

    codec: ClassVar[str]
    settings: ClassVar[tuple[Mapping[str, OptionValue], ...]] = ({},)
    """Options of the codec, one set per run of every test."""

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "coder" in metafunc.fixturenames:
            codec_class = registry.codecs.get(self.codec)
            coders = [codec_class(resolve_options(codec_class.options, chosen, "it")) for chosen in self.settings]
            names = [",".join(f"{name}={value}" for name, value in chosen.items()) or "-" for chosen in self.settings]
            metafunc.parametrize("coder", coders, ids=names)

    def test_it_declares_what_lists_and_forms_need(self) -> None:
        codec_class = registry.codecs.get(self.codec)
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", codec_class.name)
        assert codec_class.name == self.codec
        assert codec_class.title
        assert re.fullmatch(r"[a-z0-9]{1,8}", codec_class.extension)
        assert all(codec_class.drops)
        assert len({option.name for option in codec_class.options}) == len(codec_class.options)
        for option in codec_class.options:
            assert option.parse(option.default, "it") == option.default
            assert is_sentence(option.summary)

    def test_listing_it_loads_no_driver(self) -> None:
        script = (
            "import sys; from imgstore_tui import registry; kind = registry.codecs.get(sys.argv[1]); "
            "print([name for name in kind.requires if name in sys.modules])"
        )
        command = [sys.executable, "-c", script, self.codec]
        listed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
        assert listed.stdout.strip() == "[]"

    @pytest.mark.parametrize(("shape", "dtype"), list(itertools.product(SHAPES, TYPES)), ids=str)
    def test_what_it_claims_comes_back_and_the_rest_is_refused(self, coder: Codec, shape: Shape, dtype: str) -> None:
        for image in (smooth(shape, dtype), pixels(shape, 1, dtype)):
            if coder.from_file:
                with pytest.raises(UnsupportedError) as caught:
                    coder.encode(image)
                assert is_sentence(caught.value)
                continue
            try:
                coder.check(shape, dtype)
            except UnsupportedError as error:
                assert is_sentence(error)
                with pytest.raises(UnsupportedError) as caught:
                    coder.encode(image)
                assert is_sentence(caught.value)
                continue
            before = image.copy()
            payload = coder.encode(image)
            assert type(payload) is bytes
            np.testing.assert_array_equal(image, before)
            decoded = coder.decode(payload)
            assert (decoded.shape, decoded.dtype.name) == (shape, dtype)
            if coder.lossless:
                np.testing.assert_array_equal(decoded, image)
        if not coder.from_file and _claims(coder, shape, dtype):
            picture = smooth(shape, dtype)
            decoded = coder.kept_pixels(coder.decode(coder.encode(picture)))
            assert psnr_db(decoded, coder.kept_pixels(picture)) > _LEAST_PSNR_DB

    def payload(self, coder: Codec, image: Pixels) -> bytes:
        """Return a payload of an image."""
        return picture_file(image, 0) if coder.from_file else coder.encode(image)

    @pytest.fixture
    def sample(self, coder: Codec) -> bytes:
        return self.payload(coder, smooth((33, 31, 3)))

    def test_it_takes_colour_of_8_bits_at_least(self, coder: Codec) -> None:
        coder.check((7, 5, 3), "uint8")

    def test_the_same_image_gives_the_same_bytes(self, coder: Codec, sample: bytes) -> None:
        assert self.payload(coder, smooth((33, 31, 3))) == sample

    def test_it_takes_a_part_of_a_larger_array(self, coder: Codec) -> None:
        images = np.stack([smooth((33, 31, 3)), smooth((33, 31, 3))[::-1]])
        assert self.payload(coder, images[1]) == self.payload(coder, images[1].copy())

    def test_what_was_decoded_is_the_callers_own(self, coder: Codec, sample: bytes) -> None:
        first, second = coder.decode(sample), coder.decode(sample)
        assert first.flags.writeable
        assert first.flags.c_contiguous
        assert not np.shares_memory(first, second)
        first[...] = 0
        np.testing.assert_array_equal(coder.decode(sample), second)

    def test_decoding_into_an_array_gives_the_same(self, coder: Codec, sample: bytes) -> None:
        expected = coder.decode(sample)
        block = np.full((3, *expected.shape), 7, expected.dtype)
        coder.decode_into(sample, block[1])
        np.testing.assert_array_equal(block[1], expected)
        assert (block[[0, 2]] == 7).all()

    @pytest.mark.parametrize(
        ("shape", "dtype"),
        [((33, 31), "uint8"), ((31, 33, 3), "uint8"), ((33, 31, 3), "uint16"), ((33, 31, 1), "uint8")],
    )
    def test_an_array_that_does_not_fit_is_refused(self, coder: Codec, sample: bytes, shape: Shape, dtype: str) -> None:
        with pytest.raises(StoreError) as caught:
            coder.decode_into(sample, np.zeros(shape, dtype))
        assert is_sentence(caught.value)

    def test_a_payload_cut_short_is_refused_or_whole(self, coder: Codec, sample: bytes) -> None:
        expected = coder.decode(sample)
        refused = 0
        for length in sorted({*range(0, len(sample), max(1, len(sample) // 200)), len(sample) - 1}):
            try:
                np.testing.assert_array_equal(coder.decode(sample[:length]), expected)
            except StoreError as error:
                assert is_sentence(error)
                refused += 1
        assert refused > 10
        for call in (coder.decode, lambda payload: coder.decode_into(payload, np.zeros_like(expected))):
            with pytest.raises(StoreError) as caught:
                call(sample[: len(sample) // 2])
            assert is_sentence(caught.value)

    def test_a_flipped_byte_raises_nothing_but_our_own(self, coder: Codec, sample: bytes) -> None:
        for offset in sorted({*range(min(len(sample), 120)), *range(0, len(sample), max(1, len(sample) // 100))}):
            flipped = sample[:offset] + bytes([sample[offset] ^ 0x5F]) + sample[offset + 1 :]
            try:
                coder.decode(flipped)
            except ImgstoreError as error:
                assert is_sentence(error)

    @pytest.mark.parametrize("payload", [b"", b"x", b"no picture at all, however long it may be" * 9], ids=len)
    def test_what_is_no_payload_is_refused(self, coder: Codec, payload: bytes) -> None:
        with pytest.raises(StoreError) as caught:
            coder.decode(payload)
        assert is_sentence(caught.value)

    def test_no_other_kind_of_picture_is_taken_for_its_own(self, coder: Codec, sample: bytes) -> None:
        if coder.from_file:
            return
        for number in range(3):
            other = picture_file(smooth((33, 31, 3)), number)
            if decode.sniff(other) != decode.sniff(sample):
                with pytest.raises(StoreError) as caught:
                    coder.decode(other)
                assert is_sentence(caught.value)


def _claims(coder: Codec, shape: Shape, dtype: str) -> bool:
    try:
        coder.check(shape, dtype)
    except UnsupportedError:
        return False
    return True
