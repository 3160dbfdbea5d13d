"""Provides a store to a program as a map-style sequence of images: what ``imgstore_tui.open`` returns.

A store that this program wrote is read in the calling process, by the reader that the instrument measures. Files of
other programs are read in a child process, because a damaged one may kill a driver, unless the caller trusts them.
"""

from __future__ import annotations

import os
import re
import shlex
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, SupportsIndex, overload

import numpy as np

from imgstore_tui.core.backend import Backend
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.content import PayloadKind
from imgstore_tui.core.errors import DataError, NotAStoreError, StoreError, UnavailableError
from imgstore_tui.core.foreign_layout import OPTIONS
from imgstore_tui.core.location import Location, ServerLocation
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.datasets.store import StoreDataset
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.foreign import name_inner_folders, open_foreign
from imgstore_tui.plugins.named_store import open_named_store
from imgstore_tui.storekit.server import check_named

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels, Pixels

_NAMED_OPTION = re.compile(rf"\b({'|'.join(option.name for option in OPTIONS)})=(\w*)")
"""An option of files of other programs in a sentence, with its value if that is named."""
_inherited: list[object] = []
"""Stores that a forked process got from its parent: neither used nor closed, because the parent still reads them."""
_sequences: weakref.WeakSet[StoredImages]


@dataclass(slots=True)
class _Opened:
    """A store that is open in this process."""

    reader: Reader
    codec: Codec
    ids: Sequence[int]
    array: bool
    """Whether it holds images as arrays; else payloads of the codec."""
    label: Labels = field(default_factory=lambda: np.empty(1, np.int64))
    """Receives the label of a single image."""


class StoredImages:
    """The images of a store, in the order of their ids, each read when it is asked for.

    It may be handed to threads, and to forked or spawned processes: each process opens the store anew. Pickled it is
    its location, without a secret.
    """

    def __init__(self, location: str | os.PathLike[str], *, trust: bool = False, access: str | None = None) -> None:
        """Open a store; ``imgstore_tui.open`` describes the arguments."""
        text = os.fspath(location)
        parsed = registry.parse_location(text)
        self._location: Location = parsed if isinstance(parsed, ServerLocation) else Path(parsed).absolute()
        self._trust, self._access = trust, access
        self._labels: Labels | None = None
        self._lock = threading.Lock()
        self._opened: _Opened | StoreDataset | None = None
        self._one: Callable[[int], Pixels] | None = None
        """Reads one image of the open store, where nothing but the reader has a part in it."""
        self._closed = False
        self._forked_from = ""
        """Why a forked process cannot read, if it cannot."""
        store = self._keep(self._open())
        self._count = len(store.ids if isinstance(store, _Opened) else store)
        _sequences.add(self)

    def __reduce__(self) -> tuple[Callable[..., StoredImages], tuple[str, bool, str | None]]:
        location = self._location
        text = location.public() if isinstance(location, ServerLocation) else str(location)
        return _reopen, (text, self._trust, self._access)

    def _open(self) -> _Opened | StoreDataset:
        """Open the store: in this process, or in a child process for files of other programs."""
        try:
            opened = self._open_here()
            if opened is None:
                dataset = StoreDataset(self._location, {})
                dataset.scan()
                return dataset
        except (DataError, StoreError) as error:
            raise type(error)(f"{error}{_conversion_text(str(error), self._location)}") from None
        backend, reader = opened
        if not backend.capabilities.fork_safe:
            self._forked_from = (
                f"{self._location} is read by {backend.title}, whose library does not survive a fork: use spawn, e.g. "
                "multiprocessing.get_context('spawn'), or multiprocessing_context='spawn' of a DataLoader."
            )
        try:
            codec = registry.codecs.get(reader.content.codec)
            registry.check_available(codec)
            ids = reader.ids()
        except BaseException:
            reader.close()
            raise
        values = {option.name: option.default for option in codec.options}
        return _Opened(reader, codec(values), ids, reader.content.kind is PayloadKind.ARRAY)

    def _open_here(self) -> tuple[type[Backend], Reader] | None:
        """Return the store's backend and reader; None for files of others that are not trusted."""
        location = self._location
        if isinstance(location, ServerLocation):
            server = registry.server_of(location)
            registry.check_installed(server)
            check_named(location)
            return server, registry.with_defaults(server, self._options).open(location)
        try:
            return open_named_store(location, self._options)
        except NotAStoreError:
            if not self._trust:
                return None  # the child process says what it is, or what is wrong with it
            foreign = open_foreign(location) if location.exists() else None
            if foreign is None:
                name_inner_folders(location)
                raise
        return registry.backends.get(foreign.backend), foreign.reader

    @property
    def _options(self) -> dict[str, str]:
        return {} if self._access is None else {"access": self._access}

    def _store(self) -> _Opened | StoreDataset:
        """Return the open store; the lock is held."""
        if self._opened is None:
            if self._closed:
                raise StoreError(f"{self._location} is closed: nothing can be read.")
            if self._forked_from:
                raise UnavailableError(self._forked_from)
            return self._keep(self._open())
        return self._opened

    def _keep(self, store: _Opened | StoreDataset) -> _Opened | StoreDataset:
        """Use an open store from now on."""
        self._opened = store
        self._one = None
        if isinstance(store, _Opened) and store.array and store.ids == range(len(store.ids)):
            self._one = store.reader.read_image
        return store

    def _after_fork(self) -> None:
        """Forget, in a forked process, what the parent has open: its handles and positions are shared with it."""
        _inherited.append(self._opened)
        self._lock, self._opened, self._one = threading.Lock(), None, None

    def __len__(self) -> int:
        return self._count

    @property
    def labels(self) -> Labels | None:
        """Labels of all images, int64 array (n,), which the caller must not change; None if the store has none."""
        if self._labels is None:
            with self._lock:
                store = self._store()
                if not (store.has_labels if isinstance(store, StoreDataset) else store.reader.content.has_labels):
                    return None
                if isinstance(store, StoreDataset):
                    labels = np.array([store.label(index) for index in range(len(store))], np.int64)
                else:
                    labels = store.reader.read_labels()
            labels.flags.writeable = False
            self._labels = labels
        return self._labels

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ...; empty if the store keeps none."""
        with self._lock:
            store = self._store()
            return store.label_names if isinstance(store, StoreDataset) else store.reader.content.label_names

    def names(self, index: slice | Sequence[int] = slice(None)) -> list[str] | None:
        """Return names of images, the paths of their files where they came from; None if the store keeps none.

        Args:
            index: A slice, or a list of numbers; all images by default.

        Raises:
            IndexError: If there is no such image.
        """
        with self._lock:
            store = self._store()
            chosen = range(*index.indices(len(self))) if isinstance(index, slice) else [self._checked(x) for x in index]
            if isinstance(store, StoreDataset):
                return [store.image_name(number) for number in chosen] if store.has_names else None
            if not store.reader.content.name_bytes:
                return None
            return store.reader.read_names([store.ids[number] for number in chosen])

    def __iter__(self) -> Iterator[Pixels]:
        for index in range(len(self)):
            yield self._read_one(index)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Pixels: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | Labels) -> Pixels | list[Pixels]: ...

    def __getitem__(self, index: Any) -> Any:
        """Return one image, or several by one call.

        Args:
            index: A number, negative ones from the end; a slice; a list or array of numbers, in any order, with
                repeats; an array of n truth values, one an image.

        Returns:
            For a number, an array (H, W, C) or (H, W); for several, one array (n, H, W[, C]) where all images of the
            store have one shape, else a list of arrays. It is the caller's own memory.

        Raises:
            IndexError: If there is no such image.
            TypeError: If the index is none of these.
            StoreError: If the store is damaged or closed.
        """
        if type(index) is int and 0 <= index < self._count:  # the usual case first: images may be small
            with self._lock:
                if self._one is not None:
                    return self._one(index)
            return self._read_one(index)
        if isinstance(index, slice):
            return self._read(range(*index.indices(len(self))))
        if hasattr(index, "__index__") and not isinstance(index, np.ndarray | bool):
            return self._read_one(self._checked(index.__index__()))
        return self._read([self._checked(number) for number in self._numbers(index)])

    def __getitems__(self, indices: Sequence[int]) -> list[Pixels]:
        """Return several images, read by one call: what a torch ``DataLoader`` asks for a batch where it is there.

        Args:
            indices: Numbers, in any order, with repeats.

        Raises:
            IndexError: If there is no such image.
            TypeError: If they are no whole numbers.
            StoreError: If the store is damaged or closed.
        """
        return list(self._read([self._checked(number) for number in self._numbers(indices)]))

    def _numbers(self, index: Any) -> list[int]:
        """Return the numbers of a list or an array, where an array of truth values means what it means to NumPy.

        Raises:
            IndexError: If an array of truth values has another length than the store.
            TypeError: If it holds no whole numbers.
        """
        if isinstance(index, np.ndarray) and index.dtype == np.bool_ and index.ndim == 1:
            if len(index) != len(self):
                raise IndexError(
                    f"{self._location} holds {len(self)} images, and {len(index)} truth values choose none."
                )
            return [int(number) for number in np.flatnonzero(index)]
        numbers: list[Any] | None = None
        if isinstance(index, np.ndarray):
            if index.ndim == 1 and (np.issubdtype(index.dtype, np.integer) or not index.size):
                numbers = index.tolist()
        elif isinstance(index, Sequence) and not isinstance(index, str | bytes):
            numbers = list(index)
        if numbers is None or not all(hasattr(each, "__index__") and not isinstance(each, bool) for each in numbers):
            raise TypeError(
                f"Images of {self._location} are chosen by whole numbers, slices, lists of whole numbers, or an array "
                "of one truth value an image."
            )
        return [number.__index__() for number in numbers]

    def __contains__(self, image: object) -> bool:
        """Refuse to look for an image, which would read the whole store.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"{self._location} is not searched for an image. Compare the images that you mean.")

    def _checked(self, index: int) -> int:
        """Return the number of an image, counted from the first.

        Raises:
            IndexError: If there is no such image.
        """
        count = len(self)
        if not -count <= index < count:
            raise IndexError(f"{self._location} holds {count} images; there is no image {index}.")
        return index + count if index < 0 else index

    def _read_one(self, index: int) -> Pixels:
        """Return one image (H, W, C) or (H, W) by its number from the first."""
        with self._lock:
            store = self._store()
            if isinstance(store, StoreDataset):
                return store.image(index)
            if store.array:
                return store.reader.read_image(store.ids[index])
            (payload,) = store.reader.read_bytes([store.ids[index]], store.label)
            codec = store.codec
        return codec.decode(payload)  # outside the lock, so that threads decode at the same time

    def _read(self, indices: Sequence[int]) -> Pixels | list[Pixels]:
        """Return images by their numbers: one array (n, H, W[, C]) where all have one shape, else a list."""
        with self._lock:
            store = self._store()
            if isinstance(store, StoreDataset):
                images: list[Pixels] = [store.image(index) for index in indices]
                if not images or store.uniform is None:
                    return images
                batch: Pixels = np.empty((len(images), *images[0].shape), images[0].dtype)
                batch[...] = images
                return batch
            content, labels = store.reader.content, np.empty(len(indices), np.int64)
            ids = indices if isinstance(store.ids, range) and store.ids.start == 0 else [store.ids[i] for i in indices]
            if content.kind is PayloadKind.ARRAY:
                out: Pixels = np.empty((len(ids), *(content.shape or ())), content.dtype)
                store.reader.read_array(ids, out, labels)
                return out
            payloads = store.reader.read_bytes(ids, labels)
            codec = store.codec
        if content.shape is None:
            return [codec.decode(payload) for payload in payloads]
        decoded: Pixels = np.empty((len(payloads), *content.shape), content.dtype)
        for payload, target in zip(payloads, decoded, strict=True):
            codec.decode_into(payload, target)
        return decoded

    def close(self) -> None:
        """Release every handle. Safe to call twice."""
        with self._lock:
            store, self._opened, self._one, self._closed = self._opened, None, None, True
        if isinstance(store, _Opened):
            store.reader.close()
        # A child process ends when the dataset that asks it is gone.

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"imgstore_tui.open({str(self._location)!r})"


def _conversion_text(problem: str, location: Location) -> str:
    """Return how to read a file all the same whose refusal names options that a sequence does not take; else nothing.

    Args:
        problem: The refusal of the file.
        location: Where it is.
    """
    named = _NAMED_OPTION.findall(problem)
    if not named or isinstance(location, ServerLocation):
        return ""
    option, value = next((each for each in named if each[1]), named[0])
    source = f"store:{location.name},{option}={value or option.upper()}"
    command = shlex.join(("imgstore-tui", "convert", source, "lmdb", f"{location.stem}.lmdb"))
    return f" imgstore_tui.open takes none of them: convert the file first, {command}"


def _reopen(location: str, trust: bool, access: str | None) -> StoredImages:
    return StoredImages(location, trust=trust, access=access)


def _forget_inherited() -> None:
    for sequence in list(_sequences):
        sequence._after_fork()


_sequences = weakref.WeakSet()
os.register_at_fork(after_in_child=_forget_inherited)
