"""The codec zstd: the conformance suite, the zstd program's view of it, and frames made to do harm."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.options import resolve_options
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import pixels

KIND = registry.codecs.get("zstd")
RAW = registry.make_codec(registry.resolve_spec("disk+raw"))

needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="backports.zstd is not installed (extra fast)")
program = pytest.mark.skipif(not shutil.which("zstd"), reason="zstd is not installed (apt-get install zstd)")


def coder(**chosen: Any) -> Codec:
    return KIND(resolve_options(KIND.options, chosen, "it"))


@needs
class TestZstd(CodecConformance):
    codec = "zstd"
    settings = ({}, {"level": -5}, {"level": 19})


@needs
def test_a_flipped_byte_never_gives_other_pixels() -> None:
    payload = coder().encode(smooth((33, 31, 3)))
    expected = coder().decode(payload)
    for position in range(len(payload)):
        flipped = payload[:position] + bytes([payload[position] ^ 0x5F]) + payload[position + 1 :]
        try:
            np.testing.assert_array_equal(coder().decode(flipped), expected)
        except StoreError:
            continue


@needs
def test_a_higher_level_is_smaller() -> None:
    sizes = [len(coder(level=level).encode(smooth((128, 96, 3)))) for level in (-7, 1, 19)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]


@needs
@program
def test_the_zstd_program_makes_what_raw_stores_and_the_other_way_round() -> None:
    image = smooth((33, 31, 3))
    unpacked = subprocess.run(["zstd", "-dc"], input=coder().encode(image), capture_output=True, check=True)
    assert unpacked.stdout == RAW.encode(image)
    command = ["zstd", "-c", "-19", f"--stream-size={len(unpacked.stdout)}"]
    made = subprocess.run(command, input=unpacked.stdout, capture_output=True, check=True)
    np.testing.assert_array_equal(coder().decode(made.stdout), image)


@needs
def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    zstd = importlib.import_module(KIND.requires[0])
    payload = zstd.compress(bytes(2_000_000))
    assert len(payload) < 1000
    with pytest.raises(StoreError, match="not of the raw kind"):
        coder().decode(payload)
    # The frame's own word for its length: 8 bytes behind the magic and the descriptor, for a frame of one segment.
    head = b"\x28\xb5\x2f\xfd\xe4" + (2**40).to_bytes(8, "little")
    with pytest.raises(StoreError, match="says that it holds"):
        coder().decode(head + payload[9:])


@needs
def test_what_lies_behind_the_frame_is_refused() -> None:
    payload = coder().encode(pixels((7, 5, 3), 1))
    for more in (b"x", payload):
        with pytest.raises(StoreError, match="does not end where it should"):
            coder().decode(payload + more)
