"""Tests that whoever a row names has read the bytes, for each backend and operation that claims the library.

Calls of Python's own functions, and calls into libraries, are counted in an untimed pass by ``sys.setprofile``, memory
maps by an audit hook. Cython and subscripts hide their calls from a profile: there the handles that the library gives
are wrapped, and what is asked of them is counted. The proof the other way round is beside it: where the library is
claimed, no code of ours has read a byte; where it is not, code of ours has.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest

from imgstore_tui.core.access import Access
from imgstore_tui.core.backend import Backend, Content, PayloadKind, Reader
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.local import LocalBackend

IMAGES = np.random.default_rng(3).integers(0, 256, (40, 5, 4, 3), np.uint8)
LABELS = np.arange(40, dtype=np.int64)
SHUFFLED = np.random.default_rng(4).permutation(40).tolist()
OURS = "imgstore_tui"
READS = {"pread", "preadv", "read", "readv", "readinto", "fromfile"}
TYPES = {"Transaction": "lmdb", "Cursor": "lmdb", "Rdict": "rocksdict", "PyCapsule": "array_record"}
"""Libraries by the types whose methods a profile shows without their module."""
HANDLES = {
    "h5py": ("h5py", "h5d", "open"),
    "safetensors": ("safetensors", "", "safe_open"),
    "arrow": ("pyarrow", "ipc", "open_file"),
    "duckdb": ("duckdb", "", "connect"),
}
"""Library, module and function that give the handles to wrap, by the requirement or the name of a backend."""
LIBRARIES = {"npy": "numpy", "sqlite": "sqlite3", "webdataset": "webdataset"}
"""What reads for backends that require nothing, or that require more than one library."""

AVOIDED = {"zarr", "safetensors", "webdataset"}
"""Libraries that are not called at all where code of ours reads; others describe where the bytes are."""

_maps: Counter[str] | None = None


def _count_maps(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "mmap.__new__" and _maps is not None:
        _maps[sys._getframe(1).f_globals.get("__name__", "").partition(".")[0]] += 1


sys.addaudithook(_count_maps)


@contextmanager
def counted() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Yield calls by package of what is called, and reads and maps of bytes by package of who does it."""
    global _maps  # noqa: PLW0603 - an audit hook cannot be removed
    calls, reads = Counter[str](), Counter[str]()

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        caller = frame.f_globals.get("__name__", "").partition(".")[0]
        if event == "call":
            calls[caller] += 1
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            module = owner.__name__ if isinstance(owner, type(sys)) else type(owner).__module__
            module = TYPES.get(type(owner).__name__, module)
            calls[module.partition(".")[0].lstrip("_")] += 1
            if module in ("posix", "_io", "mmap", "numpy") and argument.__name__ in READS:
                reads[caller] += 1

    _maps = reads
    sys.setprofile(profile)
    try:
        yield calls, reads
    finally:
        sys.setprofile(None)
        _maps = None


class Counted:
    """A handle of a library, which counts what is asked of it, and of the handles that it gives."""

    def __init__(self, handle: Any, library: str, calls: Counter[str]) -> None:
        self._handle, self._library, self._calls = handle, library, calls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._handle, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            self._calls[self._library] += 1
            result = value(*arguments, **named)
            return Counted(result, self._library, self._calls) if name == "get_slice" else result

        return call

    def __getitem__(self, index: Any) -> Any:
        self._calls[self._library] += 1
        return self._handle[index]


def count_handles(kind: type[Backend], monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return a count of what is asked of the handles of a library, if a profile does not show it."""
    calls = Counter[str]()
    for name in {kind.name, *kind.requires} & HANDLES.keys():
        library, module, function = HANDLES[name]
        if importlib.util.find_spec(library) is None:
            continue
        owner = importlib.import_module(f"{library}.{module}" if module else library)
        original = getattr(owner, function)
        monkeypatch.setattr(owner, function, lambda *a, **n: Counted(original(*a, **n), library, calls))  # noqa: B023
    return calls


def library_of(kind: type[Backend]) -> str:
    return LIBRARIES.get(kind.name) or kind.requires[0]


def passes(made: LocalBackend, reader: Reader, kind: PayloadKind) -> dict[Operation, Callable[[], None]]:
    out, labels = np.empty_like(IMAGES), np.empty(40, np.int64)

    def read(batches: Sequence[Sequence[int]]) -> None:
        for ids in batches:
            if kind is PayloadKind.ARRAY:
                reader.read_array(ids, out[: len(ids)], labels[: len(ids)])
                assert (out[: len(ids)] == IMAGES[list(ids)]).all()
            else:
                assert reader.read_bytes(ids, labels[: len(ids)]) == [IMAGES[number].tobytes() for number in ids]
            assert labels[: len(ids)].tolist() == list(ids)

    return {
        Operation.READ_MANY: lambda: read([range(25), range(25, 40)]),
        Operation.READ_RANDOM: lambda: read([SHUFFLED[:20], SHUFFLED[20:]]),
        Operation.GET_ONE: lambda: read([[7], [3]]),
        Operation.READ_LABELS: lambda: None if (reader.read_labels() == LABELS).all() else pytest.fail("other labels"),
    }


SPECS = [
    spec
    for kind in registry.local_backends()
    for spec in dict.fromkeys(f"{kind.name}+raw{access}" for access in ("", *(
        f":access={value}" for option in kind.options if option.name == "access" for value in option.choices
    )))
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS)
def test_who_a_row_names_has_read_the_bytes(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = registry.backends.get(spec.partition("+")[0])
    resolved = registry.resolve_spec(spec, require_available=False)
    for name in registry.missing_imports(kind, dict(resolved.options)):
        pytest.importorskip(name, reason=f"{name} is not installed (extra {kind.extra})")
    made = registry.make_local(resolved)
    form = PayloadKind.ARRAY if PayloadKind.ARRAY in made.payloads else PayloadKind.BYTES
    content = Content(40, form, "raw", (5, 4, 3), "uint8", IMAGES.nbytes)
    with made.create(tmp_path / "store", content, SyncLevel.BUFFERED) as writer:
        if form is PayloadKind.ARRAY:
            writer.put_array(range(40), IMAGES, LABELS)
        else:
            writer.put_bytes(range(40), [image.tobytes() for image in IMAGES], LABELS)
    handles = count_handles(kind, monkeypatch)
    for operation in (Operation.READ_MANY, Operation.READ_RANDOM, Operation.GET_ONE, Operation.READ_LABELS):
        claimed = made.access(operation, form)
        handles.clear()
        with counted() as (
            opening,
            opening_reads,
        ):  # where a manifest of ours is read, and a library may load what is small
            reader = made.open(tmp_path / "store")
        with reader:
            run = passes(made, reader, form)[operation]
            with counted() as (calls, reads):
                run()
        calls.update(opening)
        calls.update(handles)
        if claimed is Access.LIBRARY:
            assert reads[OURS] == 0, f"{operation} says library, and code of ours has read"
            assert calls[library_of(kind)] > 0, f"{operation} says library, and {library_of(kind)} was not called"
        elif claimed is Access.OWN:
            assert reads[OURS] + opening_reads[OURS] > 0, f"{operation} says own, and code of ours has not read"
            if library_of(kind) in AVOIDED:
                assert not calls[library_of(kind)], f"{operation} says own, and the library was called"
