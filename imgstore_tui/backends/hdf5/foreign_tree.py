"""Lists the datasets of an HDF5 file of another program; no link is followed, and nothing outside the file is read."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.images import decode
from imgstore_tui.storekit.scan_progress import EVERY, report_scan

FILTERS = frozenset({1, 2, 3, 5, 6, 32000})
"""Built in, and lzf of h5py; for any other filter HDF5 would load a plug-in."""
_MOST_CHUNK = 256 * 2**20
_MOST_SHRUNK = 1100
"""No filter compresses pictures by more; a file that claims so would exhaust the memory, or was never written."""
_MOST_DATASETS = 1_000_000
_MOST_DEPTH = 8
_MOST_LISTED = 8
_HEAD = 32


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What is known of a dataset without reading it."""

    path: str
    """Names of its groups and its own, with slashes, without one in front."""
    shape: tuple[int, ...] | None
    """None if it is empty."""
    dtype: np.dtype[Any] | None
    """None for a type that NumPy does not know."""
    variable: bool
    """Whether each value is a row of bytes of any length."""
    refusal: str
    """Why it is not read, as the end of a sentence; empty if it is."""

    @property
    def name(self) -> str:
        """Its name without its groups."""
        return self.path.rpartition("/")[2]

    @property
    def group(self) -> str:
        """The path of its group; empty for the file itself."""
        return self.path.rpartition("/")[0]

    @property
    def kind(self) -> str:
        """Type and shape, for messages."""
        if self.shape is None:
            return "empty"
        if self.variable:
            name = "rows of bytes"
        elif self.dtype is None:
            name = "of a type that NumPy does not know"
        elif self.dtype.kind == "V" and self.dtype.names is None:
            name = "opaque bytes"
        else:
            name = "text" if self.dtype.kind in "OSU" else str(self.dtype.newbyteorder("="))
        return f"{name} of shape {self.shape}"

    @property
    def holds_bytes(self) -> bool:
        """Whether each value may be a picture file."""
        if self.dtype is None or self.refusal:
            return False
        return self.variable or (self.dtype.kind in "VSO" and self.dtype.names is None)


def list_datasets(file: Any, path: Path) -> list[DatasetFacts]:
    """Return the datasets of a file, in the order in which h5py names them.

    Args:
        file: The open ``h5py.File``.
        path: Its path.

    Raises:
        StoreError: If there are too many.
    """
    facts: list[DatasetFacts] = []
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


def _facts(dataset: Any, path: str, file_size: int) -> DatasetFacts:
    import h5py

    shape = dataset.shape
    try:
        dtype = dataset.dtype
    except TypeError:
        return DatasetFacts(path, shape, None, False, "is of a type that NumPy does not know")
    item = None if h5py.check_string_dtype(dtype) is not None else h5py.check_vlen_dtype(dtype)
    variable = item is not None and np.dtype(item) == np.uint8
    if item is not None and not variable:
        return DatasetFacts(path, shape, None, False, "holds rows of numbers of any length")
    return DatasetFacts(path, shape, dtype, variable, "" if shape is None else _refusal(dataset, shape, file_size))


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


def is_picture_file(dataset: Any, facts: DatasetFacts, index: int | None) -> bool:
    """Whether a value of a dataset, or the dataset of bytes itself, begins like a picture file.

    Args:
        dataset: The open ``h5py.Dataset``.
        facts: Its facts.
        index: Which of its values; None for the dataset itself.
    """
    if index is None and facts.shape and facts.dtype == np.uint8:
        head = dataset[:_HEAD].tobytes()
    else:
        head = value_bytes(dataset, index)[:_HEAD]
    return decode.sniff(head.ljust(_HEAD, b"\0")) is not None


def value_bytes(dataset: Any, index: int | None) -> bytes:
    """Return a value of a dataset as bytes, or the whole dataset if ``index`` is None."""
    value = dataset[()] if index is None else dataset[index]
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return b""
    data: bytes = np.asarray(value).tobytes()
    return data


def listed(datasets: list[DatasetFacts]) -> str:
    """Return what a file holds, for messages."""
    if not datasets:
        return "it holds no dataset that lies in this file"
    shown = "; ".join(f"{safe_text(facts.path)} {facts.kind}" for facts in datasets[:_MOST_LISTED])
    more = len(datasets) - _MOST_LISTED
    return f"it holds {shown}{f'; and {format_count(more)} more' if more > 0 else ''}"
