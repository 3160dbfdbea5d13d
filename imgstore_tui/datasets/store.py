"""A store as a source of images: what one of the backends has written. It is read by a process of its own."""

from __future__ import annotations

import contextlib
import json
import struct
import subprocess
import tempfile
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core import child_python
from imgstore_tui.core.dataset import BrokenImageError, Dataset, ScanProgress
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.options import OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_SERVICE = "imgstore_tui.plugins.store_process"  # started, not imported: backends and datasets do not know each other
_HEAD = struct.Struct("<QQ")
_AHEAD = 256
"""Images that follow the one asked for are fetched with it: so many at most, fewer where they fill some MiB."""
_ENDS_IN_S = 10


class StoreDataset(Dataset):
    """Images in the order of their ids; those that were deleted are left out."""

    name = "store"
    title = "A store"
    needs_path = True
    describe = (
        "store:PATH, a store that a backend has written, or the pictures in a WebDataset tar, a TFRecord or a Parquet "
        "file of another program, or the images and labels in an HDF5 file. Lossy images are taken as they decode; "
        "with the codec original, as they are."
    )

    def __init__(self, path: Path | None, values: Mapping[str, OptionValue]) -> None:
        super().__init__(path, values)
        self._place = path or Path()
        self._process: subprocess.Popen[bytes] | None = None
        self._facts: dict[str, Any] = {}
        self._labels = np.zeros(0, np.int64)
        self._held: dict[str, tuple[int, list[Any]]] = {}

    def scan(self, progress: ScanProgress | None = None) -> None:
        """Start the process that opens the store, and let it say what it holds."""
        words = child_python.command(_SERVICE, str(self._place.absolute()))
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - not a pipe, which would fill up where nobody reads it
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, env=child_python.environment()
        )
        self._process = process
        weakref.finalize(self, _end, process, self._said)
        facts, data = self._receive()
        if "error" in facts:
            raise DataError(str(facts["error"]))
        self._facts, self._labels = facts, np.frombuffer(data, "<i8").astype(np.int64)
        if not len(self._labels):
            raise DataError(f"{self._place} holds no images.")

    def __len__(self) -> int:
        return len(self._labels)

    @property
    def uniform(self) -> tuple[tuple[int, ...], str] | None:
        """Shape and dtype of every image, where the store knows that all have the same."""
        shape = self._facts.get("shape")
        return None if shape is None else (tuple(shape), self._facts["dtype"])

    @property
    def has_originals(self) -> bool:
        """Whether the store holds picture files as they were."""
        return self._facts.get("from_file") is True

    def image(self, index: int) -> Pixels:
        """Return image ``index``, decoded."""
        found, data = self._get(index, "pixels")
        shape, dtype = tuple(found["shape"]), found["dtype"]
        known = dtype in ("uint8", "uint16") and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3, 4)))
        if not known or self.uniform not in (None, (shape, dtype)):
            reason = f"It is an array of shape {shape} and type {dtype}, which is not what it should be."
            raise BrokenImageError(f"{self._place.name} image {index}", reason)
        pixels: Pixels = np.frombuffer(data, found["dtype"]).reshape(found["shape"]).copy()
        return pixels

    def original(self, index: int) -> bytes:
        """Return the file of image ``index``."""
        if not self.has_originals:
            raise DataError(f"{self._place} holds images of the codec {self._facts['codec']}, not picture files.")
        return bytes(self._get(index, "payloads")[1])

    def _get(self, index: int, what: str) -> tuple[dict[str, Any], memoryview]:
        if not 0 <= index < len(self):
            raise IndexError(index)
        first, held = self._held.get(what, (0, []))
        if not first <= index < first + len(held):
            # One that is asked for out of order is fetched alone.
            count = _AHEAD if index in {0, first + len(held)} else 1
            first, held = self._held[what] = index, self._fetch(index, min(count, len(self) - index), what)
        found, data = held[index - first]
        if "error" in found:
            raise BrokenImageError(f"{self._place.name} image {index}", str(found["error"]))
        return found, data

    def _fetch(self, first: int, count: int, what: str) -> list[tuple[dict[str, Any], memoryview]]:
        asked = json.dumps({"first": first, "count": count, "as": what}).encode("ascii") + b"\n"
        if self._process is None or self._process.stdin is None:
            raise ValueError("a dataset is scanned before it is read")
        try:
            self._process.stdin.write(asked)
            self._process.stdin.flush()
        except OSError:
            raise self._died() from None
        facts, data = self._receive()  # of one image at least, of fewer than were asked for where they are large
        held, at, view = [], 0, memoryview(data)
        for found in facts["images"]:
            size = found.get("bytes", 0)
            held.append((found, view[at : at + size]))
            at += size
        return held

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        lengths = _HEAD.unpack(self._bytes(_HEAD.size))
        return json.loads(self._bytes(lengths[0])), self._bytes(lengths[1])

    def _bytes(self, count: int) -> bytes:
        if self._process is None or self._process.stdout is None:
            raise ValueError("a dataset is scanned before it is read")
        data = self._process.stdout.read(count)
        if len(data) < count:
            raise self._died()
        return data

    def _died(self) -> DataError:
        """Build the error for a process that has gone; what it said last is the reason."""
        process = self._process
        if process is None:
            raise ValueError("a dataset is scanned before it is read")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_ENDS_IN_S)
        self._said.seek(0)
        said = self._said.read().decode("utf-8", "replace").strip().splitlines() or [""]
        code = process.returncode
        reason = f"signal {-code}" if code is not None and code < 0 else safe_text(said[-1][:200]) or f"exit {code}"
        return DataError(f"{self._place} cannot be read: the process that reads it has ended ({reason}).")

    def label(self, index: int) -> int:
        """Return the label of image ``index``."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        return int(self._labels[index])

    @property
    def summary(self) -> str:
        """E.g. ``store photos.lmdb: 1,204 images of 32x32x3, lmdb+raw``."""
        words = "of varying sizes" if self.uniform is None else f"of {'x'.join(map(str, self.uniform[0]))}"
        held = f"{self._facts['backend']}+{self._facts['codec']}"
        return f"store {safe_text(self._place.absolute().name)}: {format_count(len(self))} images {words}, {held}"


def _end(process: subprocess.Popen[bytes], said: IO[bytes]) -> None:
    """Let the process end, which it does when nobody can ask any more."""
    for pipe in (process.stdin, process.stdout, said):
        with contextlib.suppress(OSError):
            if pipe is not None:
                pipe.close()
    try:
        process.wait(_ENDS_IN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
