"""Appends to the files, or overwrites images in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.backends.npy.layout import ENDS, IMAGES, PAYLOADS, append_payloads
from imgstore_tui.backends.npy.reader import NpyReader
from imgstore_tui.core.backend import PayloadKind
from imgstore_tui.core.errors import StoreError, UnsupportedError
from imgstore_tui.core.manifest import check_batch
from imgstore_tui.core.operations import SyncLevel
from imgstore_tui.storekit.folder_editor import FolderEditor
from imgstore_tui.storekit.folder_writer import LABELS

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class NpyEditor(FolderEditor):
    """Appends to the files, or overwrites images in them; the manifest decides what counts."""

    def __init__(self, location: Path, sync: SyncLevel) -> None:
        with NpyReader(location, direct=True) as reader:  # which validates the store
            super().__init__("npy", location, sync, reader.content, {})
            keep = self.content.count if self.content.kind is PayloadKind.ARRAY else reader.payload_end()
        count = self.content.count
        try:
            if self.content.kind is PayloadKind.ARRAY:
                self._images = self._file(IMAGES, str(self.content.dtype), self.content.shape or (), keep)
            else:
                self._images = self._file(PAYLOADS, "uint8", (), keep)
                self._ends = self._file(ENDS, "int64", (), count)
            self._labels = self._file(LABELS, "int64", (), count)
        except StoreError:
            self._release()
            raise

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Append images to the array, or overwrite them."""
        check_batch(self._location, self.content, ids, images, labels)
        if not len(ids):
            return
        if self._live_ids.is_append(self._location, ids):
            self._images.append(images)
            self._follow(labels)
            return
        numbers = np.array(labels, np.int64)
        for position, number in enumerate(ids):
            self._images.overwrite(number, images[position])
            self._labels.overwrite(number, numbers[position : position + 1])
        self._batch_done()

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Append payloads to the row of payloads."""
        check_batch(self._location, self.content, ids, payloads, labels)
        if not len(ids):
            return
        if not self._live_ids.is_append(self._location, ids):
            raise UnsupportedError(
                "Backend npy keeps encoded images in a row without gaps: it can grow, but none can be replaced in it."
            )
        append_payloads(self._images, self._ends, payloads)
        self._follow(labels)

    def _follow(self, labels: Labels) -> None:
        numbers = np.array(labels, np.int64)
        self._labels.append(numbers)
        self._live_ids.grow(len(numbers))
        self._batch_done()

    def _before_commit(self) -> None:
        """Do nothing: all data is in the files already."""
