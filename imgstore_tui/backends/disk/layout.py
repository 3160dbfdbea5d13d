"""Defines the layout of a store of files: names and the table of labels; creates and reads files."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.image_names import safe_name, split_ending
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
_SAME = frozenset({("jpg", ".jpeg"), ("jpg", ".jpe"), ("jpg", ".jfif"), ("tif", ".tiff"), ("bmp", ".dib")})
"""Endings that mean the same."""
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


def named_row_width(name_bytes: int) -> int:
    """Return the length of every row of the table of a store whose images have names: quotes may double a name."""
    return 2 * name_bytes + 2 + 1 + MAX_EXTENSION + 1 + LABEL_WIDTH + 1


def named_row(name: str, label: int, width: int) -> bytes:
    """Return the row of an image that has a name, quoted where CSV asks for it, padded with spaces."""
    quoted = '"' + name.replace('"', '""') + '"' if set(name) & set(',"') or name != name.strip() else name
    field = quoted.encode()
    return b"%s,%s\n" % (field, str(label).encode().rjust(width - len(field) - 2))


def name_in_row(row: bytes) -> str:
    """Return the name in a row; empty if it is none that a store may hold."""
    try:
        field = row[: -1 - LABEL_WIDTH].rstrip(b" ").removesuffix(b",").decode()
    except UnicodeDecodeError:
        return ""
    if field.startswith('"') and field.endswith('"') and len(field) > 1:
        field = field[1:-1].replace('""', '"')
    return field if field and safe_name(field) == field else ""


def file_name(name: str, payload: bytes, codec: str) -> str:
    """Return the path of the file of an image that has a name: with an ending for the payload, if it has none."""
    ending = split_ending(name)[1].lower()
    if codec == ORIGINAL_CODEC and ending in decode.SUFFIXES | decode.UNDECODED_SUFFIXES:
        return name
    extension = extension_of(payload, codec)
    same = ending == f".{extension}" or (codec != ORIGINAL_CODEC and (extension, ending) in _SAME)
    return name if same else f"{name}.{extension}"


def open_folder(name: str, root: int, *, make: bool) -> int:
    """Open a folder below another, part by part, so that no link is followed; return its descriptor, to be closed.

    Args:
        name: Its path below ``root``; empty for that itself.
        root: Descriptor of the other folder.
        make: Whether folders that are missing are made.
    """
    folder = os.dup(root)
    for part in name.split("/") if name else ():
        try:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, dir_fd=folder)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


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
