"""What a store says of itself is not believed: it makes sense, or it is refused in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imgstore_tui.core.content import Content, PayloadKind
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import read_manifest, write_manifest
from imgstore_tui.testing.store_material import is_sentence

CONTENT = Content(4, PayloadKind.ARRAY, "raw", (6, 4, 3), "uint8", 288)
ODD: list[Any] = [None, True, -1, 1.5, "x", "", [], [[]], {}, {"a": 1}, 2**62, [2**31 - 1, 2**31 - 1, 3], [1, 1, 2**31]]


@pytest.mark.parametrize("name", ["version", "count", "kind", "codec", "shape", "dtype", "payload_bytes"])
def test_nothing_odd_is_believed(name: str) -> None:
    text = write_manifest("lmdb", CONTENT)
    assert read_manifest(text, "lmdb", Path("place"))[0] == CONTENT
    for odd in ODD:
        if (name, odd) in (("codec", "x"), ("payload_bytes", 2**62)):
            continue
        with pytest.raises(StoreError) as caught:
            read_manifest(json.dumps({**json.loads(text), name: odd}), "lmdb", Path("place"))
        assert is_sentence(caught.value, Path("place"))
