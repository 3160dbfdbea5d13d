"""Opens files and datasets by HDF5 identifiers, below h5py's objects, where an operation is done once per store.

For a store of one image there is nothing else, and h5py's high-level layer takes longer than HDF5 itself. Source: the
reference of h5py's low-level API (h5f, h5d, h5a, h5p), which is public.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.storekit.file_lock import NO_LOCKS
from imgstore_tui.storekit.one_file import leave_to_library

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


@dataclass(slots=True)
class Handle:
    """An open dataset: its identifier and, on first use, the object of h5py."""

    id: Any
    """An ``h5py.h5d.DatasetID``; None once it is released."""
    readonly: bool = False
    """Lets h5py cache properties, which is eight times faster per image."""
    _dataset: Any = None

    @property
    def dataset(self) -> Any:
        """The ``h5py.Dataset``, for slices and for what is not done once per store."""
        if self._dataset is None:
            import h5py

            self._dataset = h5py.Dataset(self.id, readonly=self.readonly)
        return self._dataset

    def let_go(self) -> None:
        """Release the identifier, which closes the dataset if it is the last reference."""
        self.id = self._dataset = None


def open_file(path: Path, chunk_cache: int, *, new: bool) -> Any:
    """Return the identifier of a file opened for writing; raises OSError.

    Args:
        path: The file.
        chunk_cache: Bytes of chunks that each dataset keeps in memory.
        new: Whether to create the file, in place of an empty one.
    """
    try:
        return _open(path, _access(chunk_cache, locking=True), new=new)
    except OSError as error:
        if not any(os.strerror(code) in str(error) for code in NO_LOCKS):
            raise
        return _open(path, _access(chunk_cache, locking=False), new=new)  # on a file system without locks


def _open(path: Path, access: Any, *, new: bool) -> Any:
    from h5py import h5f

    name = os.fsencode(path)
    if not new:
        return h5f.open(name, h5f.ACC_RDWR, fapl=access)
    leave_to_library(path)
    return h5f.create(name, h5f.ACC_EXCL, fapl=access)


@functools.cache
def _access(chunk_cache: int, *, locking: bool) -> Any:
    from h5py import h5f, h5p

    access = h5p.create(h5p.FILE_ACCESS)
    # As h5py does: readable by every HDF5 since 1.6, and closed together with all objects in it.
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    if not locking:
        access.set_file_locking(False, ignore_when_disabled=True)
    metadata, slots, _, preemption = access.get_cache()
    access.set_cache(metadata, slots, chunk_cache, preemption)
    return access


def close_file(file: Any) -> None:
    """Close a file of ``open_file`` and all objects in it; raises OSError or RuntimeError on failure.

    The ``close`` of the identifier searches all open identifiers afterwards, which takes long.
    """
    from h5py import h5i

    h5i.dec_ref(file)


def never_close(*handles: Any) -> None:
    """Keep handles open until the process ends.

    HDF5 crashes the process when it closes a file that it cannot write, also when the last reference is released.
    """
    _never_closed.append(handles)


_never_closed: list[Any] = []


def make_block(file: Any, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], *, early: bool = False) -> Handle:
    """Create a dataset in one block that is not filled before it is written.

    Args:
        file: Identifier of the file.
        name: Name of the dataset.
        shape: Shape of the dataset.
        dtype: Type of its numbers, little-endian.
        early: Whether space in the file is allocated now, not with the first write.
    """
    from h5py import h5d, h5s, h5t

    space = h5s.create_simple(shape)
    return Handle(h5d.create(file, name.encode(), h5t.py_create(dtype), space, _in_one_block(early)))


@functools.cache
def _in_one_block(early: bool) -> Any:
    from h5py import h5d, h5p

    settings = h5p.create(h5p.DATASET_CREATE)
    settings.set_fill_time(h5d.FILL_TIME_NEVER)
    settings.set_obj_track_times(False)
    if early:
        settings.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    return settings


def write_whole(dataset: Handle, numbers: Pixels | Labels) -> None:
    """Write a dataset in one call, many times faster than by a slice."""
    from h5py import h5s

    dataset.id.write(h5s.ALL, h5s.ALL, numbers)


def make_attribute(file: Any, name: str, text: str) -> None:
    """Set an attribute of the root group to text of fixed length, as h5py writes ``numpy.bytes_``."""
    from h5py import h5a, h5s, h5t

    value = np.array(text.encode("utf-8"))
    h5a.create(file, name.encode(), h5t.py_create(value.dtype), h5s.create(h5s.SCALAR)).write(value)
