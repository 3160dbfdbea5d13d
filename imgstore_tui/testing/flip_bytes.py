"""Flips bytes of a store, one at a time, and reads it: ``python -m imgstore_tui.testing.flip_bytes SPEC LOCATION``.

Each line ``FILE<tab>OFFSET`` on stdin flips one byte; the whole store is read and the outcome is written as a line to
stdout. An exception that is not an ``ImgstoreError`` ends the process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.testing.store_material import StoreSetup, is_sentence

_MOST = 2**24
"""Values above which the size that a damaged store claims is not believed."""


def read(setup: StoreSetup, location: Path) -> str:
    """Read a whole store and return the outcome: ``read``, ``refused`` or ``unbelievable``."""
    try:
        with setup.backend.open(location) as reader:
            content = reader.content
            size = int(np.prod(content.shape or (1,)))
            if content.count * size > _MOST:
                return "unbelievable"
            labels = np.zeros(content.count, np.int64)
            if content.kind is PayloadKind.ARRAY and content.shape is not None:
                out = np.zeros((content.count, *content.shape), content.dtype)
                reader.read_array(range(content.count), out, labels)
                reader.read_array(range(content.count - 1, -1, -1), out, labels)
            else:
                reader.read_bytes(range(content.count - 1, -1, -1), labels)
                for payload in reader.read_bytes(range(content.count), labels):
                    setup.codec.decode(payload)
            reader.read_labels()
    except ImgstoreError as error:
        if not is_sentence(error):
            raise
        return "refused"
    return "read"


def main() -> None:
    """Flip and read for each line of stdin."""
    setup, location = StoreSetup.of(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        name, number = line.rstrip("\n").rsplit("\t", 1)
        path, offset = Path(name), int(number)
        whole = path.read_bytes()
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0xFF]) + whole[offset + 1 :])
        outcome = read(setup, location)
        path.write_bytes(whole)
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
