"""Reads a DuckDB store: the parts of many images by one statement."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from imgstore_tui.backends.duckdb import FILE
from imgstore_tui.backends.duckdb.layout import COLUMNS, NAMES, ROWS, SETTINGS, damaged, parts_in
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.live_ids import LiveIds, next_id_in
from imgstore_tui.core.manifest import MAX_MANIFEST_BYTES, IdSpan, foreign, image_bytes, is_count, read_manifest
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.checked_reader import LiveIdsReader
from imgstore_tui.storekit.names_file import require_names
from imgstore_tui.storekit.one_file import file_of
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.store_errors import layout_error, require_open

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

_PARTS = "SELECT id, part, data FROM parts WHERE id BETWEEN ? AND ?"
_FACTS = "SELECT id, label, size FROM images WHERE id = ?"
_ALL_FACTS = "SELECT id, label, size FROM images ORDER BY id"
_SCATTERED = "SELECT id, part, data FROM parts WHERE id IN (SELECT unnest(?))"
_NAMES = "SELECT id, name FROM names WHERE id IN (SELECT unnest(?))"
_NAMES_RUN = "SELECT id, name FROM names WHERE id BETWEEN ? AND ?"
_FEW_PARTS = 16
"""Images of at most this many parts are selected by a list of ids, forty times faster than by single ranges."""
_MAGIC = b"DUCK"
_MOST_PART = 2**14
_UNIMPORTANT = re.compile(r'"| USING COMPRESSION \w+')
"""Ignored in the SQL of a table: quotes around names, and the compression."""


class DuckdbReader(LiveIdsReader):
    """Selects ranges of ids, whose row groups DuckDB locates by their least and greatest id."""

    def __init__(self, location: Path) -> None:
        self._location, self.path = location, file_of(location, FILE)
        self._connection: Any = None
        self._facts: tuple[Labels, Labels, Labels] | None = None
        _check_file(location, self.path)
        try:
            self._connection = duckdb.connect(str(self.path), read_only=True, config=SETTINGS)
            # A view or a function in the file could read any other file.
            self._connection.execute("SET enable_external_access = false")
            self._open(self._connection)
        except (duckdb.Error, pa.ArrowException) as error:
            self.close()
            raise damaged(self.path, first_line(error)) from None
        except BaseException:
            self.close()
            raise

    def _open(self, connection: Any) -> None:
        # Only tables whose SQL is exactly as expected are read: a view or an expression would be executed.
        tables = connection.execute("SELECT table_name, sql FROM duckdb_tables()").fetchall()
        schema = {name: _UNIMPORTANT.sub("", text) for name, text in tables}
        if not schema.keys() >= COLUMNS.keys():
            raise foreign("duckdb", self._location)
        if any(schema[name] != f"CREATE TABLE {name}({columns});" for name, columns in COLUMNS.items()):
            raise damaged(self.path, "its tables are not those of a store")
        texts = connection.execute(
            "SELECT text FROM manifest WHERE length(text) <= ?", (MAX_MANIFEST_BYTES,)
        ).fetchmany(2)
        if len(texts) != 1:
            raise foreign("duckdb", self._location)
        self.content, manifest = read_manifest(texts[0][0], "duckdb", self._location)
        if self.content.name_bytes and schema.get("names") != f"CREATE TABLE names({NAMES});":
            raise damaged(self.path, "its tables are not those of a store with names")
        part = manifest.get("part")
        if not is_count(part) or not 0 < part <= _MOST_PART:
            raise layout_error(self._location)
        self.part = part
        next_id, deleted = next_id_in(manifest, self.content, self._location), None
        if next_id != self.content.count:
            live = self._numbers()[0]
            if len(live) and (live.min() < 0 or live.max() >= next_id):
                raise self._incomplete()
            deleted = np.setdiff1d(np.arange(next_id), live)
        self.live_ids = LiveIds.of(self._location, self.content, next_id, deleted)

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy the parts of each image straight into the caller's array."""
        size, pixels = image_bytes(self.content), out.reshape(-1).view(np.uint8)
        unique_ids, first, inverse = np.unique(np.asarray(ids, np.int64), return_index=True, return_inverse=True)
        stored_labels, sizes = self._facts_of(unique_ids)
        if (sizes != size).any():
            raise damaged(self.path, f"an image in it is not of {size} bytes")
        for positions, parts, starts, memory in self._parts(unique_ids, sizes):
            data = np.frombuffer(memory, np.uint8)
            targets = first[positions] * size + parts * self.part
            lengths = np.diff(starts)
            # Consecutive parts are contiguous here and in the caller's array: one copy for all of them.
            jumps = np.flatnonzero(targets[1:] != targets[:-1] + lengths[:-1]) + 1
            for begin, end in itertools.pairwise([0, *jumps.tolist(), len(targets)]):
                source = data[starts[begin] : starts[end]]
                pixels[targets[begin] : targets[begin] + len(source)] = source
        labels[:] = stored_labels[inverse]
        for position in np.flatnonzero(first[inverse] != np.arange(len(ids))).tolist():
            out[position] = out[first[inverse[position]]]

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Join the parts of each payload."""
        unique_ids, inverse = np.unique(np.asarray(ids, np.int64), return_inverse=True)
        stored_labels, sizes = self._facts_of(unique_ids)
        pieces: list[list[bytes]] = [[b""] * parts_in(size, self.part) for size in sizes.tolist()]
        for positions, parts, starts, memory in self._parts(unique_ids, sizes):
            view = memoryview(memory)
            rows = zip(positions.tolist(), parts.tolist(), starts[:-1].tolist(), starts[1:].tolist(), strict=True)
            for position, part, start, stop in rows:
                pieces[position][part] = bytes(view[start:stop])
        joined = [stored_labels[0] if len(stored_labels) == 1 else b"".join(stored_labels) for stored_labels in pieces]
        labels[:] = stored_labels[inverse]
        return [joined[position] for position in inverse.tolist()]

    def _parts(self, unique_ids: Labels, sizes: Labels) -> Iterator[tuple[Labels, Labels, Labels, Any]]:
        """Yield the parts of images: positions of the images, numbers of the parts, their bounds, and the bytes.

        Args:
            unique_ids: Ids, ascending, each once.
            sizes: Bytes of each.
        """
        counts = np.maximum(1, -(-sizes // self.part))
        firsts = np.cumsum(counts) - counts
        seen = np.zeros(int(counts.sum()), np.bool_)
        for batch in self._batches(unique_ids, counts):
            ids, parts, data = (np.array(batch.column(0)), np.array(batch.column(1), np.int64), batch.column(2))
            positions = np.searchsorted(unique_ids, ids)
            starts = bounds_of(data)
            lengths = np.diff(starts)
            if len(positions) and (positions.max() >= len(unique_ids) or (unique_ids[positions] != ids).any()):
                raise damaged(self.path, "a part in it is of no image")
            rest = sizes[positions] - parts * self.part
            if (
                (parts < 0).any()
                or (parts >= counts[positions]).any()
                or (np.minimum(rest, self.part) != lengths).any()
            ):
                raise damaged(self.path, "a part of an image in it is not of the size it should be")
            seen[firsts[positions] + parts] = True
            if len(positions):
                yield positions, parts, starts, data.buffers()[2]
        if not seen.all():
            raise self._incomplete()

    def _facts_of(self, unique_ids: Labels) -> tuple[Labels, Labels]:
        """Return labels and sizes of images; for more than one, the whole table is read once and kept."""
        if len(unique_ids) == 1 and self._facts is None:
            facts = self._numbers(int(unique_ids[0]))
        else:
            if self._facts is None:
                self._facts = self._numbers()
            facts = self._facts
        rows = np.minimum(np.searchsorted(facts[0], unique_ids), max(0, len(facts[0]) - 1))
        if not len(facts[0]) or (facts[0][rows] != unique_ids).any() or (facts[2] < 0).any():
            raise self._incomplete()
        return facts[1][rows], facts[2][rows]

    def _numbers(self, only: int | None = None) -> tuple[Labels, Labels, Labels]:
        """Return ids, labels and sizes of all rows of ``images``, or of one id, by ascending ids."""
        statement, parameters = (_ALL_FACTS, ()) if only is None else (_FACTS, (only,))
        try:
            columns = require_open(self._connection, self._location, "read").execute(statement, parameters).fetchnumpy()
        except duckdb.Error as error:
            raise damaged(self.path, first_line(error)) from None
        ids, labels, sizes = (np.ma.filled(columns[name], -1).astype(np.int64) for name in ("id", "label", "size"))
        if len(ids) > 1 and (np.diff(ids) <= 0).any():
            raise damaged(self.path, "an image stands in it twice")
        return ids, labels, sizes

    def _batches(self, unique_ids: Labels, counts: Labels) -> Iterator[Any]:
        """Yield Arrow batches with the rows of ``parts`` of images, selected by a list of ids or by one range per span.

        For a range DuckDB reads only the rows it needs, because it knows the least and the greatest id of each row
        group; for a list of ids, it reads every row group that has one of them.
        """
        cuts = [0, *(np.flatnonzero(np.diff(unique_ids) != 1) + 1).tolist(), len(unique_ids)]
        connection = require_open(self._connection, self._location, "read")
        try:
            if len(cuts) > 2 and counts.max() <= _FEW_PARTS:
                yield from connection.sql(_SCATTERED, params=[unique_ids.tolist()]).to_arrow_reader(ROWS)
                return
            for start, stop in itertools.pairwise(cuts):
                bounds = [int(unique_ids[start]), int(unique_ids[stop - 1])]
                yield from connection.sql(_PARTS, params=bounds).to_arrow_reader(ROWS)
        except (duckdb.Error, pa.ArrowException) as error:
            raise damaged(self.path, first_line(error)) from None

    def read_labels(self) -> Labels:
        """Read the columns of ids and labels, without pixels."""
        ids, labels, _ = self._numbers()
        if len(ids) != self.content.count:
            raise self._incomplete()
        return labels

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Select the names of ids, those of consecutive ids by one range."""
        require_names(self.content)
        span = self._check_ids(ids)
        statement: str = _NAMES
        values: list[Any] = [sorted({int(number) for number in ids})]
        if span is not None:
            statement, values = _NAMES_RUN, [span[0], span[1] - 1]
        connection = require_open(self._connection, self._location, "read")
        try:
            names = dict(connection.execute(statement, values).fetchall()) if len(ids) else {}
        except duckdb.Error as error:
            raise damaged(self.path, first_line(error)) from None
        if any(number not in names for number in ids):
            raise damaged(self.path, "names of images are missing in it")
        return [names[number] for number in ids]

    def _incomplete(self) -> StoreError:
        return damaged(self.path, "images are missing in it")

    def close(self) -> None:
        """Close the file."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(duckdb.Error):
                connection.close()


def bounds_of(data: Any) -> Any:
    """Return the offsets of the values of an Arrow column in its bytes, and the end of the last one."""
    width = np.int64 if data.type == pa.large_binary() else np.int32
    return np.frombuffer(data.buffers()[1], width)[data.offset : data.offset + len(data) + 1]


def _check_file(location: Path, path: Path) -> None:
    """Check that the file is a DuckDB file before DuckDB opens it, which would create a missing one."""
    file = RawFile.of_store("duckdb", location, path)
    try:
        if file.size < 12 or file.read_at(8, 4) != _MAGIC:
            raise damaged(path, "it does not begin like one")
    finally:
        file.close()
