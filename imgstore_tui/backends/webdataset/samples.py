"""Tells by the names of members which belong to one sample, and which of several pictures of a sample is taken.

WebDataset takes for the key of a sample what stands before the first dot of the file's name, and decodes a member by
the last part: ``KEY.input.jpg`` and ``KEY.target.cls`` are one sample. Names of files often have dots of their own,
such as ``track 2.0.jpg`` or ``22.05.jpg``; a part between the dots that is no word belongs to the key here.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence

import numpy as np

from imgstore_tui.core.text import safe_text

_WORD = re.compile(r"[A-Za-z_]+\d?(?:\.[A-Za-z_]+\d?)*")
_INPUTS = frozenset({"input", "inputs", "image", "img", "rgb", "picture", "photo"})
"""Words for the picture itself, where a sample has others, such as masks."""


def split_name(name: str) -> tuple[str, str]:
    """Return the key of a member's sample, and what follows in its name without the dot, in lower case."""
    folder, slash, leaf = name.rpartition("/")
    stem, _, rest = leaf.partition(".")
    middle, dot, _ = rest.rpartition(".")
    if dot and not _WORD.fullmatch(middle):
        stem, _, rest = leaf.rpartition(".")
    return folder + slash + stem, rest.lower()


def kind_of(name: str) -> str:
    """Return the last part of a member's name with its dot, in lower case; empty if its name has no dot."""
    leaf = name.rpartition("/")[2]
    _, dot, last = leaf.rpartition(".")
    return f".{last.lower()}" if dot else ""


def surplus_pictures(names: Sequence[str], requested: str = "") -> dict[int, str]:
    """Return the pictures that are not taken because their sample has another, each with the reason.

    Args:
        names: Names of all pictures of an archive.
        requested: What follows the key in the name of the picture that the user asks for; empty if they do not.

    Returns:
        Reasons by position in ``names``.
    """
    hashes = np.frombuffer(array("q", (hash(split_name(name)[0]) for name in names)), np.int64)
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    surplus: dict[int, str] = {}
    if len(first) == len(hashes) and not requested:
        return surplus
    several = set(hashes[first[counts > 1]].tolist())
    groups: dict[int, list[int]] = {}
    for position, value in enumerate(hashes.tolist()):
        if value in several or requested:
            groups.setdefault(value, []).append(position)
    for positions in groups.values():
        rests = [split_name(names[position])[1] for position in positions]
        best = _best(rests, requested.lower())
        if best is None and not _WORD.fullmatch(requested):  # 0.jpg, whose 0 is a part of the key otherwise
            ending = f".{requested.lower()}"
            best = next((n for n, place in enumerate(positions) if names[place].lower().endswith(ending)), None)
        for number, position in enumerate(positions):
            if best is None:
                surplus[position] = (
                    f"It is not called {safe_text(requested)} behind its key, and no other of its sample is."
                )
            elif number != best:
                kinds = ", ".join(safe_text(rest) for rest in sorted(set(rests)))
                leaf = safe_text(names[positions[best]].rpartition("/")[2])
                surplus[position] = f"Its sample holds several pictures ({kinds}), of which {leaf} is taken."
    return surplus


def _best(rests: Sequence[str], requested: str) -> int | None:
    """Return which of the pictures of a sample is taken: the requested, a plain one, the input, or else the first."""
    if requested:
        return rests.index(requested) if requested in rests else None
    for number, rest in enumerate(rests):
        if "." not in rest:
            return number
    return next((number for number, rest in enumerate(rests) if rest.partition(".")[0] in _INPUTS), 0)
