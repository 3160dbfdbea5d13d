"""Reads a store for another process: ``python -m imgstore_tui.plugins.store_process LOCATION [LAYOUT]``.

A driver may die of a damaged store, and the process that asks must not. LAYOUT is JSON: what the user names in files
of other programs. The first line of JSON holds the secrets of servers. A request is another:
``{"first": ..., "count": ..., "as": "pixels"}`` (or ``"payloads"``, ``"names"``), where ``first`` counts among the
images that are there. The answer is a message (``storekit.messages``) with the facts of each image as JSON, then the
images as bytes: at least one image, at most ``count``, and no more than fill some MiB. The first message, before any
request, says what the store holds, with its labels as bytes; messages before it tell the progress, if that takes long.
The process ends when standard input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from imgstore_tui.core import credentials
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.errors import ImgstoreError, NotAStoreError, StoreError, UnavailableError, UsageError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.location import Location, ServerLocation
from imgstore_tui.core.units import format_bytes
from imgstore_tui.images.decode import further_in, is_turned
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import ForeignStore, name_inner_folders, open_foreign
from imgstore_tui.plugins.memory_limit import limit_memory, limited_bytes
from imgstore_tui.plugins.named_store import open_named_store
from imgstore_tui.storekit.manifest_file import MANIFEST
from imgstore_tui.storekit.messages import write_message
from imgstore_tui.storekit.scan_progress import scan_progress_to
from imgstore_tui.storekit.server import check_named

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

ANSWER_BYTES = 4 * 2**20
"""An answer ends with the image that reaches this size, as it is sent: decoded, if pixels are requested."""

LOOKED_AT = 64
"""Picture files whose EXIF is looked at when a store is opened."""
_LOOKED_AT_ONCE = 8
_PROGRESS_EVERY_S = 0.2

Chunks = list[bytes | memoryview]


@dataclass
class ServedStore:
    """An open store, and the codec of its payloads."""

    reader: Reader
    codec: Codec
    ids: Sequence[int]

    def answer(self, first: int, count: int, form: str) -> tuple[dict[str, Any], Chunks]:
        """Return images in one form, each with its size or the reason why it cannot be read.

        Args:
            first: Index of the first image among those that are there.
            count: Number of images, at most.
            form: ``pixels``, ``payloads`` or ``names``.
        """
        ids = self.ids[first : first + count]
        if form == "names":
            return {"images": [{"name": name} for name in self.reader.read_names(ids)]}, []
        facts: list[dict[str, Any]] = []
        chunks: Chunks = []
        size, step = 0, 1  # the size of a decoded image is estimated from those before it
        while len(facts) < len(ids) and size < ANSWER_BYTES:
            for image_facts, image_chunks in self._read(ids[len(facts) : len(facts) + step], form):
                facts.append(image_facts)
                chunks += image_chunks
                size += image_facts.get("bytes", 0)
                if size >= ANSWER_BYTES:
                    break
            step = max(1, min(4 * len(facts), (ANSWER_BYTES - size) * len(facts) // max(1, size)))
        return {"images": facts}, chunks

    def _read(self, ids: Sequence[int], form: str) -> Iterator[tuple[dict[str, Any], Chunks]]:
        """Yield images in one form; they are read together, or one by one if that fails, to find the damaged ones."""
        content, labels = self.reader.content, np.zeros(len(ids), np.int64)
        try:
            if content.kind is PayloadKind.ARRAY:
                array = np.empty((len(ids), *(content.shape or ())), content.dtype)
                self.reader.read_array(ids, array, labels)
                yield from map(_encode_pixels, array)
                return
            payloads = self.reader.read_bytes(ids, labels)
        except (ImgstoreError, MemoryError) as error:
            if len(ids) == 1:
                yield {"error": _reason(error)}, []
                return
            for image_id in ids:
                yield from self._read([image_id], form)
            return
        for payload in payloads:
            lost = _not_in_pixels(payload) if self.codec.from_file else {}
            if form == "payloads":
                yield {"bytes": len(payload), **lost}, [payload]
                continue
            try:
                facts, chunks = _encode_pixels(self.codec.decode(payload))
                yield {**facts, **lost}, chunks
            except (ImgstoreError, MemoryError) as error:
                yield {"error": _reason(error)}, []

    def first_lost(self) -> dict[int, dict[str, Any]]:
        """Return what pixels would not keep of the first images, by their indices."""
        lost: dict[int, dict[str, Any]] = {}
        if not self.codec.from_file:
            return lost
        for first in range(0, LOOKED_AT, _LOOKED_AT_ONCE):
            ids = self.ids[first : min(first + _LOOKED_AT_ONCE, LOOKED_AT)]
            try:
                payloads = self.reader.read_bytes(ids, np.zeros(len(ids), np.int64)) if len(ids) else []
            except (ImgstoreError, MemoryError):  # it is reported when it is read
                continue
            lost.update((index, facts) for index, data in enumerate(payloads, first) if (facts := _not_in_pixels(data)))
        return lost


def _not_in_pixels(payload: bytes) -> dict[str, Any]:
    """Return the facts of a picture file that its pixels do not keep: an orientation, further pages and frames."""
    further = further_in(payload)
    return {**({"turned": True} if is_turned(payload) else {}), **({"further": further} if further else {})}


def _reason(error: ImgstoreError | MemoryError) -> str:
    return "There is not enough memory for it." if isinstance(error, MemoryError) else str(error)


def _encode_pixels(image: Pixels) -> tuple[dict[str, Any], Chunks]:
    facts = {"bytes": image.nbytes, "shape": image.shape, "dtype": image.dtype.name}
    return facts, [np.ascontiguousarray(image).data.cast("B")]


def _open(location: Location, layout: ForeignLayout) -> ForeignStore:
    """Open a store of a backend, here or on a server, or else a file of another program."""
    if isinstance(location, ServerLocation):
        _refuse_layout(location, layout)
        server = registry.server_of(location)
        registry.check_installed(server)
        check_named(location)
        return ForeignStore(server.name, registry.with_defaults(server).open(location), ())
    try:
        kind, reader = open_named_store(location)
    except (StoreError, UnavailableError) as error:
        of_a_backend = location.is_dir() and (location / MANIFEST).exists()
        if of_a_backend or (location.is_file() and not isinstance(error, NotAStoreError | UnavailableError)):
            raise  # it is a store of a backend here, and damaged
        foreign = open_foreign(location, layout) if location.exists() else None
        if foreign is None:
            if isinstance(error, NotAStoreError):
                name_inner_folders(location)
            raise
        return foreign
    try:
        _refuse_layout(location, layout)
    except UsageError:
        reader.close()
        raise
    return ForeignStore(kind.name, reader, ())


def _refuse_layout(location: Location, layout: ForeignLayout) -> None:
    if layout.named:
        raise UsageError(
            f"{location} is a store of this program, which says what is in it; leave out {', '.join(layout.named)}."
        )


def open_served_store(
    location: Location, layout: ForeignLayout = NOTHING_NAMED
) -> tuple[ServedStore, dict[str, Any], Chunks]:
    """Open a store; return it, the facts of the first message, and its labels."""
    name, reader, warnings = _open(location, layout)
    content = reader.content
    codec = registry.codecs.all().get(content.codec)
    if codec is None:
        raise StoreError(f"{location} holds images of the codec '{content.codec}', which is not known here.")
    if requirement := registry.missing_requirement(codec):
        raise UnavailableError(f"{location} holds images of the codec '{codec.name}', which {requirement}")
    labels = reader.read_labels()
    facts: dict[str, Any] = {
        "backend": name,
        "count": content.count,
        "codec": content.codec,
        "from_file": codec.from_file,
        "shape": content.shape,
        "dtype": content.dtype,
        "excluded": [[entry.name, entry.reason] for entry in reader.excluded],
        "warnings": [*reader.warnings, *warnings],
        "has_labels": content.has_labels,
        "label_names": content.label_names,
        "label_note": reader.label_note,
        "has_names": content.name_bytes > 0,
    }
    store = ServedStore(reader, codec({option.name: option.default for option in codec.options}), reader.ids())
    lost = store.first_lost()
    facts["turned"] = [index for index, entry in lost.items() if "turned" in entry]
    facts["further"] = [[index, entry["further"]] for index, entry in lost.items() if "further" in entry]
    facts["looked_at"] = min(LOOKED_AT, len(store.ids))
    return store, facts, [labels.astype("<i8").data.cast("B")] if len(labels) else []


class _Progress:
    """Sends progress to the process that asks, a few times a second."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self._last = out, time.monotonic()

    def __call__(self, doing: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if now - self._last >= _PROGRESS_EVERY_S:
            self._last = now
            write_message(self._out, {"progress": [doing, done, total]}, [])


def main() -> None:
    """Serve one store until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks; this one ends with it
    limit_memory()
    # What a driver prints must not get between messages.
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        credentials.hold(json.loads(sys.stdin.readline() or "{}"))
        layout = ForeignLayout.of(json.loads(sys.argv[2])) if sys.argv[2:] else NOTHING_NAMED
        with scan_progress_to(_Progress(out)):
            store, facts, labels = open_served_store(registry.parse_location(sys.argv[1]), layout)
    except ImgstoreError as error:
        write_message(out, {"error": str(error)}, [])
        return
    except OSError as error:  # a name that is too long, a device, a pipe
        write_message(out, {"error": f"{sys.argv[1]} cannot be read: {error.strerror or error}."}, [])
        return
    except MemoryError:
        limit = format_bytes(limited_bytes())
        write_message(out, {"error": f"{sys.argv[1]} cannot be read: it takes more than {limit} of memory."}, [])
        return
    with store.reader:
        write_message(out, facts, labels)
        for line in sys.stdin:
            request = json.loads(line)
            try:
                write_message(out, *store.answer(request["first"], request["count"], request["as"]))
            except BrokenPipeError:
                return


if __name__ == "__main__":
    main()
