"""Files and datasets by the library's own identifiers, below h5py's objects: what is done once a store costs no more.

A store of one image is made of nothing else, and h5py's own layer would take longer than the library under it. Source:
the reference of h5py's low-level API (h5f, h5d, h5a, h5p), which is part of what h5py promises.
"""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels


@dataclass(slots=True)
class Handle:
    """A dataset that is open: by its identifier, and as h5py shows it where that is asked for."""

    id: Any
    """An ``h5py.h5d.DatasetID``; None once it has been let go."""
    readonly: bool = False
    """Lets h5py keep what it knows, eight times faster an image."""
    _shown: Any = None

    @property
    def shown(self) -> Any:
        """The ``h5py.Dataset``: for slices, and for all that is not done once a store."""
        if self._shown is None:
            import h5py

            self._shown = h5py.Dataset(self.id, readonly=self.readonly)
        return self._shown

    def let_go(self) -> None:
        """Let the identifier go, which closes it if nobody else has it."""
        self.id = self._shown = None


def open_file(path: Path, chunk_cache: int, *, new: bool) -> Any:
    """Return the identifier of a file opened for writing; raises OSError.

    Args:
        path: The file.
        chunk_cache: Bytes of chunks that each dataset keeps in memory.
        new: Whether to make it, in place of what may be there.
    """
    from h5py import h5f

    name, access = os.fsencode(path), _access(chunk_cache)
    return h5f.create(name, h5f.ACC_TRUNC, fapl=access) if new else h5f.open(name, h5f.ACC_RDWR, fapl=access)


@functools.cache
def _access(chunk_cache: int) -> Any:
    from h5py import h5f, h5p

    access = h5p.create(h5p.FILE_ACCESS)
    # What h5py does itself: readable by every HDF5 since 1.6, and closed with all that is open in it.
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    metadata, slots, _, preemption = access.get_cache()
    access.set_cache(metadata, slots, chunk_cache, preemption)
    return access


def close_file(file: Any) -> None:
    """Close a file of ``open_file`` and all that is open in it; raises OSError or RuntimeError where it cannot.

    The identifier's own ``close`` looks through all identifiers that there are afterwards.
    """
    from h5py import h5i

    h5i.dec_ref(file)


def never_close(*handles: Any) -> None:
    """Keep handles until the process ends.

    HDF5 cannot close a file that it cannot write, and the process dies in trying, if only when the last reference goes.
    """
    _never_closed.append(handles)


_never_closed: list[Any] = []


def make_block(file: Any, name: str, shape: tuple[int, ...], kind: np.dtype[Any], *, early: bool = False) -> Handle:
    """Make a dataset in one block, never filled before it is written.

    Args:
        file: Identifier of the file.
        name: Of the dataset.
        shape: Of the dataset.
        kind: Type of its numbers, little-endian.
        early: Whether it has its place in the file at once, and not with the first write.
    """
    from h5py import h5d, h5s, h5t

    space = h5s.create_simple(shape)
    return Handle(h5d.create(file, name.encode(), h5t.py_create(kind), space, _in_one_block(early)))


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
    """Give the root group an attribute of a text of known length, as h5py writes ``numpy.bytes_``."""
    from h5py import h5a, h5s, h5t

    value = np.array(text.encode("utf-8"))
    h5a.create(file, name.encode(), h5t.py_create(value.dtype), h5s.create(h5s.SCALAR)).write(value)
