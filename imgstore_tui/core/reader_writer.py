"""Declares the contracts of open stores: writer, editor and reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from imgstore_tui.core.content import Content
from imgstore_tui.core.errors import UnsupportedError
from imgstore_tui.core.former_names import adopt_former_names

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels
    from imgstore_tui.core.dataset import Excluded


class Writer(ABC):
    """A store being written. Ids of a new store are 0, 1, 2, ... in order, as many as its content says."""

    syncs: int = 0
    """Number of sync calls so far; 0 except at the level ``batch``."""
    requests: int = 0
    """Requests sent to a server so far; 0 where there is no server."""
    retries: int = 0
    """Requests that were sent again."""

    def put_bytes(self, ids: Sequence[int], payloads: Sequence[bytes], labels: Labels) -> None:
        """Add a batch of encoded images.

        Args:
            ids: Ids of the images, ascending, following those already put.
            payloads: One bytes object per image.
            labels: int64 array (n,).

        Raises:
            UnsupportedError: If the backend does not take bytes.
            StoreError: If the store cannot take them.
        """
        raise UnsupportedError(f"{type(self).__name__} does not take bytes, only arrays of one shape.")

    def put_array(self, ids: Sequence[int], images: Pixels, labels: Labels) -> None:
        """Add a batch of images of one shape.

        Args:
            ids: Ids of the images, ascending, following those already put.
            images: C-contiguous array (n, H, W[, C]) of the content's shape and dtype.
            labels: int64 array (n,).

        Raises:
            UnsupportedError: If the backend does not take arrays.
            StoreError: If the store cannot take them.
        """
        raise UnsupportedError(f"{type(self).__name__} does not take arrays, only bytes.")

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Give the names of the next batch, right before it is put, if the content says that images have names.

        Args:
            ids: Ids of the images, as they are put next.
            names: One name per id, as ``core.image_names.safe_name`` returns it: a relative path with slashes.

        Raises:
            UnsupportedError: If the backend keeps no names.
            StoreError: If a name is not of that form, or longer than the content announced.
        """
        raise UnsupportedError(f"{type(self).__name__} keeps no names of images.")

    def checkpoint(self) -> int:
        """Bring the files into a state from which ``Backend.resume`` can continue if this process dies.

        Returns:
            Number of images, from the first on, that are complete in the files. Nothing is forced to the device.

        Raises:
            UnsupportedError: If writing cannot be resumed.
            StoreError: If the files cannot be written.
        """
        raise UnsupportedError(f"{type(self).__name__} puts its files together at the end; nobody can go on with them.")

    @abstractmethod
    def close(self) -> None:
        """Finish the store, which can then be opened and holds all images put. Safe to call twice.

        Raises:
            StoreError: If fewer images were put than the content announced, or the store cannot be finished.
        """

    @abstractmethod
    def abort(self) -> None:
        """Release every handle; nothing is guaranteed about what was put. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


class Editor(Writer):
    """A store opened for changes. ``put_bytes`` and ``put_array`` take new or existing ids, never both in one call.

    New ids follow the highest id ever used (append); existing ids get another image and label (overwrite). Deleted ids
    are never reused, and reading one is an error.
    """

    content: Content

    def __init_subclass__(cls, **arguments: object) -> None:
        super().__init_subclass__(**arguments)
        adopt_former_names(cls, {"touched": "changed_paths"})

    def changed_paths(self) -> Iterable[Path] | None:
        """Return the files written since the store was opened, and folders whose names changed; None for all.

        Called after ``close``, so that making a change durable costs as much as the change, not as the store.
        """
        return None

    def delete(self, ids: Sequence[int]) -> None:
        """Remove images and their labels.

        Args:
            ids: Existing ids, each once.

        Raises:
            UnsupportedError: If the backend does not claim it.
            StoreError: If an id does not exist.
        """
        raise UnsupportedError(f"{type(self).__name__} does not delete single images.")


class Reader(ABC):
    """A store opened for reading only. What it returns is the caller's own memory."""

    content: Content
    requests: int = 0
    """Requests sent to a server so far; 0 where there is no server."""
    retries: int = 0
    """Requests that were sent again."""
    label_note: str = ""
    """Why a file of another program has no labels, or where they are taken from if that is not plain to see."""

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Read payloads by ids, in any order, with repeats.

        Args:
            ids: Ids to read.
            labels: int64 array (n,) that receives the labels.

        Returns:
            One owned bytes object per id, in the order of ``ids``.

        Raises:
            UnsupportedError: If the store holds arrays.
            StoreError: If an id does not exist, or the store is damaged.
        """
        raise UnsupportedError("This store holds arrays; read them with read_array.")

    def read_array(self, ids: Sequence[int], out: Pixels, labels: Labels) -> None:
        """Read images by ids, in any order, with repeats, into the caller's array.

        Args:
            ids: Ids to read.
            out: C-contiguous array (n, H, W[, C]) of the content's dtype, overwritten.
            labels: int64 array (n,) that receives the labels.

        Raises:
            UnsupportedError: If the store holds bytes.
            StoreError: If an id does not exist, or the store is damaged.
        """
        raise UnsupportedError("This store holds encoded images; read them with read_bytes.")

    def read_image(self, image_id: int) -> Pixels:
        """Read one image without its label, for loops that ask for images one by one.

        Returns:
            Array of the content's shape and dtype, the caller's own memory.

        Raises:
            UnsupportedError: If the store holds bytes.
            StoreError: If the id does not exist, or the store is damaged.
        """
        import numpy as np  # late: help of commands needs none

        out: Pixels = np.empty((1, *(self.content.shape or ())), self.content.dtype)
        self.read_array([image_id], out, np.empty(1, np.int64))
        image: Pixels = out[0]
        return image

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Return the names of images by ids, in any order, with repeats.

        A store of files may have added an ending that says what its payload is.

        Raises:
            UnsupportedError: If images have no names.
            StoreError: If an id does not exist, or the store is damaged.
        """
        raise UnsupportedError("This store keeps no names of images.")

    @property
    def excluded(self) -> Sequence[Excluded]:
        """Pictures that are there and are not taken, each with the reason; those of files of other programs."""
        return ()

    @property
    def warnings(self) -> Sequence[str]:
        """What the user should know of what is read, a sentence each; of files of other programs."""
        return ()

    def ids(self) -> Sequence[int]:
        """Return the existing ids, ascending: all below the count if nothing can be deleted."""
        return range(self.content.count)

    @abstractmethod
    def read_labels(self) -> Labels:
        """Return all labels as an owned int64 array (count,), without reading pixels.

        Where the content has none, all are ``NO_LABEL``.
        """

    @abstractmethod
    def close(self) -> None:
        """Release every handle. Safe to call twice."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
