"""Opens files that other programs have written, by the backend whose format they have: read only.

What a file is, is told by its first bytes; by the ending of its name only if they say nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from imgstore_tui.core.errors import ImgstoreError, StoreError, UnavailableError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.file_kind import FileKind, kind_of_file
from imgstore_tui.plugins.inner_folders import refuse_outer_folder
from imgstore_tui.plugins.named_store import refuse_stores
from imgstore_tui.storekit.local import LocalBackend
from imgstore_tui.storekit.scan_progress import report_scan
from imgstore_tui.storekit.splits import missing_shards, of_split, split_of

_READS_PACKED = frozenset({"", "gzip", "bzip2"})
_MOST_NAMED = 5
_SNAPSHOTS, _BLOBS = "snapshots", "blobs"
"""Folders of a repository in the cache of Hugging Face: links by name, and the files that they lead to."""
_NO_STORES = frozenset({"text", "empty", "picture", "", "PDF", "special file"})
"""Kinds of files that may lie beside others without being shards."""


class ForeignStore(NamedTuple):
    """An open source: files of other programs, or a store."""

    backend: str
    reader: Reader
    warnings: tuple[str, ...]
    """What is in the folder beside the files that are read."""


def open_foreign(location: Path, layout: ForeignLayout = NOTHING_NAMED) -> ForeignStore | None:
    """Open a file of another program, or a folder of such files.

    Args:
        location: A file or a folder that exists. Files in a folder that no backend claims are passed over and named.
        layout: What the user names in the files.

    Returns:
        The open files; None if no backend claims a file in the folder.

    Raises:
        StoreError: If the files are damaged, hold no images, or are of several formats; of a single file also if no
            backend claims it.
        UnavailableError: If a library that reads them is missing.
        UsageError: If the user names something, and the backend takes no such options.
    """
    if not location.is_file() and not location.is_dir():
        raise StoreError(f"{location} is no file and no folder. Name a store.")
    if location.is_file():
        kind = kind_of_file(location)
        if claimants := _claimants(location, kind):
            return ForeignStore(*_open_by_first(location, [location], claimants, layout), ())
        raise StoreError(kind.sentence(location, readable_kinds()))
    return _open_folder(location, layout)


def readable_kinds() -> str:
    """Return the formats of other programs that are read, e.g. ``HDF5, Parquet, tar``."""
    kinds = {kind for backend in registry.local_backends() for kind in backend.foreign_kinds}
    return ", ".join(sorted(kinds, key=str.lower))


def _open_folder(location: Path, layout: ForeignLayout) -> ForeignStore | None:
    if whole := [kind for kind in registry.local_backends() if kind.claims_foreign_folder(location)]:
        return ForeignStore(*_open_by_first(location, [location], whole, layout), ())
    entries = sorted(entry for entry in location.iterdir() if not entry.name.startswith("."))
    refuse_stores(location, entries)
    files = [entry for entry in entries if entry.is_file()]
    claims: dict[tuple[type[LocalBackend], ...], list[Path]] = {}
    others: list[str] = [f"{entry.name}/" for entry in entries if entry.is_dir()]
    for number, file in enumerate(files):
        report_scan("looking at files", number, len(files))
        kind = kind_of_file(file)
        if by := _claimants(file, kind):
            _check_link(location, file)
            claims.setdefault(tuple(by), []).append(file)
        elif kind.name == "git-lfs" or (kind.packed and kind.name not in _NO_STORES):
            raise StoreError(kind.sentence(file, readable_kinds()))
        else:
            others.append(file.name)
    groups: dict[type[LocalBackend], list[Path]] = {}
    for by_all, paths in claims.items():
        groups.setdefault(by_all[0], []).extend(paths)
    if len(groups) > 1:
        shown = ", ".join(f"{safe_text(paths[0].name)} ({kind.title})" for kind, paths in groups.items())
        raise StoreError(
            f"{location} holds files of several formats: {shown}. Name one of them, or put each format into a folder "
            "of its own."
        )
    if not groups:
        return None
    claimed = sorted(path for paths in claims.values() for path in paths)
    if any(split_of(file.name) for file in claimed):
        claimed = list(of_split(location, {file.name: file for file in claimed}, layout.split).values())
    shared = [kind for kind in next(iter(claims)) if all(kind in by_all for by_all in claims)]
    name, reader = _open_by_first(location, claimed, shared, layout)
    looked_into = next(backend.foreign_beside for backend in shared if backend.name == name)
    others = [other for other in others if not (looked_into and other.endswith(looked_into))]
    return ForeignStore(name, reader, (*missing_shards([path.name for path in claimed]), *_passed_over(others)))


def name_inner_folders(location: Path) -> None:
    """Name the folders below one in which there is nothing to read, if what is in them is read.

    Raises:
        StoreError: If there are such folders.
    """
    if location.is_dir():
        refuse_outer_folder(location, partial(_kind_in, location))


def _kind_in(location: Path, path: Path) -> str:
    """Return as what a file or a folder below ``location`` is read; empty if as nothing."""
    try:
        if path.is_dir():
            return next((kind.title for kind in registry.local_backends() if kind.claims_foreign_folder(path)), "")
        _check_link(location, path)
        kind = kind_of_file(path)
    except (StoreError, OSError):
        return ""
    if kind.name in {"picture", "git-lfs"}:
        return "picture" if kind.name == "picture" else "pointers of git-lfs"
    return (kind.name or claimants[0].title) if (claimants := _claimants(path, kind)) else ""


def _check_link(location: Path, file: Path) -> None:
    """Refuse a link that leaves the folder, but for one into the cache of Hugging Face that the folder is a part of.

    Raises:
        StoreError: If it does.
    """
    if not file.is_symlink():
        return
    root, target = location.resolve(), file.resolve()
    if target.is_relative_to(root):
        return
    if _SNAPSHOTS in root.parts:
        last = len(root.parts) - 1 - root.parts[::-1].index(_SNAPSHOTS)
        if target.parent == Path(*root.parts[:last], _BLOBS):
            return
    raise StoreError(
        f"{file} is a link that leaves the folder, which is not followed. Name the file itself, or copy what it leads "
        "to: cp -L."
    )


def _claimants(path: Path, kind: FileKind) -> list[type[LocalBackend]]:
    """Return the backends that read a file: those of its format first, then those of its ending."""
    backends = registry.local_backends()
    by_content = [
        backend for backend in backends
        if kind.name in backend.foreign_kinds and (not kind.packed or _reads(backend, kind))
    ]  # fmt: skip
    if kind.name in {"git-lfs", "picture", "pickle"} or (kind.packed and not by_content):
        return by_content
    suffix = path.suffix.lower()
    return by_content + [b for b in backends if b not in by_content and suffix in b.foreign_suffixes]


def _reads(backend: type[LocalBackend], kind: FileKind) -> bool:
    return backend.reads_packed and kind.packed in _READS_PACKED


def _open_by_first(
    location: Path, files: Sequence[Path], claimants: Sequence[type[LocalBackend]], layout: ForeignLayout
) -> tuple[str, Reader]:
    """Open files by the first backend that can; the refusal of the first is raised if none can."""
    refusal: ImgstoreError | None = None
    for backend in claimants:
        try:
            if requirement := registry.missing_requirement(backend):
                raise UnavailableError(f"{location} {requirement}")
            return backend.name, backend.open_foreign_as(location, files, layout)
        except (StoreError, UnavailableError) as error:
            refusal = refusal or error
    raise refusal or StoreError(f"{location} holds files that no backend reads together.")


def _passed_over(others: list[str]) -> tuple[str, ...]:
    if not others:
        return ()
    shown = ", ".join(map(safe_text, others[:_MOST_NAMED]))
    more = f" and {format_count(len(others) - _MOST_NAMED)} more" if len(others) > _MOST_NAMED else ""
    verb = "is" if len(others) == 1 else "are"
    return (f"Beside the files that are read, {shown}{more} {verb} in the folder and not looked into.",)
