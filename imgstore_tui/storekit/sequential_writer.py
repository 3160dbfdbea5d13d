"""Checks and counts the batches of a new store that is put together in order, whatever its files are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imgstore_tui.core.backend import Content, Writer
from imgstore_tui.core.manifest import check_complete, check_put

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


class SequentialWriter(Writer):
    """Collects the labels, and completes the store when it is closed.

    A subclass opens its files, adds batches to them, and completes or releases them. As what makes the store readable
    comes last, no single batch can be made durable: the backend refuses that beforehand (``refuse_batch_sync``).
    """

    def __init__(self, backend: str, location: Path, content: Content) -> None:
        self._backend, self._location, self._content = backend, location, content
        self._put = 0
        self._labels: list[Labels] = []
        self._open = True

    def continue_after(self, labels: Labels) -> None:
        """Count the images with these labels, int64 array (n,), as put: another process did."""
        self._put = len(labels)
        self._labels = [np.array(labels, np.int64)]

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add a batch of payloads."""
        check_put(self._location, self._content, self._put, ids, payloads, labels)
        if len(ids):
            self._add_bytes(payloads, labels)
            self._count_labels(labels)

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Add a batch of images of one shape."""
        check_put(self._location, self._content, self._put, ids, images, labels)
        if len(ids):
            self._add_array(images, labels)
            self._count_labels(labels)

    def _count_labels(self, labels: Labels) -> None:
        self._put += len(labels)
        self._labels.append(np.array(labels, np.int64))

    @abstractmethod
    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        """Add one or more payloads."""

    @abstractmethod
    def _add_array(self, images: Pixels, labels: Labels) -> None:
        """Add one or more images of one shape."""

    @abstractmethod
    def _complete(self) -> None:
        """Finish the files, so that they are a store."""

    @abstractmethod
    def _release(self) -> None:
        """Close every handle, in whatever state; called once."""

    def close(self) -> None:
        """Check that all images were put, and complete the store."""
        if not self._open:
            return
        try:
            check_complete(self._location, self._content, self._put)
            self._complete()
        finally:
            self.abort()

    def labels(self) -> Labels:
        """Return all labels so far, int64 array (n,)."""
        return np.concatenate([np.zeros(0, np.int64), *self._labels])

    def abort(self) -> None:
        """Close the files; what was put does not open as a store."""
        if self._open:
            self._open = False
            self._release()
