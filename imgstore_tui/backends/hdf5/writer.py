"""Writing an HDF5 store."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.hdf5.calls import make_attribute, make_block, open_file, write_whole
from imgstore_tui.backends.hdf5.columns import RawBlock
from imgstore_tui.backends.hdf5.layout import CHUNK, FILE, IMAGES, MANIFEST, OFFSETS, PARTIAL, label_chunk, never_close
from imgstore_tui.core.backend import Content, PayloadKind, Writer, force
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_complete, check_put, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.core.options import OptionValue

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_BLOCK = 4096


class Hdf5Writer(Writer):
    """Writes batches into datasets that have their size from the start, or grow in steps where it is not known."""

    def __init__(
        self,
        location: Path,
        content: Content,
        values: Mapping[str, OptionValue],
        sync: SyncLevel,
        there: Labels | None = None,
    ) -> None:
        import h5py

        self._location, self._content, self._values = location, content, values
        self._path = location / PARTIAL
        self._each = sync is SyncLevel.BATCH
        self._put = self._end = 0
        self._waiting: list[Labels] = []
        self._ends: list[np.ndarray[Any, np.dtype[np.int64]]] = []
        self._open = True
        self._in_one_block = content.kind is PayloadKind.ARRAY and not values["chunks"]
        self._file: Any = None
        self._images: Any = None
        self._offsets: Any = None
        self._labels: Any = None
        self._block: RawBlock | None = None
        try:
            # The chunk cache would copy every chunk once more; what is not filtered goes straight to the file.
            cache = 0 if values["filter"] == "none" else 16 * CHUNK
            self._file = h5py.File(open_file(self._path, cache, new=there is None))
            if there is None:
                self._images, self._offsets = self._datasets()
                self._labels = self._numbers(str(values["labels"]), content.count)
            else:
                self._go_on(there)
            self._block = self._find_block()
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            self.abort()
            raise self._failed(error) from None

    def _datasets(self) -> tuple[Any, Any]:
        content, chosen = self._content, str(self._values["filter"])
        settings: dict[str, Any] = {} if chosen == "none" else {"compression": chosen}
        if content.kind is PayloadKind.ARRAY:
            shape = content.shape or ()
            kind = np.dtype(content.dtype).newbyteorder("<")
            if self._in_one_block:
                # The block has its place in the file from the start, so that batches can be written there.
                early = self._values["access"] == "direct" and content.count > 1
                return make_block(self._file, IMAGES, (content.count, *shape), kind, early=early), None
            chunks = min(int(self._values["chunks"]), content.count or int(self._values["chunks"]))
            settings |= {"chunks": (chunks, *shape), "maxshape": (None, *shape)}
            return self._file.create_dataset(IMAGES, (content.count, *shape), kind, fill_time="never", **settings), None
        # No larger than all payloads are expected to be: a chunk takes its place on disk whole.
        chunk = min(CHUNK, max(1, -(-content.payload_bytes // _BLOCK)) * _BLOCK)
        images = self._file.create_dataset(
            IMAGES, (0,), "u1", maxshape=(None,), chunks=(chunk,), fill_time="never", **settings
        )
        return images, self._numbers(OFFSETS, content.count + 1)

    def _go_on(self, there: Labels) -> None:
        """Find the datasets that another process has made, and take it that images with these labels are in them."""
        content = self._content
        self._images, self._labels = self._file[IMAGES], self._file[str(self._values["labels"])]
        begun = self._images.shape == (content.count, *(content.shape or ())) and self._labels.shape == (content.count,)
        if not begun or self._images.dtype != np.dtype(content.dtype) or self._images.chunks is not None:
            raise ValueError("it is not the file that was begun")
        self._put = len(there)
        self._waiting = [np.array(there, np.int64)]

    def checkpoint(self) -> int:
        """Let the file say where its one block is; the pixels go there, and nothing else changes until the end."""
        if not self._in_one_block:
            return super().checkpoint()
        try:
            self._file.flush()
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None
        return self._put

    def _find_block(self) -> RawBlock | None:
        """Return where whole batches of pixels go, None where the library writes them."""
        direct = self._values["access"] == "direct" and sys.byteorder == "little"
        if not direct or not self._in_one_block:
            return None
        place = self._images.id.get_offset()
        return None if place is None else RawBlock(self._path, place)

    def _numbers(self, name: str, count: int) -> Any:
        """Make a dataset of one number an image, which grows if the images can."""
        if self._in_one_block:
            return make_block(self._file, name, (count,), np.dtype("<i8"))
        return self._file.create_dataset(name, (count,), "<i8", maxshape=(None,), chunks=(label_chunk(count),))

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add the payloads to the row of all payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        ends = self._end + np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)))
        try:
            if len(ends) and ends[-1] > self._end:
                stop = int(ends[-1])
                if stop > len(self._images):
                    self._images.resize((max(stop, 2 * len(self._images)),))  # places that are never written take none
                self._images[self._end : stop] = np.frombuffer(b"".join(payloads), np.uint8)
                self._end = stop
            self._ends.append(ends)
            self._follow(len(payloads), labels)
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Write the batch to its place in the dataset."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        try:
            if self._in_one_block and len(images) == self._content.count and len(images):
                write_whole(self._images, images)
            elif self._block is not None and len(images):
                self._block.write(self._put, images)
            elif len(images):
                self._images.write_direct(images, dest_sel=np.s_[self._put : self._put + len(images)])
            self._follow(len(images), labels)
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None

    def _follow(self, count: int, labels: Labels) -> None:
        """Keep the labels for one write at the end, or write and force everything where each batch must be safe."""
        self._put += count
        self._waiting.append(np.array(labels, np.int64))
        if self._each:
            self._write_waiting()
            self._file.flush()
            force(self._path)
            self.syncs += 1

    def _write_waiting(self) -> None:
        if self._waiting:
            labels, self._waiting = np.concatenate(self._waiting), []
            if len(labels) == self._content.count and len(labels):
                write_whole(self._labels, labels)
            elif len(labels):
                self._labels[self._put - len(labels) : self._put] = labels
        if self._ends:
            ends, self._ends = np.concatenate(self._ends), []
            if len(ends):
                self._offsets[self._put - len(ends) + 1 : self._put + 1] = ends

    def close(self) -> None:
        """Write what waits, close the file, and give it its name: until then the folder is no store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            self._write_waiting()
            if self._content.kind is PayloadKind.BYTES:
                self._images.resize((self._end,))
            manifest = write_manifest(
                "hdf5", self._content, labels=self._values["labels"], access=self._values["access"]
            )
            make_attribute(self._file, MANIFEST, manifest)
            self._file.id.close()  # strong, so all that is open in it is closed, too; h5py would look for that first
            self._file = None
            if self._each:
                force(self._path)
            self._path.rename(self._location / FILE)
            if self._each:
                force(self._location)
                force(self._location.parent)
                self.syncs += 3
        except (OSError, RuntimeError, ValueError) as error:
            raise self._failed(error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Close the file without giving it its name."""
        self._open = False
        if self._block is not None:
            self._block.close()
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                file.close()

    def _failed(self, error: Exception) -> StoreError:
        if self._file is not None:
            never_close(self._file, self._images, self._offsets, self._labels)
            self._file, self._open = None, False
        said = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return StoreError(f"{self._path} cannot be written: {said.rstrip('.')}.")
