"""Files of other programs that hold three pictures, and what is read of them or why they are refused."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.testing.store_material import is_sentence


def png(level: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(buffer, "PNG")
    return buffer.getvalue()


FILES = [png(level) for level in (10, 20, 30)]
ROWS = [{"bytes": data, "path": f"{number}.png"} for number, data in enumerate(FILES)]
"""The files as Hugging Face datasets keeps pictures."""


def opened(path: Path, *, backend: str, **layout: Any) -> Reader:
    """Open a file, and assert which backend has recognised it."""
    result = open_foreign(path, ForeignLayout.of(layout))
    assert result is not None
    assert result.backend == backend
    return result.reader


def files(reader: Reader) -> list[bytes]:
    """Return all pictures, the same in order and backwards."""
    with reader:
        count = reader.content.count
        forward = reader.read_bytes(range(count), np.zeros(count, np.int64))
        assert reader.read_bytes(range(count)[::-1], np.zeros(count, np.int64)) == forward[::-1]
        return forward


def refusal(path: Path, *, backend: str, **layout: Any) -> str:
    """Return the sentence by which a file is refused."""
    with pytest.raises(StoreError) as caught:
        opened(path, backend=backend, **layout).close()
    assert is_sentence(str(caught.value), path)
    return str(caught.value)
