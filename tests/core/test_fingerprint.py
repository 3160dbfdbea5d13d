"""The fingerprint is the one that saved runs hold, and tells images, shapes, types, labels and orders apart."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from imgstore_tui.core.fingerprint import Fingerprint

RGB: Any = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
GREY: Any = np.arange(6, dtype=np.uint16).reshape(2, 3)


def fingerprint(*images: tuple[Any, int]) -> str:
    result = Fingerprint()
    for image, label in images:
        result.add(image, label)
    return result.hexdigest()


def test_it_is_the_one_of_saved_runs() -> None:
    data = b"(2, 4, 3)uint8-1;" + bytes(range(24)) + b"(2, 3)uint167;" + GREY.tobytes()
    assert fingerprint((RGB, -1), (GREY, 7)) == hashlib.sha256(data).hexdigest()


def test_the_layout_in_memory_does_not_matter() -> None:
    assert fingerprint((np.asfortranarray(RGB), 0)) == fingerprint((RGB, 0))
    assert fingerprint((np.repeat(RGB, 2, axis=1)[:, ::2], 0)) == fingerprint((RGB, 0))


def test_everything_else_does() -> None:
    other = RGB.copy()
    other[1, 2, 0] ^= 1
    variants = [
        [(RGB, 0)], [(RGB, 1)], [(other, 0)], [(RGB.reshape(4, 2, 3), 0)], [(RGB.view(np.int8), 0)],
        [(RGB, 0), (GREY, 1)], [(GREY, 1), (RGB, 0)], [],
    ]  # fmt: skip
    assert len({fingerprint(*variant) for variant in variants}) == len(variants)


def test_files_that_are_not_decoded_count_by_their_bytes() -> None:
    result = Fingerprint()
    result.add_file(b"a picture", 3)
    assert result.hexdigest() == hashlib.sha256(b"(0, 0)uint83;a picture").hexdigest()
