"""Writes the file: through the library at once when all images are there, or as they come by code of ours."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.safetensors import SAVING
from imgstore_tui.backends.safetensors.layout import (
    CLASSES,
    ENDS,
    HEAD,
    IMAGES,
    LABELS,
    LENGTH,
    NAMES,
    PAYLOADS,
    head_of,
    manifest_for,
    padded_manifest,
)
from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import image_bytes
from imgstore_tui.core.text import first_line
from imgstore_tui.core.units import format_bytes
from imgstore_tui.storekit.file_writer import FileWriter
from imgstore_tui.storekit.names_file import encode_names, missing_names
from imgstore_tui.storekit.one_file import METADATA_KEY, beside, leave_to_library
from imgstore_tui.storekit.output import Output
from imgstore_tui.storekit.store_errors import write_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.backend import Labels, Pixels


class _Writer(FileWriter):
    """Collects the names of images, which stand behind all else in the file."""

    def __init__(self, location: Path, content: Content) -> None:
        super().__init__("safetensors", location, content)
        self._names = bytearray()

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Keep names until the file is finished."""
        self._names += encode_names(self._location, self._content, names).tobytes()

    def _whole_names(self) -> NDArray[np.uint8]:
        """Return the names as the tensor of them.

        Raises:
            StoreError: If some were not given.
        """
        longest = self._content.name_bytes
        missing = self._put - len(self._names) // longest
        if missing:
            raise missing_names(self._location, missing)
        return np.frombuffer(self._names, np.uint8).reshape(self._put, longest)


class LibraryWriter(_Writer):
    """Collects images in memory, because the library writes whole arrays, and has it write them."""

    def __init__(self, location: Path, content: Content) -> None:
        super().__init__(location, content)
        self._payloads = bytearray()
        self._ends: list[int] = []
        self._images: Pixels = np.empty(0, np.uint8)
        if content.kind is PayloadKind.ARRAY:
            self._images = np.empty((content.count, *(content.shape or ())), content.dtype)

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        self._images[self._put : self._put + len(images)] = images

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        for payload in payloads:
            self._payloads += payload
            self._ends.append(len(self._payloads))

    def _finish_file(self) -> None:
        from safetensors import SafetensorError
        from safetensors.numpy import save_file

        tensors: dict[str, Any] = {LABELS: self.labels()}
        if self._content.kind is PayloadKind.ARRAY:
            tensors[IMAGES], size = self._images, self._images.nbytes
        else:
            tensors[ENDS] = np.array(self._ends, np.int64)
            tensors[PAYLOADS], size = np.frombuffer(self._payloads, np.uint8), len(self._payloads)
        manifest, classes = manifest_for(self._backend, self._content, size)
        if classes:
            tensors[CLASSES] = np.frombuffer(classes, np.uint8)
        if self._content.name_bytes:
            tensors[NAMES] = self._whole_names()
        metadata = {METADATA_KEY: padded_manifest(self._content, size, manifest, len(classes))}
        folder = beside(self._location, SAVING)
        saved = folder / "store"
        try:
            folder.mkdir(mode=0o700)
            save_file(tensors, os.fspath(saved), metadata)
            saved.chmod(self._path.stat().st_mode & 0o777)  # the library makes files that are the owner's alone
            with saved.open("rb") as file:
                if file.read(len(LENGTH)) != LENGTH:
                    raise StoreError(
                        f"{self._location} cannot be made: this version of safetensors writes a header of another "
                        "length. Write safetensors:access=direct."
                    )
            leave_to_library(self._path)
            saved.rename(self._path)
            folder.rmdir()
        except SafetensorError as error:
            raise StoreError(f"{self._location} cannot be written: {first_line(error)}.") from None
        except OSError as error:
            raise write_error(self._location, error) from None

    def _release(self) -> None:
        self._images, self._payloads, self._ends = np.empty(0, np.uint8), bytearray(), []
        self._names = bytearray()


def check_memory(content: Content) -> None:
    """Check that the images fit in the memory that is free.

    Raises:
        UnsupportedError: If they do not.
    """
    needed = content.payload_bytes
    if content.kind is PayloadKind.ARRAY:
        needed = content.count * image_bytes(content)
    needed += content.count * content.name_bytes
    free = _available_bytes()
    if free is not None and needed > free:
        raise UnsupportedError(
            f"The library safetensors writes arrays from memory: {format_bytes(needed)} are needed, and "
            f"{format_bytes(free)} are free. Write safetensors:access=direct."
        )


def _available_bytes() -> int | None:
    """Return the memory that can be had, as ``/proc/meminfo`` says; None if it does not."""
    try:
        tokens = Path("/proc/meminfo").read_text(encoding="ascii").split()
        return int(tokens[tokens.index("MemAvailable:") + 1]) * 1024
    except (OSError, ValueError):
        return None


class DirectWriter(_Writer):
    """Writes images after a gap for the header and the labels, which are known last."""

    def __init__(self, location: Path, content: Content, resumed_sizes: Labels | None = None) -> None:
        super().__init__(location, content)
        self._ends: list[Labels] = []
        _, offsets = head_of(content, 0)
        self._start = offsets.get(IMAGES, offsets.get(PAYLOADS, HEAD))
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
        manifest, classes = manifest_for(self._backend, self._content, size)
        head, offsets = head_of(self._content, size, manifest, len(classes))
        if self._content.name_bytes:
            self._file.write_at(offsets[NAMES], self._whole_names().data)
        self._file.write_at(0, head)
        if classes:
            self._file.write_at(offsets[CLASSES], classes)
        self._file.write_at(offsets[LABELS], self.labels().data)
        if self._ends:
            self._file.write_at(offsets[ENDS], np.concatenate(self._ends).data)
        self._file.truncate(offsets["end"])

    def _release(self) -> None:
        self._file.close()
