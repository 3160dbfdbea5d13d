"""The codec original: the conformance suite; the bytes of files are decoded and never made."""

from __future__ import annotations

import numpy as np
import pytest

from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.plugins import registry
from imgstore_tui.testing.conformance_codec import CodecConformance, smooth
from imgstore_tui.testing.store_material import picture_file


class TestOriginal(CodecConformance):
    codec = "original"


def test_it_encodes_nothing() -> None:
    coder = registry.codecs.get("original")({})
    assert coder.from_file
    with pytest.raises(UnsupportedError, match="encodes nothing"):
        coder.encode(smooth((4, 4, 3)))


@pytest.mark.parametrize("number", range(3))
def test_it_decodes_every_kind(number: int) -> None:
    image = smooth((33, 31, 3))
    coder = registry.codecs.get("original")({})
    np.testing.assert_array_equal(coder.decode(picture_file(image, number)), image)
