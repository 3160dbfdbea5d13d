"""Reads the file: through the library, or straight from the tensors by code of ours."""

from __future__ import annotations

import contextlib
import os
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.safetensors import FILE
from imgstore_tui.backends.safetensors.layout import (
    CLASSES,
    ENDS,
    HEAD,
    IMAGES,
    LABELS,
    MOST_CLASS_BYTES,
    NAMES,
    PAYLOADS,
    class_names_in,
    manifest_in,
    offsets_in,
)
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, foreign, is_count, read_manifest
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.names_file import decode_names, require_names
from imgstore_tui.storekit.one_file import file_of
from imgstore_tui.storekit.payload_row import read_row
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import damaged_error, layout_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_JOINT_BELOW = 16 * 2**10
"""Payloads smaller than this are read together and cut; larger ones one by one, which saves a copy."""


class SafetensorsReader(CheckedReader):
    """Checks the header and the length of the file; a subclass reads the tensors."""

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, file_of(location, FILE)
        raw = RawFile.of_store("safetensors", location, self.path)
        try:
            head = raw.read_at(0, min(HEAD, raw.size))
            if location.is_dir():
                self.content, manifest = load_manifest("safetensors", location)
            else:
                text = manifest_in(head)
                if text is None:
                    raise foreign("safetensors", location)
                self.content, manifest = read_manifest(text, "safetensors", location)
            size = manifest.get("bytes")
            if not is_count(size) or size >= 2**62:
                raise layout_error(location)
            self._size = size
            class_bytes = manifest.get("label_name_bytes", 0)
            if not is_count(class_bytes) or class_bytes > MOST_CLASS_BYTES:
                raise layout_error(location)
            offsets = offsets_in(self.path, head, self.content, size, class_bytes)
            if raw.size < offsets["end"]:
                raise StoreError(f"{self.path} is damaged: it is shorter than it says.")
            if class_bytes:
                names = class_names_in(raw.read_at(offsets[CLASSES], class_bytes), self.path)
                self.content = replace(self.content, label_names=names)
            self._open_tensors(raw, offsets)
        except StoreError:
            raw.close()
            raise

    @abstractmethod
    def _open_tensors(self, raw: RawFile, offsets: dict[str, int]) -> None:
        """Prepare to read; the file is closed here or kept."""

    @abstractmethod
    def _items(self, name: str, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items of a tensor by ids into an array."""

    @abstractmethod
    def _payload(self, start: int, stop: int) -> bytes:
        """Return a range of the payloads as owned bytes."""

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy images into the caller's array."""
        self._items(IMAGES, ids, span, out)
        self._items(LABELS, ids, span, labels)

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Read where the payloads end, then copy them."""
        self._items(LABELS, ids, span, labels)

        def ends(requested: Sequence[int], span: IdSpan | None, out: Any) -> None:
            self._items(ENDS, requested, span, out)

        return read_row(ids, span, ends, self._size, self._payload, _JOINT_BELOW * len(ids), self._unfitting)

    def _unfitting(self) -> StoreError:
        return StoreError(f"{self.path} is damaged: its ends do not fit the payloads.")

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read rows of the tensor of names."""
        require_names(self.content)
        span = self._check_ids(ids)
        names = np.empty((len(ids), self.content.name_bytes), np.uint8)
        if len(ids):
            self._items(NAMES, ids, span, names)
        return decode_names(self._location, names.view(f"S{self.content.name_bytes}")[:, 0].tolist())

    def read_labels(self) -> Labels:
        """Read the tensor of labels."""
        labels = np.empty(self.content.count, np.int64)
        if len(labels):
            self._items(LABELS, range(len(labels)), (0, len(labels)), labels)
        return labels


class DirectReader(SafetensorsReader):
    """Copies images and payloads straight from the tensors."""

    def _open_tensors(self, raw: RawFile, offsets: dict[str, int]) -> None:
        self._raw, self._offsets = raw, offsets

    def _items(self, name: str, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        self._raw.gather(self._offsets[name], self.content.count, ids, span, out)

    def _payload(self, start: int, stop: int) -> bytes:
        return self._raw.read_at(self._offsets[PAYLOADS] + start, stop - start)

    def close(self) -> None:
        """Close the file."""
        self._raw.close()


class LibraryReader(SafetensorsReader):
    """Reads slices of tensors through the library, whose handles are kept; labels and ends whole, at first use.

    The library takes one range a call, which costs tens of microseconds however short the range is.
    """

    def _open_tensors(self, raw: RawFile, offsets: dict[str, int]) -> None:
        from safetensors import SafetensorError, safe_open

        raw.close()
        self._failure = SafetensorError
        self._numbers: dict[str, Labels] = {}
        try:
            file: Any = safe_open(os.fspath(self.path), framework="numpy")
            self._file, self._slices = file, {name: file.get_slice(name) for name in offsets if name != "end"}
        except (SafetensorError, OSError) as error:
            raise damaged_error(self.path, first_line(error), "safetensors file") from None

    def _slice(self, name: str, start: int, stop: int) -> Any:
        if self._file is None:
            raise StoreError(f"{self.path} is closed: nothing can be read.")
        try:
            return self._slices[name][start:stop]
        except self._failure as error:
            raise damaged_error(self.path, first_line(error), "safetensors file") from None

    def _items(self, name: str, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        if name in {LABELS, ENDS}:
            numbers = self._numbers.get(name)
            if numbers is None:
                numbers = self._numbers[name] = self._slice(name, 0, self.content.count)
            numbers.take(ids, 0, out, "clip")  # with ``clip`` NumPy needs no buffer
        elif span is not None:
            np.copyto(out, self._slice(name, *span))
        else:
            for position, number in enumerate(ids):  # the library takes no lists of rows
                out[position] = self._slice(name, number, number + 1)[0]

    def _payload(self, start: int, stop: int) -> bytes:
        piece: bytes = self._slice(PAYLOADS, start, stop).tobytes()
        return piece

    def close(self) -> None:
        """Close the file."""
        self._slices, self._numbers = {}, {}
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(self._failure):
                file.__exit__(None, None, None)
