"""Reads a store image by image, again and again: ``python -m imgstore_tui.jobs.damage.reading SPEC LOCATION``.

It reads the store once as it is. For each line on standard input it opens and reads the store anew, and answers with
the numbers of images that come back as before, come back different, and are refused. A damaged file may end the
process.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend

REFUSED = ""
"""Stands in the place of the digest of an image that cannot be read."""
_MOST_VALUES = 2**28
"""Values of an image beyond which a damaged size is not believed."""


def digests(backend: LocalBackend, codec: Codec, location: Path, count: int | None = None) -> list[str]:
    """Return a digest of every image and its label, each read by itself; ``REFUSED`` for those that are refused.

    Args:
        backend: The backend of the store.
        codec: The codec of its payloads.
        location: The store.
        count: Number of images that were put; None for what the store says.

    Raises:
        ImgstoreError: If the store cannot be opened and ``count`` is None, or as the driver raises it: ``OSError``,
            ``ValueError`` or ``MemoryError``.
    """
    try:
        with backend.open(location) as reader:
            number = reader.content.count if count is None else count
            return [_digest(reader, codec, index) for index in range(number)]
    except (ImgstoreError, OSError, ValueError, MemoryError):
        if count is None:
            raise
        return [REFUSED] * count


def _digest(reader: Reader, codec: Codec, index: int) -> str:
    labels = np.zeros(1, np.int64)
    content = reader.content
    try:
        if content.kind is PayloadKind.ARRAY:
            shape = content.shape or ()
            if int(np.prod(shape)) > _MOST_VALUES:
                return REFUSED
            out = np.zeros((1, *shape), content.dtype)
            reader.read_array([index], out, labels)
            image = out[0]
        else:
            image = codec.decode(reader.read_bytes([index], labels)[0])
    except Exception:
        return REFUSED
    facts = f"{image.shape} {image.dtype} {labels[0]}".encode()
    return hashlib.sha256(facts + np.ascontiguousarray(image).tobytes()).hexdigest()


def main() -> None:
    """Read the store as it is, then once more for each line of standard input."""
    spec, location = registry.resolve_spec(sys.argv[1]), Path(sys.argv[2])
    backend, codec = registry.make_local(spec), registry.make_codec(spec)
    whole = digests(backend, codec, location)
    _report(len(whole), 0, whole.count(REFUSED))
    for _ in sys.stdin:
        current = digests(backend, codec, location, len(whole))
        same = sum(one == other for one, other in zip(whole, current, strict=True))
        refused = current.count(REFUSED)
        _report(same, len(whole) - same - refused, refused)


def _report(same: int, changed: int, refused: int) -> None:
    sys.stdout.write(json.dumps({"same": same, "changed": changed, "refused": refused}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
