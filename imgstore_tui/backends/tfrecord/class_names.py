"""Reads the names of classes that TensorFlow Datasets writes beside its records: ``label.labels.txt``.

Source: ``ClassLabel.save_metadata`` of tensorflow_datasets: one name a line, in the order of their numbers.
"""

from __future__ import annotations

from pathlib import Path

from imgstore_tui.storekit.raw_file import RawFile

ENDING = ".labels.txt"
"""What follows the key of the labels in the name of such a file."""
_MOST_FILES = 16
_LARGEST = 2**22
_MOST_NAMES = 1_000_000


def class_names_beside(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the names of classes by the key of the labels; a file that makes no sense, or is a link, is passed over.

    Args:
        folder: The folder of the records.
    """
    names_by_key = {}
    for path in sorted(folder.glob(f"*{ENDING}"))[:_MOST_FILES]:
        if names := _names_in(path):
            names_by_key[path.name.removesuffix(ENDING)] = names
    return names_by_key


def _names_in(path: Path) -> tuple[str, ...]:
    try:
        file = RawFile(path)
    except OSError:
        return ()
    try:
        text = file.read_at(0, file.size).decode() if file.size <= _LARGEST else ""
    except UnicodeDecodeError:
        return ()
    finally:
        file.close()
    names = tuple(line.strip() for line in text.split("\n") if line.strip())
    return names if len(set(names)) == len(names) <= _MOST_NAMES else ()
