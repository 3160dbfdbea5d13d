"""The codec blosc2: the conformance suite, and chunks as the package blosc2 reads and writes them."""

from __future__ import annotations

import importlib.util
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.options import resolve_options
from imgstore_tui.images import raw
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import pixels

KIND = registry.codecs.get("blosc2")

needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="imagecodecs is not installed (extra fast)")
package = pytest.mark.skipif(
    importlib.util.find_spec("blosc2") is None, reason="blosc2 is not installed (extra interop)"
)
SHAPES = [(33, 31), (33, 31, 1), (33, 31, 3), (33, 31, 4)]


def coder(**chosen: Any) -> Codec:
    return KIND(resolve_options(KIND.options, chosen, "it"))


@needs
class TestBlosc2(CodecConformance):
    codec = "blosc2"
    settings = ({}, {"compressor": "zstd", "level": 9}, {"shuffle": "byte", "compressor": "zlib"}, {"shuffle": "none"})


def in_a_process_of_its_own(script: str, data: bytes, *arguments: str) -> bytes:
    """The package blosc2 starts threads, which this process must not have."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], input=data, capture_output=True, check=True)
    return done.stdout


@needs
@package
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("chosen", [{}, {"compressor": "zstd", "shuffle": "byte"}], ids=str)
def test_the_package_reads_its_chunks(shape: tuple[int, ...], dtype: str, chosen: dict[str, Any]) -> None:
    image = smooth(shape, dtype)
    payload = coder(**chosen).encode(image)
    head = raw.header(image.shape, image.dtype)
    assert payload.startswith(head)
    script = "import sys, blosc2; sys.stdout.buffer.write(blosc2.decompress2(sys.stdin.buffer.read()))"
    assert in_a_process_of_its_own(script, payload[len(head) :]) == image.tobytes()


@needs
@package
@pytest.mark.parametrize("names", ["ZSTD BITSHUFFLE", "LZ4 SHUFFLE", "BLOSCLZ NOFILTER"])
def test_it_reads_chunks_of_the_package(names: str) -> None:
    image = smooth((33, 31, 3))
    script = (
        "import sys, blosc2; c, f = sys.argv[1].split(); sys.stdout.buffer.write(blosc2.compress2("
        "sys.stdin.buffer.read(), typesize=3, clevel=5, codec=blosc2.Codec[c], filters=[blosc2.Filter[f]], nthreads=1))"
    )
    chunk = in_a_process_of_its_own(script, image.tobytes(), names)
    np.testing.assert_array_equal(coder().decode(raw.header(image.shape, image.dtype) + chunk), image)


@needs
def test_sorted_bits_are_smaller() -> None:
    sizes = [len(coder(shuffle=shuffle).encode(smooth((128, 96, 3), "uint16"))) for shuffle in ("bit", "none")]
    assert sizes[0] < sizes[1]


@needs
def test_lengths_are_not_believed() -> None:
    image = pixels((7, 5, 3), 1)
    payload = coder().encode(image)
    start = len(raw.header(image.shape, image.dtype))
    for position in (4, 12):  # what the chunk says of its length, unpacked and packed
        for length in (0, 1, 104, 106, 2**31 - 1, -1):
            harmed = bytearray(payload)
            struct.pack_into("<i", harmed, start + position, length)
            with pytest.raises(StoreError, match="lengths do not fit"):
                coder().decode(bytes(harmed))
    other = raw.header((2**31, 2**31, 4), np.dtype("u1"))
    with pytest.raises(StoreError, match="lengths do not fit"):
        coder().decode(other + payload[start:])


@needs
def test_what_is_too_large_is_refused() -> None:
    for shape in ((2**16, 2**15), (0, 5)):
        with pytest.raises(UnsupportedError, match="takes images of 1 to"):
            coder().check(shape, "uint8")


@needs
def test_its_library_starts_no_thread() -> None:
    script = (
        "import os, numpy; from imgstore_tui import registry; from imgstore_tui.core.options import resolve_options; "
        "kind = registry.codecs.get('blosc2'); c = kind(resolve_options(kind.options, {}, 'it')); "
        "c.decode(c.encode(numpy.zeros((99, 99, 3), 'u1'))); print(len(os.listdir('/proc/self/task')))"
    )
    env = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PATH": ""}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=env, cwd=root)
    assert done.stdout.strip() == "1"
