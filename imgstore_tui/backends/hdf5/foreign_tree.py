"""Lists the datasets of an HDF5 file of another program; no link is followed, and nothing outside the file is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.storekit.array_container import HEAD
from imgstore_tui.storekit.array_facts import ArrayFacts
from imgstore_tui.storekit.scan_progress import EVERY, report_scan

FILTERS = frozenset({1, 2, 3, 5, 6, 32000})
"""Built in, and lzf of h5py; for any other filter HDF5 would load a plug-in."""
_MOST_CHUNK = 256 * 2**20
_MOST_SHRUNK = 1100
"""No filter compresses pictures by more; a file that claims so would exhaust the memory, or was never written."""
_MOST_DATASETS = 1_000_000
_MOST_DEPTH = 8


def list_datasets(file: Any, path: Path) -> list[ArrayFacts]:
    """Return the datasets of a file, in the order in which h5py names them.

    Args:
        file: The open ``h5py.File``.
        path: Its path.

    Raises:
        StoreError: If there are too many.
    """
    facts: list[ArrayFacts] = []
    size = path.stat().st_size
    for dataset_path, dataset in _walk(file, "", set(), 0):
        facts.append(_facts(dataset, dataset_path, size))
        if not len(facts) % EVERY:
            report_scan("reading datasets", len(facts))
        if len(facts) > _MOST_DATASETS:
            raise StoreError(f"{path} has more than {format_count(_MOST_DATASETS)} datasets, which are not taken.")
    return facts


def _walk(group: Any, prefix: str, visited: set[Any], depth: int) -> Iterator[tuple[str, Any]]:
    import h5py

    address = h5py.h5o.get_info(group.id).addr
    if address in visited or depth > _MOST_DEPTH:
        return
    visited.add(address)
    for name in group:
        # A link may lead to any file of the user.
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        kind = group.get(name, getclass=True)
        if kind == h5py.Group:
            yield from _walk(group[name], f"{prefix}{name}/", visited, depth + 1)
        elif kind == h5py.Dataset:
            dataset = group[name]
            # Virtual and external datasets lie in other files.
            if not dataset.is_virtual and dataset.external is None:
                yield f"{prefix}{name}", dataset


def _facts(dataset: Any, path: str, file_size: int) -> ArrayFacts:
    import h5py

    shape = dataset.shape
    try:
        dtype = dataset.dtype
    except TypeError:
        return ArrayFacts(path, shape, None, False, "is of a type that NumPy does not know")
    item = None if h5py.check_string_dtype(dtype) is not None else h5py.check_vlen_dtype(dtype)
    variable = item is not None and np.dtype(item) == np.uint8
    if item is not None and not variable:
        return ArrayFacts(path, shape, None, False, "holds rows of numbers of any length")
    return ArrayFacts(path, shape, dtype, variable, "" if shape is None else _refusal(dataset, shape, file_size))


def _refusal(dataset: Any, shape: tuple[int, ...], file_size: int) -> str:
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    size = dataset.dtype.itemsize
    if not set(filters) <= FILTERS:
        return "is packed by a filter that is not part of HDF5; repack it: h5repack -f NONE"
    if dataset.chunks and math.prod(dataset.chunks) * size > _MOST_CHUNK:
        chunk = "x".join(map(str, (64, *shape[1:])))
        return (
            "is in chunks of more than 256 MiB, each of which would be unpacked for a single image; "
            f"repack it: h5repack -l {safe_text(dataset.name.lstrip('/'))}:CHUNK={chunk}"
        )
    if math.prod(shape) * size > _MOST_SHRUNK * file_size:
        return "is larger than the file can hold"
    return ""


def require_memory(dataset: Any) -> None:
    """Raise MemoryError if a chunk cannot be unpacked for lack of memory; HDF5 says only that a filter has failed.

    Args:
        dataset: The open ``h5py.Dataset``.
    """
    if dataset.chunks:
        np.empty((3, *dataset.chunks), dataset.dtype)  # as it lies, while it grows, and unpacked


def head_of(dataset: Any, facts: ArrayFacts, index: int | None) -> bytes:
    """Return the first bytes of a value of a dataset, or of the dataset of bytes itself.

    Args:
        dataset: The open ``h5py.Dataset``.
        facts: Its facts.
        index: Which of its values; None for the dataset itself.
    """
    if index is None and facts.shape and facts.dtype == np.uint8:
        data: bytes = dataset[:HEAD].tobytes()
        return data
    return value_bytes(dataset, index)[:HEAD]


def value_bytes(dataset: Any, index: int | None) -> bytes:
    """Return a value of a dataset as bytes, or the whole dataset if ``index`` is None."""
    value = dataset[()] if index is None else dataset[index]
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return b""
    data: bytes = np.asarray(value).tobytes()
    return data
