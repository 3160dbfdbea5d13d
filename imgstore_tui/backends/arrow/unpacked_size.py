"""Tells what the message of a record batch takes when it is unpacked, before it is: a few kilobytes may be gigabytes.

Source: the Arrow IPC format (Message.fbs) and the FlatBuffers binary format. Each compressed buffer begins with its
length when it is unpacked, or -1 if it lies as it is.
"""

from __future__ import annotations

import struct
from typing import Any

FREE_BYTES = 1 << 26
"""So much may always be unpacked."""
MOST_SHRUNK = 1100
"""No picture shrinks by more: deflate is the strongest filter that pictures are stored with."""
MOST_BYTES = 1 << 32

_HEADER_TYPE, _HEADER = 1, 2
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_DICTIONARY_DATA = 1
_BUFFERS, _COMPRESSION = 2, 3


def unpacked_bytes(message: Any) -> int:
    """Return the bytes that a message's buffers take when they are unpacked.

    Args:
        message: A ``pyarrow.ipc.Message``.

    Raises:
        ValueError: If the message makes no sense.
    """
    metadata, body = memoryview(message.metadata), memoryview(message.body or b"")
    try:
        root = struct.unpack_from("<I", metadata)[0]
        kind_at, batch = _field(metadata, root, _HEADER_TYPE), _table(metadata, root, _HEADER)
        kind = metadata[kind_at] if kind_at else 0
        if kind == _DICTIONARY_BATCH:
            batch = _table(metadata, batch, _DICTIONARY_DATA)
        elif kind != _RECORD_BATCH:
            return len(body)
        if not batch or not _field(metadata, batch, _COMPRESSION):
            return len(body)
        vector = _table(metadata, batch, _BUFFERS)
        total = 0
        for number in range(struct.unpack_from("<I", metadata, vector)[0] if vector else 0):
            offset, length = struct.unpack_from("<qq", metadata, vector + 4 + 16 * number)
            size = struct.unpack_from("<q", body, offset)[0] if length else 0
            total += length if size < 0 else size
    except (struct.error, IndexError):
        raise ValueError("a message in it makes no sense") from None
    return total


def is_too_large(message: Any) -> bool:
    """Whether a message would take far more memory than pictures of its size do.

    Args:
        message: A ``pyarrow.ipc.Message``.
    """
    packed = len(message.body or b"")
    return unpacked_bytes(message) > min(MOST_BYTES, max(FREE_BYTES, MOST_SHRUNK * packed))


def _field(data: memoryview, table: int, number: int) -> int:
    """Return where a field of a table lies; 0 if the table has none."""
    description = table - struct.unpack_from("<i", data, table)[0]
    place = 4 + 2 * number
    if description < 0 or place >= struct.unpack_from("<H", data, description)[0]:
        return 0
    offset = struct.unpack_from("<H", data, description + place)[0]
    return table + offset if offset else 0


def _table(data: memoryview, table: int, number: int) -> int:
    """Return where the table or vector begins that a field refers to; 0 if there is none."""
    place = _field(data, table, number) if table else 0
    return place + struct.unpack_from("<I", data, place)[0] if place else 0
