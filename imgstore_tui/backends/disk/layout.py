"""Defines the layout of a store of files: names and the table of labels; creates and reads files."""

from __future__ import annotations

import os
import re
from pathlib import Path

from imgstore_tui.core.errors import StoreError
from imgstore_tui.images import decode

MANIFEST = "store.json"
LABELS = "labels.csv"
HEADER = b"filename,label\n"
PARTIAL = ".partial"
"""Suffix of a file that is to replace another, until it is complete."""
DIGITS = 8
LABEL_WIDTH = 20
"""Width of the smallest int64 in characters."""
MAX_EXTENSION = 8
EXTENSION = re.compile(rf"^[a-z0-9]{{1,{MAX_EXTENSION}}}$")


def name_of(image_id: int, fanout: int) -> str:
    """Return the path of an image's file below the store, without its extension."""
    leaf = f"{image_id:0{DIGITS}d}"
    return f"{image_id // fanout:0{DIGITS}d}/{leaf}" if fanout else leaf


def row_width(fanout: int) -> int:
    """Return the length of every row of the table of labels."""
    return len(name_of(0, fanout)) + 1 + MAX_EXTENSION + 1 + LABEL_WIDTH + 1


def row_of(name: str, label: int, width: int) -> bytes:
    """Return the row of an image: the name of its file and its label, padded with spaces to ``width`` bytes."""
    return f"{name},{label:>{width - len(name) - 2}}\n".encode("ascii")


def extension_of(payload: bytes, codec: str) -> str:
    """Return the file extension of a payload by its first bytes, else the name of the codec."""
    return decode.EXTENSIONS.get(decode.sniff(payload) or "", codec if EXTENSION.match(codec) else "bin")


def new_file(name: str, folder: int) -> int:
    """Create a file, which must not exist yet, and return its descriptor."""
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def read_file(name: str, folder: int) -> bytes:
    """Read a whole file. A link is not followed, and a pipe does not block."""
    file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        size = os.fstat(file).st_size
        data = os.read(file, size)
        while len(data) < size:
            more = os.read(file, size - len(data))
            if not more:
                break
            data += more
        return data
    finally:
        os.close(file)


def file_error(path: Path, error: OSError) -> StoreError:
    """Return the error for a file that the system refuses to open, read or write."""
    return StoreError(f"{path}: {error.strerror or error}.")
