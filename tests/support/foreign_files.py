"""Files of other programs that hold three pictures, and what is read of them or why they are refused."""

from __future__ import annotations

import io
import struct
import tarfile
from collections.abc import Iterable
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


def write_tar(
    path: Path, members: Iterable[tuple[str, bytes] | tarfile.TarInfo], form: int = tarfile.PAX_FORMAT
) -> Path:
    """Write members, or entries without bytes such as links."""
    with tarfile.open(path, "w", format=form) as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
                continue
            facts = tarfile.TarInfo(member[0])
            facts.size = len(member[1])
            tar.addfile(facts, io.BytesIO(member[1]))
    return path


def write_tfrecord(path: Path, *records: dict[str, Any]) -> Path:
    """Write records of tf.train.Example with bytes or whole numbers as features."""
    import google_crc32c

    from imgstore_tui.backends.tfrecord.example import bytes_feature, int64_feature, varint
    from imgstore_tui.backends.tfrecord.records import masked

    data = b""
    for record in records:
        features = b"".join(
            int64_feature(key.encode(), value) if isinstance(value, int) else bytes_feature(key.encode(), value)
            for key, value in record.items()
        )
        example = b"\x0a" + varint(len(features)) + features
        length = struct.pack("<Q", len(example))
        sums = [struct.pack("<I", masked(google_crc32c.value(part))) for part in (length, example)]
        data += length + sums[0] + example + sums[1]
    path.write_bytes(data)
    return path
