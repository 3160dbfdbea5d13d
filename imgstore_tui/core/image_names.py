"""Makes names of images fit for every store: relative paths in UTF-8 that no file system takes for something else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.errors import StoreError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_NAME_BYTES = 1024
"""Most bytes of a name in UTF-8."""
_MAX_PART_BYTES = 255
"""Most bytes of a part of a path, as file systems take it."""
_MOST_RECENT = 65_536
_HASH_CHARACTERS = 8


def safe_name(name: str) -> str:
    """Return a name as stores keep it: most names are kept as they are.

    Empty parts and ``.`` are left out of the path, also a slash at its beginning. Bytes that are no UTF-8, control
    characters and the dots of ``..`` are written as ``%XX``. What is too long is cut, and a hash of all of it follows.

    Args:
        name: A path with slashes, with surrogates for bytes that are no UTF-8, as ``os.fsdecode`` returns it.

    Returns:
        The name; empty if nothing of it is left.
    """
    parts = [_safe_part(part) for part in name.split("/") if part not in ("", ".")]
    safe = "/".join(parts)
    if len(safe.encode()) > MAX_NAME_BYTES:
        return _cut(safe, _MAX_PART_BYTES).replace("/", "%2F")
    return safe


def _safe_part(part: str) -> str:
    if part == "..":
        return "%2E%2E"
    if not part.isprintable():  # few names need a look at each character
        part = "".join(_escaped(character) for character in part)
    return _cut(part, _MAX_PART_BYTES) if len(part.encode()) > _MAX_PART_BYTES else part


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"%{code - 0xDC00:02X}"
    if 0xD800 <= code <= 0xDFFF or code < 0x20 or 0x7F <= code < 0xA0:
        return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
    return character


def _cut(text: str, size: int) -> str:
    """Return the beginning of a text, a hash of all of it, and its ending, in at most ``size`` bytes."""
    stem, ending = split_ending(text.rpartition("/")[2])
    ending = ending if len(ending.encode()) <= size // 4 else ""
    mark = "~" + hashlib.blake2b(text.encode(), digest_size=_HASH_CHARACTERS // 2).hexdigest() + ending
    room = size - len(mark.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + mark


def split_ending(name: str) -> tuple[str, str]:
    """Return a name without its ending, and the ending with its dot; a name that only begins with a dot has none."""
    stem, dot, ending = name.rpartition(".")
    if not dot or "/" in ending or not stem.rpartition("/")[2]:
        return name, ""
    return stem, f".{ending}"


def check_safe(name: str, most_bytes: int, location: object) -> bytes:
    """Return a name in UTF-8.

    Raises:
        StoreError: If it is not of the form that ``safe_name`` returns, or longer than ``most_bytes``.
    """
    if not name or safe_name(name) != name:
        raise StoreError(f"A name that was given for an image of {location} is no relative path that may be kept.")
    data = name.encode()
    if len(data) > most_bytes:
        raise StoreError(f"{location} was announced to hold names of {most_bytes} bytes, and one has {len(data)}.")
    return data


class SeenNames:
    """Tells whether a name is new, by 8 bytes a name: there may be millions."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._sorted: list[NDArray[np.uint64]] = []

    def add(self, name: str) -> bool:
        """Add a name; return whether it is new."""
        digest = hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=8).digest()
        key = int.from_bytes(digest, "little")
        if key in self._recent or any(_is_in(keys, np.uint64(key)) for keys in self._sorted):
            return False
        self._recent.add(key)
        if len(self._recent) >= _MOST_RECENT:
            self._settle()
        return True

    def _settle(self) -> None:
        """Sort the recent names into an array, and join arrays of about one length."""
        self._sorted.append(np.sort(np.fromiter(self._recent, np.uint64, len(self._recent))))
        self._recent.clear()
        while len(self._sorted) > 1 and len(self._sorted[-2]) <= 2 * len(self._sorted[-1]):
            last = self._sorted.pop()
            self._sorted[-1] = np.sort(np.concatenate([self._sorted[-1], last]))


def _is_in(keys: NDArray[np.uint64], key: np.uint64) -> bool:
    position = int(np.searchsorted(keys, key))
    return position < len(keys) and bool(keys[position] == key)
