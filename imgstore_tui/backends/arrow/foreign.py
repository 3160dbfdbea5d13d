"""Reads Arrow IPC files and streams of other programs with a column of picture files: Feather, Hugging Face datasets.

A row may hold one picture or a list of them; rows without a picture are left out by name.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from imgstore_tui.backends.arrow.unpacked_size import is_too_large
from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import NOTHING_NAMED, ForeignLayout
from imgstore_tui.core.text import first_line
from imgstore_tui.images.picture_column import PictureColumn, choose_column, left_out_rows, present_pictures
from imgstore_tui.storekit.arrow_labels import table_labels
from imgstore_tui.storekit.arrow_names import PATH, picture_names
from imgstore_tui.storekit.foreign_files import ForeignFile, ForeignReader
from imgstore_tui.storekit.label_column import LONGEST_TEXT, NoLabelsError, no_labels
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.scan_progress import report_scan
from imgstore_tui.storekit.store_errors import damaged_error

_FILE_MAGIC = b"ARROW1"
_FILE_START = 8
_FIRST_BATCHES, _FIRST_ROWS = 4, 8
"""Batches, and rows in each, whose values show whether a column holds pictures."""
_MOST_TEXT = 4 * LONGEST_TEXT
_TEXTS_AT_ONCE = 64
_HUGGING_FACE = b"huggingface"


class RecordBatches:
    """The record batches of a file or a stream, read through a memory map that is made when it is needed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version: tuple[int, ...] | None = None
        self._source: Any = None
        self._reader: Any = None
        self._offsets = array("q")
        self._whole: list[Any] | None = None
        """All batches of a stream with dictionaries, which the library reads only one after the other."""
        self._open()
        self._index()

    def _open(self) -> None:
        if self._source is not None:
            return
        raw = RawFile(self.path.resolve())
        try:
            if self._version not in (None, raw.version):
                raise StoreError(f"{self.path} has changed since it was scanned.")
            self._version, self.size = raw.version, raw.size
            self._is_file = raw.read_at(0, min(len(_FILE_MAGIC), raw.size)) == _FILE_MAGIC
        finally:
            raw.close()
        self._source = pa.memory_map(os.fspath(self.path.resolve()))
        if self._is_file:
            self._reader = pa.ipc.open_file(self._source)

    def _index(self) -> None:
        """Locate the batches, and refuse what would unpack to far more than pictures do."""
        kinds = set()
        self._source.seek(_FILE_START if self._is_file else 0)
        schema = None
        while True:
            offset = self._source.tell()
            try:
                message = pa.ipc.read_message(self._source)
            except EOFError:
                break
            kinds.add(message.type)
            if message.type == "schema" and schema is None:
                schema = pa.ipc.read_schema(message)
            elif is_too_large(message):
                raise StoreError(
                    f"{self.path} would unpack to far more than pictures of its size, in one batch of rows; nothing of "
                    "it is read. Write it again without compression."
                )
            elif message.type == "record batch":
                self._offsets.append(offset)
        if schema is None:
            raise ValueError("it has no schema")
        self.schema = self._reader.schema if self._is_file else schema
        self.count = self._reader.num_record_batches if self._is_file else len(self._offsets)
        if "dictionary" in kinds and not self._is_file:
            self._source.seek(0)
            self._whole = list(pa.ipc.open_stream(self._source))

    def column(self, number: int, name: str) -> Any:
        """Return a column of a batch as a checked ``pyarrow.Array``."""
        self._open()
        if self._is_file:
            batch = self._reader.get_batch(number)
        elif self._whole is not None:
            batch = self._whole[number]
        else:
            self._source.seek(self._offsets[number])
            batch = pa.ipc.read_record_batch(pa.ipc.read_message(self._source), self.schema)
        column = batch.column(self.schema.get_field_index(name))
        column.validate(full=True)  # what does not fit its buffers would be read from other memory
        return column

    def columns(self, name: str) -> Iterator[Any]:
        """Yield a column batch by batch."""
        for number in range(self.count):
            if self.count > 1:
                report_scan("reading batches", number, self.count)
            yield self.column(number, name)

    def release(self) -> None:
        """Drop the map until it is needed again."""
        self._source = self._reader = None


class ArrowImages(ForeignFile):
    """A file or a stream of record batches."""

    def __init__(self, path: Path, layout: ForeignLayout = NOTHING_NAMED, features: Any = None) -> None:
        """Open a file; ``features`` are those of a Hugging Face data set, for a schema that does not declare them."""
        self.path = path
        self.excluded: list[Excluded] = []
        self.warnings: list[str] = []
        self.labels = no_labels("there are no pictures")
        self._cached_column: tuple[int, Any] | None = None
        # Columns, not objects: batch, row in it, and place in the list of a row.
        self._numbers, self._rows, self._items = array("l"), array("q"), array("l")
        try:
            self._batches = RecordBatches(path)
            schema = self._batches.schema
            if features and _HUGGING_FACE not in (schema.metadata or {}):
                schema = schema.with_metadata({_HUGGING_FACE: json.dumps({"info": {"features": features}}).encode()})
            self._form, self.warnings = choose_column(path, schema, layout.image, self._first_values)
            name = schema.names[0] if self._form is None else self._form.name
            picture_rows = self._index(name)
            if self._form is not None:
                rows = np.array(picture_rows, np.int64)
                self.labels = table_labels(
                    schema, len(rows), name, lambda label: self._label_column(label, rows), layout.label
                )
                self.names = self._names_of(self._form, rows)
        except (pa.ArrowException, OSError, ValueError, EOFError, KeyError) as error:
            if isinstance(error, MemoryError):
                raise
            raise self._damaged(error) from None

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self._rows)

    def _first_values(self, form: PictureColumn) -> list[Any]:
        """Return values of a column from the first rows that have one."""
        for number in range(self._batches.count):
            column = self._batches.column(number, form.name)
            rows = range(len(column)) if number >= _FIRST_BATCHES else range(min(_FIRST_ROWS, len(column)))
            values = (column[row].as_py() for row in rows)
            if pictures := [value for value in values if value and any(form.pictures(value))][:_FIRST_ROWS]:
                return pictures
        return []

    def _index(self, name: str) -> list[int]:
        """Locate the pictures; return the row of the file that each is from. Other rows are left out by name."""
        picture_rows: list[int] = []
        empty: list[int] = []
        at = 0
        for number, column in enumerate(self._batches.columns(name)):
            if at + len(column) > self._batches.size:  # rows without a value take nothing, and are no pictures
                raise ValueError("it has more rows than bytes")
            places = [[] for _ in range(len(column))] if self._form is None else present_pictures(self._form, column)
            for row, items in enumerate(places):
                self._numbers.extend([number] * len(items))
                self._rows.extend([row] * len(items))
                self._items.extend(items)
                picture_rows += [at + row] * len(items)
                if not items:
                    empty.append(at + row)
            at += len(column)
        self.excluded, more = left_out_rows(self.path, empty)
        self.warnings += more
        return picture_rows

    def _names_of(self, form: PictureColumn, rows: np.ndarray[Any, Any]) -> list[str]:
        """Return the names of pictures; empty where a row holds several, or not all have one."""
        if form.in_list:
            return []

        def paths() -> Any:
            chunks = (pc.struct_field(chunk, PATH) for chunk in self._batches.columns(form.name))
            kind = self._batches.schema.field(form.name).type.field(PATH).type
            return pa.chunked_array([_bounded(chunk, kind) for chunk in chunks], kind).take(pa.array(rows))

        return picture_names(
            self._batches.schema,
            form.name,
            in_struct=form.in_struct,
            read_paths=paths,
            read=lambda name: self._label_column(name, rows),
        )

    def _label_column(self, name: str, rows: np.ndarray[Any, Any]) -> Any:
        """Return the values of a column in rows, of which one may count several times.

        Raises:
            NoLabelsError: If its values are of a type, or of a length, that labels do not have.
        """
        kind = self._batches.schema.field(name).type
        plain = kind.value_type if pa.types.is_dictionary(kind) else kind
        values = pa.chunked_array([_bounded(chunk, plain) for chunk in self._batches.columns(name)], _copied(plain))
        whole = len(rows) == len(values) and (rows == np.arange(len(rows))).all()
        return values if whole else values.take(pa.array(rows))

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture."""
        batch, row, item = self._numbers[number], self._rows[number], self._items[number]
        form = self._form
        if form is None:
            raise IndexError(number)
        if self._cached_column is None or self._cached_column[0] != batch:
            try:
                self._cached_column = batch, self._batches.column(batch, form.name)
            except (pa.ArrowException, OSError, ValueError, EOFError) as error:
                if isinstance(error, MemoryError):
                    raise
                raise self._damaged(error) from None
        pictures = form.pictures(self._cached_column[1][row].as_py())
        data = pictures[item] if item < len(pictures) else None
        if not isinstance(data, bytes):
            raise self._damaged(ValueError(f"row {row} of batch {batch} holds no bytes"))
        return data

    def _damaged(self, error: Exception) -> StoreError:
        return damaged_error(self.path, first_line(error), "Arrow file")

    def release(self) -> None:
        """Drop the map until a picture is read."""
        self._cached_column = None
        self._batches.release()

    def close(self) -> None:
        """Drop the map."""
        self.release()


def _bounded(values: Any, plain: Any) -> Any:
    """Return values of labels without a dictionary, unless one is longer than labels are: many rows may share it.

    Raises:
        NoLabelsError: If one is, or they are of a type of no labels.
    """
    types = pa.types
    text = values.dictionary if types.is_dictionary(values.type) else values
    if types.is_string_view(plain) or types.is_binary_view(plain):
        for start in range(0, len(text), _TEXTS_AT_ONCE):
            _refuse_long(len(value) for value in text[start : start + _TEXTS_AT_ONCE].to_pylist() if value)
    elif any(
        check(plain) for check in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    ):
        _refuse_long([pc.max(pc.binary_length(text)).as_py() or 0])
    elif types.is_list(plain) or types.is_large_list(plain) or types.is_fixed_size_list(plain):
        if not types.is_primitive(plain.value_type):
            raise NoLabelsError(f"is of type {str(plain)[:60]}")
    elif not (types.is_primitive(plain) or types.is_null(plain) or types.is_fixed_size_binary(plain)):
        raise NoLabelsError(f"is of type {str(plain)[:60]}")
    if values.type == plain and plain != pa.string_view() and plain != pa.binary_view():
        return values
    return values.cast(_copied(plain))


def _copied(kind: Any) -> Any:
    """Return the type to which values of a type are copied: what the library can take rows of."""
    return {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(kind, kind)


def _refuse_long(lengths: Iterable[int]) -> None:
    if any(length > _MOST_TEXT for length in lengths):
        raise NoLabelsError(f"is text of more than {LONGEST_TEXT} characters, too long for the name of a class")


def open_files(
    location: Path, paths: Sequence[Path], layout: ForeignLayout, format_name: str, features: Any, notes: list[str]
) -> ForeignReader:
    """Open files as one store.

    Args:
        location: What the user names, for messages.
        paths: The files, in the order in which their pictures are numbered.
        layout: What the user names in them.
        format_name: Name of the format, for messages.
        features: Features of a Hugging Face data set, as its ``dataset_info.json`` has them; None without.
        notes: What the user should know about the folder.

    Raises:
        StoreError: If a file is damaged, or it is not plain to see which column holds pictures.
    """

    def open_file(path: Path) -> ArrowImages:
        file = ArrowImages(path, layout, features)
        file.warnings += notes
        return file

    return ForeignReader.open(location, paths, open_file, format_name)
