"""Defines the tables, cuts images into parts, and keeps DuckDB within bounds of memory and threads."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.names_file import encode_names, missing_names
from imgstore_tui.storekit.store_errors import damaged_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Content, Labels

ROWS = 2048
"""Rows in a row group: the fewest that DuckDB allows, because it reads and writes whole groups."""
COLUMNS = {
    "images": "id BIGINT NOT NULL, label BIGINT NOT NULL, size BIGINT NOT NULL",
    "parts": "id BIGINT NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL",
    "manifest": "text VARCHAR NOT NULL",
}
NAMES = "id BIGINT NOT NULL, name VARCHAR NOT NULL"
"""Columns of the table ``names`` of a store whose images have names."""
VIEW = (
    "CREATE VIEW payloads AS SELECT id, label, list_reduce(list(data ORDER BY part), lambda a, b: a || b) AS data "
    "FROM images JOIN parts USING (id) GROUP BY id, label"
)
"""Whole images for other programs that read the file with DuckDB; this backend does not use it."""

SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "200MB",
    "temp_directory": "",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_persistent_secrets": False,
}
"""One thread, like everything that is measured; bounded memory; no other files, no network."""

_AT_ONCE = 2**25
"""Bytes that are inserted at a time."""


def parts_in(size: int, part: int) -> int:
    """Return the number of parts of an image of ``size`` bytes; an empty image has one part."""
    return max(1, -(-size // part))


def part_tables(ids: Sequence[int], sizes: Labels, payloads: Sequence[bytes] | Any, part: int) -> Iterator[Any]:
    """Yield Arrow tables with rows of the table ``parts``.

    Args:
        ids: Ids of the images.
        sizes: int64 array (n,) of their sizes in bytes.
        payloads: Their bytes, or one C-contiguous array of them all.
        part: Bytes in a part.
    """
    numbers, first = np.asarray(ids, np.int64), 0
    ends = np.cumsum(sizes)
    while first < len(numbers):
        begin = int(ends[first - 1]) if first else 0
        stop = max(first + 1, int(np.searchsorted(ends, begin + _AT_ONCE, "right")))
        batch = slice(first, stop)
        whole = b"".join(payloads[batch]) if isinstance(payloads, Sequence) else payloads[batch]
        yield _table(numbers[batch], sizes[batch], whole, part)
        first = stop


def _table(ids: Labels, sizes: Labels, whole: Any, part: int) -> Any:
    counts = np.maximum(1, -(-sizes // part))
    firsts = np.cumsum(counts) - counts
    numbers = np.arange(int(counts.sum())) - np.repeat(firsts, counts)
    begins = np.cumsum(sizes) - sizes
    starts = np.repeat(begins, counts) + numbers * part
    bounds = np.append(starts, int(sizes.sum())).astype(np.int64)
    data = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(numbers), [None, pa.py_buffer(bounds), pa.py_buffer(whole)]
    )
    return pa.table({
        "id": pa.array(np.repeat(ids, counts)),
        "part": pa.array(numbers.astype(np.int32)),
        "data": data,
    })  # fmt: skip


@contextlib.contextmanager
def with_rows(connection: Any, rows: Any) -> Iterator[str]:
    """Make an Arrow table readable by SQL statements under the name that is yielded."""
    connection.register("imgstore_rows", rows)
    try:
        yield "imgstore_rows"
    finally:
        connection.unregister("imgstore_rows")


def put_images(connection: Any, ids: Sequence[int], sizes: Labels, images: Any, labels: Labels, part: int) -> None:
    """Insert the rows of new images.

    Args:
        connection: As ``attach`` returns it.
        ids: Their ids.
        sizes: int64 array (n,) of their sizes in bytes.
        images: Their bytes, or one C-contiguous array of them all.
        labels: int64 array (n,).
        part: Bytes in a part.
    """
    columns = {"id": np.asarray(ids, np.int64), "label": np.array(labels, np.int64), "size": sizes}
    facts = pa.table({name: pa.array(values) for name, values in columns.items()})
    for table, rows in (*(("parts", rows) for rows in part_tables(ids, sizes, images, part)), ("images", facts)):
        with with_rows(connection, rows) as name:
            connection.execute(f"INSERT INTO {table} SELECT * FROM {name}")  # noqa: S608 - names of our own


def put_names(connection: Any, location: Path, content: Content, ids: Sequence[int], names: Sequence[str]) -> None:
    """Insert or replace the names of images, after a check of them.

    Raises:
        StoreError: If one of them may not be kept.
    """
    encode_names(location, content, names)
    if not len(ids):
        return
    columns = {"id": pa.array(np.asarray(ids, np.int64)), "name": pa.array(list(names), pa.string())}
    with with_rows(connection, pa.table(columns)) as rows:
        connection.execute(f"DELETE FROM names WHERE id IN (SELECT id FROM {rows})")  # noqa: S608 - our name
        connection.execute(f"INSERT INTO names SELECT * FROM {rows}")  # noqa: S608 - our name


def check_names(connection: Any, location: Path, content: Content) -> None:
    """Check that every image has a name, in a store whose images have any.

    Raises:
        StoreError: If names are missing.
    """
    if content.name_bytes:
        (count,) = connection.execute("SELECT count(*) FROM names").fetchone()
        if count != content.count:
            raise missing_names(location, content.count - count)


def attach(path: Path, *, logged: bool, forced: bool) -> Any:
    """Return a connection to the tables of a file that is open for writing.

    Args:
        path: The file; created if it does not exist.
        logged: Whether changes are written to a log first; without, a file that is not closed is useless.
        forced: Whether commits and checkpoints are forced to the device.
    """
    connection = duckdb.connect(":memory:", config=SETTINGS | {"fsync_mode": "STANDARD" if forced else "NONE"})
    try:
        # Row groups are written one by one, because several together would all be in memory.
        connection.execute("SET write_buffer_row_group_count = 1")
        name = str(path).replace("'", "''")
        mode = "" if logged else ", RECOVERY_MODE no_wal_writes"
        connection.execute(f"ATTACH '{name}' AS store (ROW_GROUP_SIZE {ROWS}{mode})")
        connection.execute("USE store")
    except BaseException:
        connection.close()
        raise
    return connection


def damaged(path: Path, why: str) -> StoreError:
    """Return the error for a file that is damaged or of another format."""
    return damaged_error(path, why, "DuckDB file")
