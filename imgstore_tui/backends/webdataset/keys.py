"""Turns names of images into keys of WebDataset: a key ends at the first dot of a file's name, so it has none there."""

from __future__ import annotations

import hashlib
import re

from imgstore_tui.core.image_names import split_ending
from imgstore_tui.images import decode

_MOST_FOLDER, _MOST_LEAF = 155, 80
"""Most bytes of the parts of a key, which a header of ustar must hold, with the ending; longer keys are cut."""
_ESCAPE = re.compile(r"%(?=[0-9A-Fa-f]{2})")


def keys_for(name: str, number: int) -> tuple[str, str, str]:
    """Return the keys that an image may have, the first that no other image has is taken.

    Args:
        name: Its name: a relative path with slashes.
        number: Its id.

    Returns:
        The name without the ending of its picture; the name with it; the latter with the id. Dots of the file's name
        are written as ``%2E``.
    """
    stem, ending = split_ending(name)
    whole = _key(name)
    plain = _key(stem) if ending.lower() in decode.SUFFIXES | decode.UNDECODED_SUFFIXES else whole
    return plain, whole, _key(f"{name}~{number}")


def _key(name: str) -> str:
    folder, slash, leaf = name.rpartition("/")
    leaf = _ESCAPE.sub("%25", leaf).replace(".", "%2E")
    if len(leaf.encode()) <= _MOST_LEAF and len(folder.encode()) <= _MOST_FOLDER:
        return folder + slash + leaf
    mark = "~" + hashlib.blake2b(name.encode(), digest_size=6).hexdigest()
    cut = leaf.encode()[: _MOST_LEAF - len(mark)].decode("utf-8", "ignore") + mark
    return f"{folder}/{cut}" if folder and len(folder.encode()) <= _MOST_FOLDER else cut


def member_ending(name: str, payload: bytes, codec: str, *, original: bool) -> str:
    """Return the ending of the member of a payload, without the dot.

    Args:
        name: The name of the image; its ending stays where files are stored as they are.
        payload: The payload.
        codec: Name of the codec.
        original: Whether payloads are the files themselves.
    """
    ending = split_ending(name)[1]
    if original and ending.lower() in decode.SUFFIXES | decode.UNDECODED_SUFFIXES:
        return ending[1:]
    return decode.EXTENSIONS.get(decode.sniff(payload) or "", codec)
