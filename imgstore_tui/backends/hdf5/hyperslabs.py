"""Reads and writes items of a dataset through HDF5 as fast as h5py lets it: low-level calls on the caller's memory.

``dataset[i]`` and ``write_direct`` build a selection and a type for every call. Here they are built once per store.
Source: the reference of h5py's low-level API (h5d, h5s, h5t), which is public.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.manifest import IdSpan

if TYPE_CHECKING:
    from numpy.typing import NDArray


class HyperslabReader:
    """Reads ranges of a dataset along its first axis."""

    def __init__(self, dataset: Any, kind: np.dtype[Any], *, chunked: bool) -> None:
        """Take an open dataset.

        Args:
            dataset: Its identifier, an ``h5py.h5d.DatasetID``, which the caller keeps open.
            kind: Type of its numbers.
            chunked: Whether it is in chunks, which are best visited one after the other.
        """
        self._dataset, self._kind, self._chunked = dataset, kind.newbyteorder("="), chunked
        self._item = tuple(dataset.shape[1:])
        self._zeros = (0,) * len(self._item)
        self._file_space: Any = None
        self._memory_type: Any = None
        self._memory_spaces: dict[int, Any] = {}
        self._whole: NDArray[Any] | None = None

    def read(self, ids: Sequence[int], span: IdSpan | None, out: Any) -> None:
        """Copy items into an array (n, ...), n is 1 or more; raises what h5py raises.

        Args:
            ids: Ids that exist.
            span: Their span if they ascend one by one, else None.
            out: C-contiguous array of the type of the numbers.
        """
        if span is not None:
            self.read_range(span[0], span[1], out)
        elif not self._item:
            # A number an image: HDF5 takes as long for one as for thousands, so all are read once.
            if self._whole is None:
                whole = np.empty(self._dataset.shape[0], self._kind)
                self.read_range(0, len(whole), whole)
                self._whole = whole
            self._whole.take(ids, 0, out)
        else:
            for at, start, stop in self._runs(ids):
                self.read_range(start, stop, out[at : at + stop - start])

    def _runs(self, ids: Sequence[int]) -> Iterator[tuple[int, int, int]]:
        """Yield ids that ascend one by one together: position of the first, first id, id after the last."""
        if self._chunked:  # in the order of the file, so that each chunk is read once
            for at in sorted(range(len(ids)), key=ids.__getitem__):
                yield at, ids[at], ids[at] + 1
            return
        at, count = 0, len(ids)
        while at < count:
            end = at + 1
            while end < count and ids[end] == ids[end - 1] + 1:
                end += 1
            yield at, ids[at], ids[end - 1] + 1
            at = end

    def read_range(self, start: int, stop: int, out: Any) -> None:
        """Copy the items from ``start`` up to ``stop`` into an array."""
        count = stop - start
        if self._file_space is None:
            from h5py import h5t

            self._file_space, self._memory_type = self._dataset.get_space(), h5t.py_create(self._kind)
        memory = self._memory_spaces.get(count)
        if memory is None:
            from h5py import h5s

            if len(self._memory_spaces) > 64:
                self._memory_spaces.clear()
            memory = self._memory_spaces[count] = h5s.create_simple((count, *self._item))
        self._file_space.select_hyperslab((start, *self._zeros), (count, *self._item))
        self._dataset.read(memory, self._file_space, out, self._memory_type)

    def close(self) -> None:
        """Release the dataset and what was built for it."""
        self._dataset = self._file_space = self._memory_type = self._whole = None
        self._memory_spaces.clear()


class HyperslabWriter:
    """Writes ranges of a dataset of fixed shape along its first axis, each by one call of HDF5."""

    def __init__(self) -> None:
        self._file_space: Any = None
        self._memory_type: Any = None
        self._memory_space: Any = None
        self._shape: tuple[int, ...] = ()

    def write_range(self, dataset: Any, start: int, items: NDArray[Any]) -> None:
        """Write items from ``start`` on; raises what h5py raises.

        Args:
            dataset: Its identifier, an ``h5py.h5d.DatasetID``: the same at every call.
            start: Position of the first item.
            items: C-contiguous array (n, ...), n is 1 or more.
        """
        from h5py import h5s, h5t

        if self._file_space is None:
            self._file_space, self._memory_type = dataset.get_space(), h5t.py_create(items.dtype)
        if self._shape != items.shape:
            self._memory_space, self._shape = h5s.create_simple(items.shape), items.shape
        self._file_space.select_hyperslab((start, *(0,) * (items.ndim - 1)), items.shape)
        dataset.write(self._memory_space, self._file_space, items, self._memory_type)
