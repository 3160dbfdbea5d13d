"""Writes an LMDB store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.lmdb.layout import APART, MANIFEST, TOGETHER, keys_of, labels_key, name_items, with_labels
from imgstore_tui.backends.lmdb.write_env import PAGE, PIECE_BYTES, TRANSACTION_BYTES, WriteEnvironment, pieces
from imgstore_tui.core.backend import Content, Writer
from imgstore_tui.core.manifest import check_complete, check_put, write_manifest
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.names_file import missing_names
from imgstore_tui.storekit.payload_row import image_views

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class LmdbWriter(Writer):
    """Puts values in transactions."""

    def __init__(self, location: Path, content: Content, layout: str, transaction: int, sync: SyncLevel) -> None:
        self._location, self._content, self._layout, self._least = location, content, layout, transaction
        self._sync_each_batch = sync is SyncLevel.BATCH
        # Appending fills pages, which LMDB otherwise leaves half empty. It is impossible if labels, whose keys sort
        # after those of images, are put with each batch; and the article does not use it.
        self._append = layout == APART and not self._sync_each_batch
        self._put = 0
        self._labels: list[Labels] = []
        self._names: list[tuple[bytes, bytes]] = []
        """Items of names, which are put at the end: their keys follow all others."""
        self._open = True
        # The map takes addresses, not space: ten times the pixels, as in the article, and room for small values.
        self._env = WriteEnvironment(location, 2**20 + 10 * content.payload_bytes + 4 * PAGE * content.count)

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Put one value per payload."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        self._put_values(payloads, labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Put one value per image, straight from the array's memory."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(images):
            self._put_values(image_views(images), labels)

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Keep the names for the end."""
        self._names += name_items(self._location, self._content, ids, names)

    def _put_values(self, values: Sequence[bytes | memoryview], labels: Labels) -> None:
        if self._layout == TOGETHER:
            values = with_labels(self._content, values, labels)
        else:
            self._labels.append(np.array(labels, "<i8"))
        filling = self._env
        items = list(zip(keys_of(self._layout, self._put, self._put + len(values)), values, strict=True))
        try:
            # Most batches of small images are one piece.
            is_one = not self._least or sum(map(len, values)) <= PIECE_BYTES
            for piece in (items,) if is_one else pieces(items):
                filling.put(piece, append=self._append)
                if self._least and (filling.pending >= self._least or filling.pending_bytes >= TRANSACTION_BYTES):
                    filling.commit()
            self._put += len(values)
            if self._sync_each_batch:
                self._put_labels()
                filling.commit()
                self.syncs += filling.force()
        except filling.error as error:
            raise filling.failed(error) from None

    def _put_labels(self) -> None:
        """Put the labels collected so far as one value, under the id of the first."""
        if self._labels:
            value = np.concatenate(self._labels)
            self._labels = []
            self._env.put([(labels_key(self._put - len(value)), value.data.cast("B"))], append=self._append)

    def close(self) -> None:
        """Put the labels and, last, the manifest, without which the environment is not a store."""
        if not self._open:
            return
        filling = self._env
        try:
            check_complete(self._location, self._content, self._put)
            self._put_labels()
            manifest = write_manifest("lmdb", self._content, layout=self._layout).encode("utf-8")
            filling.put([(MANIFEST, manifest)], append=self._append)
            if self._content.name_bytes:
                if len(self._names) != self._put:
                    raise missing_names(self._location, self._put - len(self._names))
                filling.put(self._names, append=self._append)
            filling.commit()
            if self._sync_each_batch:
                self.syncs += filling.force() + filling.force_names()
        except filling.error as error:
            raise filling.failed(error) from None
        finally:
            self.abort()

    def abort(self) -> None:
        """Drop the open transaction and close; without a manifest the environment does not open as a store."""
        if self._open:
            self._open = False
            self._env.close()
