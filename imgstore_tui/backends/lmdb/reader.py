"""Reads an LMDB store; values are copied once from the map, and no view of it leaves."""

from __future__ import annotations

import itertools
import os
import stat
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.lmdb.layout import (
    APART,
    DATA,
    GONE,
    HEADER,
    LABELS,
    MANIFEST,
    TOGETHER,
    facts_of,
    key_of,
    labels_key,
    name_key,
)
from imgstore_tui.core.backend import PayloadKind, Reader
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import check_out, foreign, image_bytes, read_manifest, span
from imgstore_tui.storekit.names_file import decode_names, require_names
from imgstore_tui.storekit.store_errors import layout_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class _Shared:
    """An open environment, shared by readers: LMDB refuses to open one twice in a process."""

    def __init__(self, location: Path, data: Path, size: int) -> None:
        import lmdb

        self.location, self.readers, self.error = location, 0, lmdb.Error
        try:
            # No lock: a finished store has no writer, and the lock file would be written to.
            self.env = lmdb.open(os.fsencode(location), readonly=True, lock=False, map_size=size, create=False)
        except lmdb.Error as error:
            raise StoreError(f"{data} cannot be opened: {error}.") from None
        try:
            facts = self.env.stat()
            if (int(self.env.info()["last_pgno"]) + 1) * int(facts["psize"]) > size:
                # Checked first: an access to a page beyond the end would kill the process.
                raise StoreError(f"{data} is damaged: it is shorter than it says.")
            with self.env.begin() as transaction:
                text, deleted = transaction.get(MANIFEST), transaction.get(GONE) or b""
            if text is None:
                raise foreign("lmdb", location)
            self.content, manifest = read_manifest(text, "lmdb", location)
            self.layout = str(manifest.get("layout"))
            if self.layout not in (APART, TOGETHER):
                raise layout_error(location)
            if self.content.count > facts["entries"] or len(deleted) % 8:
                raise StoreError(f"{location} is damaged: images are missing in it.")
            next_id = next_id_in(manifest, self.content, location)
            deleted_ids = np.frombuffer(deleted, "<i8").astype(np.int64) if deleted else None
            self.live_ids = LiveIds.of(location, self.content, next_id, deleted_ids)
        except lmdb.Error as error:
            self.env.close()
            raise StoreError(f"{data} is damaged: {error}.") from None
        except BaseException:
            self.env.close()
            raise


_shared: dict[tuple[int, int, int], _Shared] = {}
_guard = threading.Lock()


def _acquire(location: Path) -> tuple[tuple[int, int, int], _Shared]:
    data = location / DATA
    try:
        status = data.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise foreign("lmdb", location) from None
    except OSError as error:
        raise StoreError(f"{data}: {error.strerror or error}.") from None
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(f"{data} is damaged: it is no ordinary file.")
    with _guard:
        key = (os.getpid(), status.st_dev, status.st_ino)  # a forked child must not use its parent's
        shared = _shared.get(key)
        if shared is None:
            # LMDB knows no process but the one that opened, and refuses a file that the parent of a fork has open.
            # There are no locks, so closing it here takes nothing from the parent.
            for inherited in [other for other in _shared if other[0] != key[0] and other[1:] == key[1:]]:
                _shared.pop(inherited).env.close()
            shared = _shared[key] = _Shared(location, data, status.st_size)
        shared.readers += 1
        return key, shared


def _release(key: tuple[int, int, int]) -> None:
    with _guard:
        shared = _shared.get(key)
        if shared is None:  # the parent of this forked process had it open
            return
        shared.readers -= 1
        if not shared.readers:
            del _shared[key]
            shared.env.close()


class LmdbReader(Reader):
    """Reads in one transaction, by key lookups or along the leaves."""

    def __init__(self, location: Path) -> None:
        self._key, shared = _acquire(location)
        self._location, self._error = shared.location, shared.error
        self.layout, self.live_ids = shared.layout, shared.live_ids
        self.content, self._facts = shared.content, facts_of(shared.content)
        self._loaded: Labels | None = None
        self._transaction: Any = shared.env.begin(buffers=True)
        self._bare: tuple[int, tuple[int, ...], np.dtype[Any]] | None = None
        """Bytes, shape and type of an image, where a value is its pixels and nothing else."""
        if self.content.kind is PayloadKind.ARRAY and self.layout == APART:
            self._bare = image_bytes(self.content), self.content.shape or (), np.dtype(self.content.dtype)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Copy one value per id."""
        if self.content.kind is not PayloadKind.BYTES:
            return super().read_bytes(ids, labels)
        if self.layout == APART:
            payloads = [bytes(value) for value in self._values(ids)]
            self._fill_labels(ids, labels)
            return payloads
        payloads = []
        for position, value in enumerate(self._values(ids)):
            labels[position] = self._label_in(value)
            payloads.append(bytes(value[HEADER.size :]))
        return payloads

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Copy one value per id straight into the caller's array."""
        if self.content.kind is not PayloadKind.ARRAY:
            super().read_array(ids, out, labels)
            return
        check_out(self._location, self.content, ids, out, labels)
        if not len(ids):
            return
        if len(ids) == 1 and (view := self._view_of(ids[0])) is not None:
            out[0] = view
            self._fill_labels(ids, labels)
            return
        size, at = image_bytes(self.content), 0
        pixels = out.data.cast("B")
        try:
            if self.layout == APART:
                self._copy_values(ids, pixels, size)
                self._fill_labels(ids, labels)
            else:
                for position, value in enumerate(self._values(ids)):
                    labels[position] = self._label_in(value)
                    pixels[at : at + size] = value[HEADER.size :]
                    at += size
        except ValueError:
            raise StoreError(f"{self._location} is damaged: an image in it is not of {size} bytes.") from None

    def _copy_values(self, ids: Sequence[int], pixels: memoryview, size: int) -> None:
        """Copy values of pixels alone one after the other into memory, ``size`` bytes each."""
        at = 0
        if span(ids) is not None:
            for value in self._values(ids):
                pixels[at : at + size] = value
                at += size
            return
        # Written out once more: a generator and a call for each key take a tenth of the time of a small image.
        self.live_ids.check(self._location, ids)
        get = self._transaction.get
        try:
            for number in ids:
                value = get(number.to_bytes(4, "big"))
                if value is None:
                    raise self._incomplete()
                pixels[at : at + size] = value
                at += size
        except self._error as error:
            raise StoreError(f"{self._location} is damaged: {error}.") from None

    def read_image(self, image_id: int) -> Pixels:
        """Copy the pixels of one value; what is not as usual is left to ``read_array``, which says what is wrong."""
        view = self._view_of(image_id)
        if view is None:
            return super().read_image(image_id)
        pixels: Pixels = view.copy()
        return pixels

    def _view_of(self, image_id: int) -> Pixels | None:
        """Return a view of an image in the map, where its value is pixels alone; None for all that is not as usual."""
        bare = self._bare
        if bare is None or not 0 <= image_id < self.live_ids.next_id:
            return None
        try:
            value = self._transaction.get(image_id.to_bytes(4, "big"))
        except self._error as error:
            raise StoreError(f"{self._location} is damaged: {error}.") from None
        return np.ndarray(bare[1], bare[2], value) if value is not None and len(value) == bare[0] else None

    def _values(self, ids: Sequence[int]) -> Iterator[memoryview]:
        """Yield views of the values in the map; callers copy them."""
        span = self.live_ids.check(self._location, ids)
        try:
            if span is not None and len(ids) > 1:
                yield from self._scan(span[0], span[1] - 1, len(ids))
                return
            get, layout = self._transaction.get, self.layout
            for number in ids:
                value = get(key_of(layout, number))
                if value is None:
                    raise self._incomplete()
                yield value
        except self._error as error:
            raise StoreError(f"{self._location} is damaged: {error}.") from None

    def _scan(self, first: int, last: int, count: int) -> Iterator[memoryview]:
        """Yield ``count`` values along the leaves, from the live id ``first`` to the live id ``last``."""
        cursor = self._transaction.cursor()
        if not cursor.set_key(key_of(self.layout, first)):
            raise self._incomplete()
        yield from itertools.islice(cursor.iternext(keys=False), count)
        # Keys are unique and ordered: if the last one is right after ``count`` steps, all others were.
        if bytes(cursor.key()) != key_of(self.layout, last):
            raise self._incomplete()

    def ids(self) -> Sequence[int]:
        """Return the live ids, ascending."""
        return self.live_ids.ids()

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Copy one name per id."""
        require_names(self.content)
        self.live_ids.check(self._location, ids)
        try:
            values = [self._transaction.get(name_key(int(number))) for number in ids]
        except self._error as error:
            raise StoreError(f"{self._location} is damaged: {error}.") from None
        if any(value is None for value in values):
            raise StoreError(f"{self._location} is damaged: names of images are missing in it.")
        return decode_names(self._location, [bytes(value) for value in values])

    def read_labels(self) -> Labels:
        """Copy the label blocks; in the layout ``together``, read the header of each image."""
        live_ids = self.live_ids
        if self.layout == APART:
            return live_ids.without_deleted(self._all_labels())
        if not live_ids.count:
            return np.zeros(0, np.int64)
        try:
            labels = (self._label_in(value) for value in self._scan(live_ids.first(), live_ids.last(), live_ids.count))
            return np.fromiter(labels, np.int64, live_ids.count)
        except self._error as error:
            raise StoreError(f"{self._location} is damaged: {error}.") from None

    def _label_in(self, value: memoryview) -> int:
        if len(value) < HEADER.size:
            raise StoreError(f"{self._location} is damaged: an image in it is cut short.")
        *facts, label = HEADER.unpack_from(value)
        if facts != self._facts:
            raise StoreError(f"{self._location} is damaged: an image in it is not of the shape the store has.")
        return int(label)

    def _fill_labels(self, ids: Sequence[int], labels: Labels) -> None:
        if len(ids) == 1:
            labels[0] = self._all_labels()[ids[0]]
        elif len(ids):
            all_labels = self._all_labels()
            labels[:] = (
                all_labels[ids[0] : ids[-1] + 1] if isinstance(ids, range) and ids.step == 1 else all_labels[list(ids)]
            )

    def _all_labels(self) -> Labels:
        """Return one label per id ever used; they may be a view of the map, which callers copy."""
        if self._loaded is None:
            try:
                whole = self._transaction.get(labels_key(0))
                if whole is not None and len(whole) == 8 * self.live_ids.next_id:
                    blocks = [np.frombuffer(whole, "<i8")]  # one block, which is the usual case
                else:
                    blocks = [np.frombuffer(value, "<i8") for _, value in self._blocks()]
            except (self._error, ValueError) as error:
                raise StoreError(f"{self._location} is damaged: {error}.") from None
            labels = blocks[0] if len(blocks) == 1 else np.concatenate([np.zeros(0, np.int64), *blocks])
            if len(labels) != self.live_ids.next_id:
                raise StoreError(
                    f"{self._location} is damaged: {len(labels)} labels for {self.live_ids.next_id} images."
                )
            self._loaded = labels
        return self._loaded

    def label_blocks(self) -> dict[int, Labels]:
        """Return an owned copy of each block of labels, by the id of its first label."""
        self._all_labels()  # which checks that they are complete
        blocks = {
            int.from_bytes(key[len(LABELS) :], "big"): np.frombuffer(value, "<i8").astype(np.int64)
            for key, value in self._blocks()
        }
        starts = np.cumsum([0, *map(len, blocks.values())]).tolist()
        if list(blocks) != starts[:-1]:
            raise StoreError(f"{self._location} is damaged: its labels are out of order.")
        return blocks

    def _blocks(self) -> Iterator[tuple[bytes, memoryview]]:
        cursor = self._transaction.cursor()
        if cursor.set_range(LABELS):
            for key, value in cursor:
                if not bytes(key).startswith(LABELS):
                    return
                yield bytes(key), value

    def _incomplete(self) -> StoreError:
        return StoreError(f"{self._location} is damaged: images are missing in it.")

    def close(self) -> None:
        """End the transaction, and close the environment with its last reader."""
        if self._transaction is not None:
            self._loaded = self._bare = None  # labels may be a view of the map
            self._transaction.abort()
            self._transaction = None
            _release(self._key)
