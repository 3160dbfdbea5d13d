"""Reads a store for another process: ``python -m imgstore_tui.plugins.store_process LOCATION``.

A driver may die of a damaged store, and that process must not. Whoever asks writes lines of JSON: ``{"first": ...,
"count": ..., "as": "pixels"}`` (or ``"payloads"``) for images from a place on, counted among those that are there: for
so many at most, and for no more than fill some MiB, but for one at least. What comes back is a message: 16 bytes that
give the lengths of its two parts (little-endian), a text of JSON, then bytes. The first message, unasked, says what the
store holds, with its labels as bytes; the service ends when nobody can ask any more.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import open_foreign
from imgstore_tui.storekit.manifest_file import MANIFEST

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

HEAD = struct.Struct("<QQ")
"""Lengths of the text and of the bytes of a message."""
ENOUGH_BYTES = 4 * 2**20
"""An answer ends with the image that fills so many bytes, as they are sent: decoded, where pixels are asked for."""

Parts = list[bytes | memoryview]


@dataclass
class ServedStore:
    """A store that is open, and the codec of its payloads."""

    reader: Reader
    codec: Codec
    ids: Sequence[int]

    def answer(self, first: int, count: int, what: str) -> tuple[dict[str, Any], Parts]:
        """Return images, or payloads, each with what it is or why it cannot be had."""
        ids = self.ids[first : first + count]
        facts: list[dict[str, Any]] = []
        parts: Parts = []
        size, step = 0, 1  # what an encoded image grows to is known from those before it
        while len(facts) < len(ids) and size < ENOUGH_BYTES:
            for found, pieces in self._some(ids[len(facts) : len(facts) + step], what):
                facts.append(found)
                parts += pieces
                size += found.get("bytes", 0)
                if size >= ENOUGH_BYTES:
                    break
            step = max(1, min(4 * len(facts), (ENOUGH_BYTES - size) * len(facts) // max(1, size)))
        return {"images": facts}, parts

    def _some(self, ids: Sequence[int], what: str) -> Iterator[tuple[dict[str, Any], Parts]]:
        """Yield a few images, or payloads; they are read together, or one by one to find out which cannot be had."""
        content, labels = self.reader.content, np.zeros(len(ids), np.int64)
        try:
            if content.kind is PayloadKind.ARRAY:
                array = np.empty((len(ids), *(content.shape or ())), content.dtype)
                self.reader.read_array(ids, array, labels)
                yield from map(_sent, array)
                return
            payloads = self.reader.read_bytes(ids, labels)
        except (ImgstoreError, MemoryError) as error:
            if len(ids) == 1:
                yield {"error": _why(error)}, []
                return
            for number in ids:
                yield from self._some([number], what)
            return
        for payload in payloads:
            if what == "payloads":
                yield {"bytes": len(payload)}, [payload]
                continue
            try:
                yield _sent(self.codec.decode(payload))
            except (ImgstoreError, MemoryError) as error:
                yield {"error": _why(error)}, []


def _why(error: ImgstoreError | MemoryError) -> str:
    return "There is not enough memory for it." if isinstance(error, MemoryError) else str(error)


def _sent(image: Pixels) -> tuple[dict[str, Any], Parts]:
    facts = {"bytes": image.nbytes, "shape": image.shape, "dtype": image.dtype.name}
    return facts, [np.ascontiguousarray(image).data.cast("B")]


def _open(location: Path) -> tuple[str, Reader]:
    """Open a store of ours, or else what another program has written by the conventions of its kind."""
    try:
        kind, reader = registry.open_store(location)
    except StoreError:
        if location.is_dir() and (location / MANIFEST).exists():
            raise  # of ours, and damaged
        found = open_foreign(location) if location.exists() else None
        if found is None:
            raise
        return found
    return kind.name, reader


def open_served_store(location: Path) -> tuple[ServedStore, dict[str, Any], Parts]:
    """Open a store; return it, what there is to say of it, and its labels."""
    name, reader = _open(location)
    content = reader.content
    codec = registry.codecs.all().get(content.codec)
    if codec is None:
        raise StoreError(f"{location} holds images of the codec '{content.codec}', which is not known here.")
    if lack := registry.missing_requirement(codec):
        raise UnavailableError(f"{location} holds images of the codec '{codec.name}', which {lack}")
    labels = reader.read_labels()
    facts = {
        "backend": name,
        "count": content.count,
        "codec": content.codec,
        "from_file": codec.from_file,
        "shape": content.shape,
        "dtype": content.dtype,
    }
    store = ServedStore(reader, codec({option.name: option.default for option in codec.options}), reader.ids())
    return store, facts, [labels.astype("<i8").data.cast("B")] if len(labels) else []


def send(out: BinaryIO, facts: dict[str, Any], parts: Parts) -> None:
    """Write a message."""
    text = json.dumps(facts).encode("utf-8")
    out.write(HEAD.pack(len(text), sum(map(len, parts))))
    out.write(text)
    out.writelines(parts)
    out.flush()


def main() -> None:
    """Serve one store until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever asks; when that has gone, this ends
    # Nothing that a driver prints may stand between messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        store, facts, labels = open_served_store(Path(sys.argv[1]))
    except ImgstoreError as error:
        send(out, {"error": str(error)}, [])
        return
    except OSError as error:  # a name that is too long, a device, a pipe
        send(out, {"error": f"{sys.argv[1]} cannot be read: {error.strerror or error}."}, [])
        return
    with store.reader:
        send(out, facts, labels)
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                send(out, *store.answer(asked["first"], asked["count"], asked["as"]))
            except BrokenPipeError:
                return


if __name__ == "__main__":
    main()
