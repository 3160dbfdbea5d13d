"""Orders names so that every prefix is a class-stratified random sample."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def stratified_order(names: Sequence[str], classes: Sequence[int], seed: int) -> list[str]:
    """Return the names in a seeded order of which every prefix holds each class by its share, as nearly as possible.

    The order depends on a hash of each name, so it is the same everywhere, and changes little if files are added or
    removed. A million names take a few seconds; no file is read.

    Args:
        names: Distinct names.
        classes: The class of each.
        seed: Seed of the order.
    """
    if not names:
        return []
    import numpy as np  # not needed to list the datasets

    salt = hashlib.blake2b(f"{seed}/".encode(), digest_size=8)
    keys = np.empty(len(names), np.uint64)
    for position, name in enumerate(names):
        digest = salt.copy()
        digest.update(name.encode("utf-8", "surrogateescape"))
        keys[position] = int.from_bytes(digest.digest(), "little")
    _, codes, sizes = np.unique(np.asarray(classes, np.int64), return_inverse=True, return_counts=True)
    # Sorted by class, randomly within a class; the rank of a name is its distance from the start of its class.
    drawn = np.lexsort((keys, codes))
    starts = np.cumsum(sizes) - sizes
    ranks = np.arange(len(names)) - starts[codes[drawn]]
    # Each name gets the middle of its share of the range 0 to 1, in which its class is spread evenly.
    quantiles = (ranks + 0.5) / sizes[codes[drawn]]
    return [names[index] for index in drawn[np.lexsort((keys[drawn], quantiles))]]
