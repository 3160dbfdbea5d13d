"""The codec png-fast: the conformance suite, and what Pillow makes of its files."""

from __future__ import annotations

import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import pixels

KIND = registry.codecs.get("png-fast")


def test_it_is_listed_with_the_command_that_gets_it() -> None:
    assert registry.how_to_get(KIND).endswith(" -m pip install 'fpng==0.1.*' 'imagecodecs>=2025.3'")


needs = pytest.mark.skipif(bool(registry.missing_imports(KIND)), reason="imagecodecs is not installed (extra fast)")
needs_fpng = pytest.mark.skipif(importlib.util.find_spec("fpng") is None, reason="fpng is not installed (extra fast)")


@needs
class TestPngFast(CodecConformance):
    codec = "png-fast"
    settings = ({}, {"writer": "libpng"})


@needs
@needs_fpng
@pytest.mark.parametrize("shape", [(7, 5, 3), (7, 5, 4), (300, 200, 3), (1, 1, 4)])
def test_both_writers_make_files_of_the_same_pixels(shape: tuple[int, ...]) -> None:
    for image in (pixels(shape, 1), smooth(shape)):
        files = [KIND({"writer": writer}).encode(image) for writer in ("fpng", "libpng")]
        assert files[0] != files[1]
        for reader in ("fpng", "libpng"):
            for file in files:
                np.testing.assert_array_equal(KIND({"writer": reader}).decode(file), image)
        assert KIND({}).encode(image) == files[0], "a plan of before has no such option"


WITHOUT_FPNG = """
import sys
sys.modules["fpng"] = None
from imgstore_tui import registry
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.testing.conformance_codec import smooth
kind = registry.codecs.get("png-fast")
print(kind.title, kind.requires, kind.options[0].default, registry.resolve_spec("lmdb+png-fast").codec_options)
image = smooth((30, 20, 3))
assert (kind({"writer": "libpng"}).decode(kind({"writer": "libpng"}).encode(image)) == image).all()
try:
    kind({"writer": "fpng"}).encode(image)
except UnavailableError as error:
    print(error)
"""


@needs
def test_without_fpng_libpng_writes_and_says_so() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_FPNG], capture_output=True, text=True, check=True)
    listed, refused = done.stdout.splitlines()
    assert listed == (
        "PNG, libpng at its quickest (fpng is not installed) ('imagecodecs',) libpng (('writer', 'libpng'),)"
    )
    assert re.fullmatch(r"fpng is not installed\. Run: .* -m pip install .*, or .* codec\.writer=libpng\.", refused)


@needs
@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4), (300, 200, 3), (1, 1, 4)])
def test_pillow_reads_the_same(shape: tuple[int, ...]) -> None:
    for image in (pixels(shape, 1), smooth(shape)):
        with Image.open(io.BytesIO(KIND({}).encode(image))) as picture:
            assert picture.format == "PNG"
            np.testing.assert_array_equal(np.asarray(picture).reshape(shape), image)


@needs
def test_it_reads_what_the_codec_png_writes() -> None:
    png = registry.make_codec(registry.resolve_spec("disk+png"))
    for shape in ((7, 5), (7, 5, 1), (7, 5, 3), (7, 5, 4)):
        np.testing.assert_array_equal(KIND({}).decode(png.encode(pixels(shape, 2))), pixels(shape, 2))


@needs
def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    payload = bytearray(KIND({}).encode(pixels((7, 5, 3), 1)))
    payload[16:24] = (2**31 - 1).to_bytes(4, "big") * 2
    with pytest.raises(StoreError, match="more than the 128,000,000"):
        KIND({}).decode(bytes(payload))


@needs
def test_its_libraries_start_no_thread() -> None:
    script = (
        "import os, numpy; from imgstore_tui import registry; c = registry.codecs.get('png-fast')({}); "
        "c.decode(c.encode(numpy.zeros((9, 9, 3), 'u1'))); c.encode(numpy.zeros((9, 9), 'u2')); "
        "print(len(os.listdir('/proc/self/task')))"
    )
    command = [sys.executable, "-c", script]
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env, cwd=root)
    assert done.stdout.strip() == "1"
