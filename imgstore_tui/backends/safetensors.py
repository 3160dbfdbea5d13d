"""Stores images in safetensors, arrays in one file after a JSON header; read and written without the library."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.backend import Content, Continuation, Family, PayloadKind, Preset, Reader, Writer
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, foreign, image_bytes, is_count, read_manifest, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.file_writer import FileWriter
from imgstore_tui.storekit.manifest_file import load_manifest, refuse_batch_sync
from imgstore_tui.storekit.one_file import METADATA_KEY, OneFileBackend, begin_file, file_of
from imgstore_tui.storekit.output import Output
from imgstore_tui.storekit.payload_row import read_row
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import layout_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

FILE = "images.safetensors"
"""Name of the file in a store that is a folder, as earlier versions made it."""
_HEAD = 1024
"""Bytes of the length and the header: room for the manifest and three tensors of any shape, padded with spaces."""
_LENGTH = (_HEAD - 8).to_bytes(8, "little")
_TYPES = {"uint8": "U8", "uint16": "U16", "int64": "I64"}
_METADATA = "__metadata__"
"""Key of the header under which the format keeps text by name."""
_JOINT_BELOW = 16 * 2**10
"""Payloads smaller than this are read together and cut; larger ones one by one, which saves a copy."""


class SafetensorsBackend(OneFileBackend):
    """One file: ``labels`` and ``images``, or ``ends`` and ``payloads`` of any length."""

    name = "safetensors"
    title = "safetensors"
    family = Family.ARRAY
    payloads = frozenset({PayloadKind.BYTES, PayloadKind.ARRAY})
    default_codec = "raw"
    presets = (Preset("tuned", "labels before the pixels, which are read to where they belong by one call"),)
    signature_files = (FILE,)
    owned_pattern = re.compile(r"images\.safetensors|manifest\.json(\.partial)?")
    file_suffix = ".safetensors"
    file_signature = (0, _LENGTH)
    caveats = (
        "It is written once and nothing can be added, replaced or deleted; there are no checksums, no chunks and no "
        "compression, and it was made for the weights of models."
    )
    when_to_choose = (
        "Choose it where everything else is safetensors already and images of one shape are to be handed on in one "
        "file that cannot run code; elsewhere npy does the same and can grow."
    )

    def create(self, location: Path, content: Content, sync: SyncLevel) -> Writer:
        """Create the file under a temporary name."""
        refuse_batch_sync(self, sync)
        begin_file(self, location, content)
        return SafetensorsWriter(location, content)

    def continuation(self, kind: PayloadKind) -> Continuation:
        """Return that writing resumes: every image has a fixed offset, or follows the one before."""
        return Continuation.RESUME

    def resume(self, location: Path, content: Content, labels: Labels, sizes: Labels) -> Writer:
        """Continue after the last image."""
        writer = SafetensorsWriter(location, content, sizes)
        writer.continue_after(labels)
        return writer

    def open(self, location: Path) -> Reader:
        """Open the file, whose header must be the one for its content."""
        return SafetensorsReader(location)


def layout_of(content: Content, payload_bytes: int, manifest: str | None = None) -> tuple[bytes, dict[str, int]]:
    """Return the header of the file, and the offsets of its tensors; int64 tensors come first, so that they align.

    Args:
        content: What the store holds.
        payload_bytes: Bytes of all images.
        manifest: The manifest in the header; None for a store that is a folder, which has a file for it.
    """
    shapes: list[tuple[str, str, tuple[int, ...]]] = [("labels", "int64", (content.count,))]
    if content.kind is PayloadKind.ARRAY:
        shapes.append(("images", str(content.dtype), (content.count, *(content.shape or ()))))
    else:
        shapes += [("ends", "int64", (content.count,)), ("payloads", "uint8", (payload_bytes,))]
    tensors: dict[str, Any] = {} if manifest is None else {_METADATA: {METADATA_KEY: manifest}}
    offsets, offset = {}, 0
    for name, dtype, shape in shapes:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        tensors[name] = {"dtype": _TYPES[dtype], "shape": shape, "data_offsets": [offset, offset + size]}
        offsets[name] = _HEAD + offset
        offset += size
    offsets["end"] = _HEAD + offset
    text = json.dumps(tensors).encode("ascii")
    return _LENGTH + text.ljust(_HEAD - 8), offsets


class SafetensorsWriter(FileWriter):
    """Writes images after a gap for the header and the labels, which are known last."""

    def __init__(self, location: Path, content: Content, resumed_sizes: Labels | None = None) -> None:
        super().__init__("safetensors", location, content)
        self._ends: list[Labels] = []
        _, offsets = layout_of(content, 0)
        self._start = offsets.get("images", offsets.get("payloads", _HEAD))
        if resumed_sizes is None:
            self._file = Output(self._path, 0)
            self._file.position = self._start
            return
        size = int(resumed_sizes.sum())
        if content.kind is PayloadKind.ARRAY:
            size = len(resumed_sizes) * image_bytes(content)
        else:
            self._ends.append(np.cumsum(resumed_sizes))
        self._file = Output.continue_at(self._path, self._start + size)

    def checkpoint(self) -> int:
        """Return the number of images put: all are in the file, at their final offsets."""
        return self._put

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._file.write(images.data)

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        first = self._file.position - self._start
        self._ends.append(first + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads))))
        self._file.write_pieces(payloads)

    def _finish_file(self) -> None:
        size = self._file.position - self._start
        manifest = write_manifest(self._backend, self._content, bytes=size)
        head, offsets = layout_of(self._content, size, manifest)
        self._file.write_at(0, head)
        self._file.write_at(offsets["labels"], self.labels().data)
        if self._ends:
            self._file.write_at(offsets["ends"], np.concatenate(self._ends).data)
        self._file.truncate(offsets["end"])

    def _release(self) -> None:
        self._file.close()


class SafetensorsReader(CheckedReader):
    """Copies images and payloads straight from the tensors."""

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, file_of(location, FILE)
        self._raw = RawFile.of_store("safetensors", location, self.path)
        try:
            stored_head = self._raw.read_at(0, min(_HEAD, self._raw.size))
            text = None if location.is_dir() else self._manifest_in(stored_head)
            self.content, manifest = (
                load_manifest("safetensors", location) if text is None else read_manifest(text, "safetensors", location)
            )
            size = manifest.get("bytes")
            if not is_count(size) or size >= 2**62:
                raise layout_error(location)
            self._size = size
            head, self._offsets = layout_of(self.content, self._size, text)
            if self._raw.size < self._offsets["end"]:
                raise StoreError(f"{self.path} is damaged: it is shorter than it says.")
            if stored_head != head:
                raise StoreError(f"{self.path} is damaged or not of this store: its header is another.")
        except StoreError:
            self._raw.close()
            raise

    def _manifest_in(self, head: bytes) -> str:
        """Return the manifest in the header of the file."""
        try:
            text = json.loads(head[8:])[_METADATA][METADATA_KEY] if head.startswith(_LENGTH) else None
        except (ValueError, KeyError, TypeError, RecursionError):
            text = None
        if not isinstance(text, str):
            raise foreign("safetensors", self._location)
        return text

    def _numbers(self, name: str, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        self._raw.gather(self._offsets[name], self.content.count, ids, span, out)

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy images into the caller's array."""
        self._numbers("images", ids, span, out)
        self._numbers("labels", ids, span, labels)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Read where the payloads end, then copy them."""
        self._numbers("labels", ids, span, labels)
        offset = self._offsets["payloads"]

        def ends(requested: Sequence[int], span: IdSpan | None, out: Any) -> None:
            self._numbers("ends", requested, span, out)

        def piece(start: int, stop: int) -> bytes:
            return self._raw.read_at(offset + start, stop - start)

        return read_row(ids, span, ends, self._size, piece, _JOINT_BELOW * len(ids), self._unfitting)

    def _unfitting(self) -> StoreError:
        return StoreError(f"{self.path} is damaged: its ends do not fit the payloads.")

    def read_labels(self) -> Labels:
        """Read the tensor of labels."""
        labels = np.empty(self.content.count, np.int64)
        if len(labels):
            self._raw.read_into(labels.data.cast("B"), self._offsets["labels"])
        return labels

    def close(self) -> None:
        """Close the file."""
        self._raw.close()
