"""Sends and receives messages of JSON with bytes, between a process that reads a store and the one that asks."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

LENGTHS = struct.Struct("<QQ")
"""The head of a message: the bytes of its JSON text, and the bytes that follow it."""

Chunks = Sequence[bytes | memoryview]


def write_message(stream: BinaryIO, facts: dict[str, Any], chunks: Chunks) -> None:
    """Write a message, and flush the stream.

    Args:
        stream: Where to write.
        facts: The part that is JSON.
        chunks: The part that is bytes, in pieces.

    Raises:
        BrokenPipeError: If the other process is gone.
    """
    text = json.dumps(facts).encode("utf-8")
    stream.write(LENGTHS.pack(len(text), sum(map(len, chunks))))
    stream.write(text)
    stream.writelines(chunks)
    stream.flush()


def read_message(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes]:
    """Read a message.

    Args:
        read: Returns exactly as many bytes as it is given, or raises.

    Returns:
        The JSON and the bytes.
    """
    text_length, data_length = LENGTHS.unpack(read(LENGTHS.size))
    return json.loads(read(text_length)), read(data_length)
