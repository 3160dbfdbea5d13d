"""Finds the Arrow files of a data set that Hugging Face datasets saved to disk, or keeps in its cache, split by split.

Source: ``Dataset.save_to_disk``, ``DatasetDict.save_to_disk`` and the builder of ``datasets``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.text import safe_text
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.splits import ALL, split_of
from imgstore_tui.storekit.store_errors import damaged_error, read_error

STATE, INFO, SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
_MOST_JSON = 2**26
_MOST_SPLITS = 1000
_SHARD = re.compile(r"(?P<stem>.+?)(-\d{5}-of-\d{5})?\.arrow")
_DERIVED = "cache-"
"""What the names of results of ``map`` and ``filter`` begin with, which lie beside the data in the cache."""


@dataclass(frozen=True, slots=True)
class SavedFiles:
    """The files of one split or of all of them."""

    paths: list[Path]
    features: Any = None
    """What ``dataset_info.json`` says of the columns; None if it says nothing."""
    passed: int = 0
    """Number of Arrow files beside them that are results of ``map`` or ``filter``, and are not read."""


def is_saved_dataset(folder: Path) -> bool:
    """Whether a folder is a data set that was saved to disk, or one of the cache."""
    names = {name for name in (STATE, INFO, SPLITS) if (folder / name).is_file()}
    return SPLITS in names or (INFO in names and any(folder.glob("*.arrow")))


def saved_files(folder: Path, requested: str) -> SavedFiles:
    """Return the files of a saved data set, of the split that the user names.

    Args:
        folder: A folder for which ``is_saved_dataset`` holds.
        requested: The split, ``all``, or empty if there is only one.

    Raises:
        StoreError: If there are several splits and none is named, or what the folder says of itself makes no sense.
    """
    if (folder / SPLITS).is_file():
        names = _read(folder / SPLITS).get("splits")
        if not isinstance(names, list) or len(names) > _MOST_SPLITS or not all(map(_is_plain, names)):
            raise damaged_error(folder / SPLITS, "it names no splits")
        parts = {name: _one_split(folder / name) for name in names}
    elif (folder / STATE).is_file():
        saved, split = _one_split(folder), _read(folder / STATE).get("_split")
        parts = {split if isinstance(split, str) and split else "": saved}
        if requested and requested not in {ALL, *parts} and "" in parts:
            raise StoreError(f"{folder} does not say which split it is; leave out split=.")
    else:
        parts = _cached_splits(folder)
    chosen = _chosen(folder, parts, requested)
    first = chosen[0] if chosen else SavedFiles([])
    return SavedFiles([path for part in chosen for path in part.paths], first.features, first.passed)


def _chosen(folder: Path, parts: dict[str, SavedFiles], requested: str) -> list[SavedFiles]:
    if requested == ALL or (not requested and len(parts) == 1):
        return list(parts.values())
    alike = [name for name in parts if requested and split_of(requested) and split_of(name) == split_of(requested)]
    name = requested if requested in parts else alike[0] if len(alike) == 1 else ""
    if name:
        return [parts[name]]
    listed = ", ".join(map(safe_text, sorted(parts))) or "none"
    if requested:
        raise StoreError(f"{folder} has no split {safe_text(requested)}; there are {listed}.")
    raise StoreError(f"{folder} holds several splits: {listed}. Name one with split=, or split=all for all in one.")


def _one_split(folder: Path) -> SavedFiles:
    state = _read(folder / STATE)
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise StoreError(
            f"{folder} holds its rows in an order of its own, as early versions of datasets saved it, which is not "
            "read; load it with datasets and save it again."
        )
    files = state.get("_data_files")
    names = [entry.get("filename") for entry in files if isinstance(entry, dict)] if isinstance(files, list) else []
    if not names or len(names) != len(files or ()) or not all(map(_is_plain, names)):
        raise damaged_error(folder / STATE, "it names no files in its folder")
    return SavedFiles([_inside(folder, str(name)) for name in names], _features(folder))


def _cached_splits(folder: Path) -> dict[str, SavedFiles]:
    """Return the files of the cache by split: ``NAME-SPLIT.arrow`` or ``NAME-SPLIT-00000-of-00002.arrow``."""
    declared = _read(folder / INFO).get("splits")
    splits = sorted(declared, key=len, reverse=True) if isinstance(declared, dict) else []
    parts: dict[str, list[Path]] = {}
    passed = 0
    for path in sorted(folder.glob("*.arrow")):
        match = _SHARD.fullmatch(path.name)
        if match is None or path.name.startswith(_DERIVED):
            passed += 1
            continue
        stem = match["stem"]
        name = next((split for split in splits if stem.endswith(f"-{split}") or stem == split), stem.rpartition("-")[2])
        parts.setdefault(name, []).append(_inside(folder, path.name))
    if not parts:
        raise StoreError(f"{folder} holds no Arrow files but results of map or filter; name one of them.")
    return {name: SavedFiles(paths, _features(folder), passed) for name, paths in sorted(parts.items())}


def _features(folder: Path) -> Any:
    return _read(folder / INFO).get("features") if (folder / INFO).is_file() else None


def _is_plain(name: Any) -> bool:
    return isinstance(name, str) and bool(name) and "/" not in name and "\0" not in name and name not in {".", ".."}


def _inside(folder: Path, name: str) -> Path:
    """Return a file or folder by its name; a link that leaves the folder is refused."""
    path = folder / name
    if not path.exists():
        raise StoreError(f"{path} is missing; {folder / STATE} names it.")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise StoreError(f"{path} is a link that leaves the folder, which is not followed.")
    return path


def _read(path: Path) -> dict[str, Any]:
    """Return what a file of JSON holds.

    Raises:
        StoreError: If it cannot be read, is a link out of its folder, or holds no object.
    """
    try:
        file = RawFile(path)
    except OSError as error:
        raise read_error(path, error) from None
    try:
        facts = json.loads(file.read_at(0, min(file.size, _MOST_JSON)))
    except (ValueError, RecursionError):
        facts = None
    finally:
        file.close()
    if not isinstance(facts, dict):
        raise damaged_error(path, "it is no JSON object")
    return facts
