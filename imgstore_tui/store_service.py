"""Reads a store for another process: ``python -m imgstore_tui.store_service LOCATION``.

A driver may die of a damaged store, and that process must not. Whoever asks writes lines of JSON: ``{"first": ...,
"count": ..., "as": "pixels"}`` (or ``"payloads"``) for so many images from a place on, counted among those that are
there. What comes back is a message: eight bytes that give the lengths of its two parts (little-endian), a text of
JSON, then bytes. The first message, unasked, says what the store holds, with its labels as bytes; the service ends when
nobody can ask any more.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imgstore_tui import registry
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.foreign import open_foreign
from imgstore_tui.store_parts.manifest_file import MANIFEST

HEAD = struct.Struct("<II")
"""Lengths of the text and of the bytes of a message."""
MOST_BYTES = 2**31
"""A message is smaller than this; whoever asks takes care to ask for less."""

Parts = list[bytes | memoryview]


@dataclass
class Store:
    """A store that is open, and the codec of its payloads."""

    reader: Reader
    codec: Codec
    ids: Sequence[int]

    def answer(self, first: int, count: int, what: str) -> tuple[dict[str, Any], Parts]:
        """Return images, or payloads, each with what it is or why it cannot be had."""
        ids = self.ids[first : first + count]
        try:
            return self._batch(ids, what)
        except ImgstoreError:
            facts: list[dict[str, Any]] = []
            parts: Parts = []
            for number in ids:  # one by one, to find out which it is
                try:
                    found, pieces = self._batch([number], what)
                except ImgstoreError as error:
                    facts.append({"error": str(error)})
                else:
                    facts += found["images"]
                    parts += pieces
            return {"images": facts}, parts

    def _batch(self, ids: Sequence[int], what: str) -> tuple[dict[str, Any], Parts]:
        content, labels = self.reader.content, np.zeros(len(ids), np.int64)
        if content.kind is PayloadKind.ARRAY:
            array = np.empty((len(ids), *(content.shape or ())), content.dtype)
            self.reader.read_array(ids, array, labels)
            images = list(array)
        else:
            payloads = self.reader.read_bytes(ids, labels)
            if what == "payloads":
                return {"images": [{"bytes": len(payload)} for payload in payloads]}, list(payloads)
            images = [self.codec.decode(payload) for payload in payloads]
        facts = [{"bytes": x.nbytes, "shape": x.shape, "dtype": x.dtype.name} for x in images]
        return {"images": facts}, [np.ascontiguousarray(image).data.cast("B") for image in images]


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


def open_store(location: Path) -> tuple[Store, dict[str, Any], Parts]:
    """Open a store; return it, what there is to say of it, and its labels."""
    name, reader = _open(location)
    content = reader.content
    codec = registry.codecs.all().get(content.codec)
    if codec is None:
        raise StoreError(f"{location} holds images of the codec '{content.codec}', which is not known here.")
    if absent := registry.missing(codec):
        raise UnavailableError(
            f"{location} holds images of the codec '{codec.name}', which needs {', '.join(absent)}; run: "
            f"{registry.how_to_get(codec)}"
        )
    labels = reader.read_labels()
    facts = {
        "backend": name,
        "count": content.count,
        "codec": content.codec,
        "shape": content.shape,
        "dtype": content.dtype,
        "image_bytes": content.payload_bytes // max(1, content.count),
    }
    store = Store(reader, codec({option.name: option.default for option in codec.options}), reader.ids())
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
        store, facts, labels = open_store(Path(sys.argv[1]))
    except ImgstoreError as error:
        send(out, {"error": str(error)}, [])
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
