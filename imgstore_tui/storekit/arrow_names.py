"""Finds the names of pictures in an Arrow table: paths beside their bytes, as of Hugging Face, or a column of text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from imgstore_tui.core.image_names import MAX_NAME_BYTES
from imgstore_tui.storekit.label_column import NoLabelsError

PATH = "path"
"""The field of a structure with ``bytes`` that holds the name of a picture."""
COLUMNS = (
    "file_name", "filename", "image_name", "image_path", "image_file", "path", "filepath", "file_path", "file",
    "__key__", "key", "image_id",
)  # fmt: skip
"""Usual names of columns of text with the names of pictures, the likeliest first."""


def picture_names(
    schema: Any, image: str, *, in_struct: bool, read_paths: Callable[[], Any], read: Callable[[str], Any]
) -> list[str]:
    """Return the names of all pictures; empty unless every one has a name.

    Args:
        schema: The Arrow schema of the table.
        image: Name of the column of pictures.
        in_struct: Whether a picture is a structure, which may have a path.
        read_paths: Returns the paths of the structures as a ``pyarrow.ChunkedArray``.
        read: Returns a column as a ``pyarrow.ChunkedArray``.
    """
    from pyarrow import types

    for values in _candidates(schema, image, types, in_struct=in_struct, read_paths=read_paths, read=read):
        try:
            names = _texts(values())
        except NoLabelsError:  # the column would unpack to far more than names take
            continue
        if names:
            return names
    return []


def _candidates(
    schema: Any, image: str, types: Any, *, in_struct: bool, read_paths: Callable[[], Any], read: Callable[[str], Any]
) -> Iterator[Callable[[], Any]]:
    kind = schema.field(image).type
    if in_struct and types.is_struct(kind) and any(field.name == PATH and _is_text(field.type) for field in kind):
        yield read_paths
    spelt = {field.name.lower(): field for field in reversed(list(schema)) if _is_text(field.type)}
    for name in COLUMNS:
        if name in spelt:
            yield functools.partial(read, spelt[name].name)


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind))


def _texts(values: Any) -> list[str]:
    """Return values if each is a name; of a path that is not below a folder of the data, the last part."""
    import pyarrow.compute as pc

    if values.null_count or (pc.max(pc.binary_length(values)).as_py() or 0) > MAX_NAME_BYTES:
        return []
    names = [_below(name) for name in _listed(values)]
    return names if all(names) else []


def _listed(values: Any) -> Iterable[str]:
    for chunk in values.chunks:
        yield from chunk.to_pylist()


def _below(path: str) -> str:
    elsewhere = path.startswith(("/", "\\")) or "://" in path or path[1:3] in {":\\", ":/"}
    return path.replace("\\", "/").rpartition("/")[2] if elsewhere else path
