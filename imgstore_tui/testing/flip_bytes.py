"""Flip bytes of a store, one at a time, and read it: ``python -m imgstore_tui.testing.flip_bytes SPEC LOCATION``.

Lines ``FILE<tab>PLACE`` come in on stdin; for each the store is read whole, and a line goes out. What is not an error
of ours ends the process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.testing.store_material import StoreSetup, is_sentence

_MOST = 2**24
"""What a damaged store may claim to hold without being believed by this script."""


def read(setup: StoreSetup, location: Path) -> str:
    """Read a store whole and return how that went."""
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
    """Do what stands on stdin."""
    setup, location = StoreSetup.of(sys.argv[1]), Path(sys.argv[2])
    for line in sys.stdin:
        name, place = line.rstrip("\n").rsplit("\t", 1)
        path, at = Path(name), int(place)
        whole = path.read_bytes()
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        outcome = read(setup, location)
        path.write_bytes(whole)
        sys.stdout.write(f"{outcome}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
