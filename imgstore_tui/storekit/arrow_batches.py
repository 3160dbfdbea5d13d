"""Provides what the file formats of Arrow share: tables in batches of equal numbers of rows.

A batch has the columns ``image`` (binary, of one length or of any), ``label``, which is null where images have no
labels, and ``name`` where they have names. But for names, no value is converted row by row.
"""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from imgstore_tui.core.backend import Content, PayloadKind
from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, foreign, image_bytes, is_count, read_manifest, write_manifest
from imgstore_tui.core.text import first_line
from imgstore_tui.storekit.checked_reader import CheckedReader
from imgstore_tui.storekit.file_writer import FileWriter
from imgstore_tui.storekit.fixed_records import FixedRecords
from imgstore_tui.storekit.folder_writer import FolderWriter
from imgstore_tui.storekit.manifest_file import load_manifest
from imgstore_tui.storekit.names_file import encode_names, missing_names, require_names
from imgstore_tui.storekit.one_file import METADATA_KEY, file_of
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.sequential_writer import SequentialWriter
from imgstore_tui.storekit.store_errors import damaged_error, layout_error, write_error

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels

IMAGE, LABEL, NAME = "image", "label", "name"
BATCH_BYTES = 2**25
"""A batch holds no more pixels than this, whatever the option says."""
_MOST_ROWS = 1_000_000


def rows_per_batch(content: Content, option: int) -> int:
    """Return the rows of a batch: the option, or fewer if images are large."""
    mean = content.payload_bytes // max(1, content.count)
    if content.kind is PayloadKind.ARRAY:
        mean = image_bytes(content)
    return max(1, min(option, BATCH_BYTES // max(1, mean)))


def columns_of(content: Content) -> list[str]:
    """Return the names of the columns of a store."""
    return [IMAGE, LABEL, NAME] if content.name_bytes else [IMAGE, LABEL]


def or_no_labels(labels: Any, content: Content) -> Any:
    """Return a column of labels, with ``NO_LABEL`` in the place of nulls where images have no labels."""
    return labels if content.has_labels or not labels.null_count else labels.fill_null(NO_LABEL)


class _BatchCollector(SequentialWriter):
    """Collects images into batches. A subclass opens the file, writes each batch, and closes the file."""

    def __init__(self, backend: str, location: Path, content: Content, rows: int) -> None:
        super().__init__(backend, location, content)
        self._rows = rows
        self._payloads: list[bytes] = []
        self._filled = 0
        self._buffer = np.zeros((0, 0), np.uint8)
        if content.kind is PayloadKind.ARRAY:
            self._buffer = np.empty((min(rows, max(1, content.count)), image_bytes(content)), np.uint8)
        self._label_buffer = np.empty(rows, np.int64)
        self._pending_names: list[str] = []
        """Names of images that no batch holds yet."""

    def put_names(self, ids: Sequence[int], names: Sequence[str]) -> None:
        """Keep names for the batches of their images."""
        encode_names(self._location, self._content, names)
        # Of a store that is continued, the batches that are there hold their names.
        self._pending_names += [name for number, name in zip(ids, names, strict=True) if number >= self._put]

    def _add_array(self, images: Pixels, labels: Labels) -> None:
        flat, at = images.reshape(len(images), -1).view(np.uint8), 0
        while at < len(flat):
            count = min(len(flat) - at, self._rows - self._filled)
            self._buffer[self._filled : self._filled + count] = flat[at : at + count]
            self._label_buffer[self._filled : self._filled + count] = labels[at : at + count]
            self._filled, at = self._filled + count, at + count
            if self._filled == self._rows:
                self._flush()

    def _add_bytes(self, payloads: Sequence[bytes], labels: Labels) -> None:
        for payload, label in zip(payloads, labels.tolist(), strict=True):
            self._label_buffer[self._filled] = label
            self._payloads.append(payload)
            self._filled += 1
            if self._filled == self._rows:
                self._flush()

    def _flush(self) -> None:
        """Write the batch that has been collected."""
        import pyarrow as pa

        count, self._filled = self._filled, 0
        if not count:
            return
        try:
            if self._content.kind is PayloadKind.ARRAY:
                kind = pa.binary(self._buffer.shape[1])
                images = pa.FixedSizeBinaryArray.from_buffers(kind, count, [None, pa.py_buffer(self._buffer[:count])])
            else:
                images, self._payloads = self._column(self._payloads), []
            without = None if self._content.has_labels else np.ones(count, bool)
            columns = [images, pa.array(self._label_buffer[:count], pa.int64(), mask=without)]
            if self._content.name_bytes:
                names, self._pending_names = self._pending_names[:count], self._pending_names[count:]
                if len(names) != count:
                    raise missing_names(self._location, count - len(names))
                columns.append(pa.array(names, pa.string()))
            self._write_batch(columns)
        except (pa.ArrowException, OSError) as error:
            raise self._failed(error) from None

    def _finish(self) -> Mapping[str, Any]:
        """Write the last batch and the end of the file; return the entries of the manifest about batches."""
        import pyarrow as pa

        self._flush()
        try:
            self._write_end()
        except (pa.ArrowException, OSError) as error:
            raise self._failed(error) from None
        return {"rows": self._rows}

    def _failed(self, error: Exception) -> StoreError:
        return write_error(self._location, error)

    @abstractmethod
    def _column(self, payloads: list[bytes]) -> Any:
        """Return payloads as an Arrow array."""

    @abstractmethod
    def _write_batch(self, columns: list[Any]) -> None:
        """Write a batch: images, labels and, where images have names, these."""

    @abstractmethod
    def _write_end(self) -> None:
        """Write the end of the file, and close it."""


class BatchesWriter(_BatchCollector, FolderWriter):
    """Writes batches into a store that is a folder, with the manifest in a file."""

    keeps_labels = False
    names_apart = False


class BatchesFileWriter(_BatchCollector, FileWriter):
    """Writes batches into a store that is one file, with the manifest in its metadata."""

    def metadata(self, **layout: Any) -> dict[str, str]:
        """Return the metadata of the file's schema: the manifest, of which ``layout`` is a part."""
        return {METADATA_KEY: write_manifest(self._backend, self._content, rows=self._rows, **layout)}

    def _finish_file(self) -> None:
        self._finish()


class BatchesReader(CheckedReader):
    """Reads images by the batch that holds them. A subclass names its format, opens the file and loads batches."""

    title: ClassVar[str]
    """Name of the format, for messages."""

    _location: Path
    cache_size = 4
    """Number of batches whose columns stay in memory; more if they are only views of a memory map."""

    def __init__(self, backend: str, location: Path, file: str) -> None:
        import pyarrow as pa

        self._location, self.path = location, file_of(location, file)
        self.direct: FixedRecords | None = None
        """Reads images straight from the file; None if they do not lie there uncompressed and of one size."""
        self._cache: dict[int, tuple[Any, Any, Any]] = {}
        try:
            # It is a regular file: a link is not followed, and opening a pipe would block.
            RawFile.of_store(backend, location, self.path).close()
            self._read_manifest(backend, self._open_file().get(METADATA_KEY.encode()))
            self._check()
        except (pa.ArrowException, OSError) as error:
            self.close()
            raise self.damaged(first_line(error)) from None
        except StoreError:
            self.close()
            raise

    def damaged(self, why: str) -> StoreError:
        """Return the error for a file that is damaged or of another format."""
        return damaged_error(self.path, why, f"{self.title} file")

    def _read_manifest(self, backend: str, text: bytes | None) -> None:
        if self._location.is_dir():
            self.content, self.manifest = load_manifest(backend, self._location)
        elif text is None:
            raise foreign(backend, self._location)
        else:
            self.content, self.manifest = read_manifest(text, backend, self._location)
        rows = self.manifest.get("rows")
        if not is_count(rows) or not 0 < rows <= _MOST_ROWS:
            raise layout_error(self._location)
        self.rows = rows
        self.batches = -(-self.content.count // rows)

    @abstractmethod
    def _open_file(self) -> Mapping[bytes, bytes]:
        """Open the file; return its metadata. ``close`` closes what is open, after an error too."""

    @abstractmethod
    def _check(self) -> None:
        """Check the schema and the number of rows."""

    def _load_names(self, number: int) -> Any:
        """Return the names of a batch as an Arrow array."""
        raise NotImplementedError

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Read the column of names of each batch that holds some of the images."""
        import pyarrow as pa

        require_names(self.content)
        self._check_ids(ids)
        names: list[str] = []
        at, column = -1, []
        for number, row in (divmod(int(image_id), self.rows) for image_id in ids):
            if number != at:
                try:
                    at, column = number, self._load_names(number).to_pylist()
                except (pa.ArrowException, OSError, ValueError, KeyError, IndexError) as error:
                    raise self.damaged(first_line(error)) from None
                if len(column) != self.rows_in(number) or not all(isinstance(name, str) for name in column):
                    raise self.damaged("its names are not what they should be")
            names.append(column[row])
        return names

    @abstractmethod
    def _load(self, number: int) -> tuple[Any, Any]:
        """Return the images and the labels of a batch as Arrow arrays without an offset."""

    def rows_in(self, number: int) -> int:
        """Return the number of rows of a batch; the last batch may have fewer than the others."""
        return min(self.rows, self.content.count - number * self.rows)

    def batch(self, number: int) -> tuple[Any, Any, Any]:
        """Return a batch: the offsets of its values (None if all have one length), their bytes, and its labels."""
        columns = self._cache.get(number)
        if columns is None:
            import pyarrow as pa

            try:
                images, labels = self._load(number)
                count = self.rows_in(number)
                labels = or_no_labels(labels, self.content)
                if len(images) != count or len(labels) != count or images.null_count or labels.null_count:
                    raise self.damaged(f"batch {number} does not hold {count} images")
                columns = self._values(images, count), *self._bytes(images, labels, count)
            except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, TypeError) as error:
                raise self.damaged(first_line(error)) from None
            if len(self._cache) >= self.cache_size:
                self._cache.pop(next(iter(self._cache)))
            self._cache[number] = columns
        return columns

    def _values(self, images: Any, count: int) -> Any:
        import pyarrow as pa

        if self.content.kind is PayloadKind.ARRAY:
            if images.type != pa.binary(image_bytes(self.content)):
                raise self.damaged("its images are not of the size it says")
            return None
        width = np.int64 if images.type == pa.large_binary() else np.int32
        starts = np.frombuffer(images.buffers()[1], width)[images.offset : images.offset + count + 1].astype(np.int64)
        size = images.buffers()[2].size if images.buffers()[2] is not None else 0
        if len(starts) != count + 1 or starts[0] < 0 or starts[-1] > size or (np.diff(starts) < 0).any():
            raise self.damaged("its offsets do not fit its images")
        return starts

    def _bytes(self, images: Any, labels: Any, count: int) -> tuple[Any, Any]:
        data = images.buffers()[-1]
        pixels = np.frombuffer(data if data is not None else b"", np.uint8)
        if self.content.kind is PayloadKind.ARRAY:
            size = image_bytes(self.content)
            pixels = pixels[images.offset * size : (images.offset + count) * size].reshape(count, size)
        numbers = np.frombuffer(labels.buffers()[1], np.int64)[labels.offset : labels.offset + count]
        if len(numbers) != count:
            raise self.damaged("its labels are cut short")
        return pixels, numbers

    def _batches_of(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[tuple[Any, Any, Any]]:
        """Yield each batch that holds some of the ids, with the positions of these ids and their rows in the batch."""
        if span is not None:
            for number in range(span[0] // self.rows, -(-span[1] // self.rows)):
                first = max(span[0], number * self.rows)
                stop = min(span[1], (number + 1) * self.rows)
                base = number * self.rows
                yield self.batch(number), slice(first - span[0], stop - span[0]), slice(first - base, stop - base)
            return
        numbers, rows = np.divmod(np.asarray(ids, np.int64), self.rows)
        order = np.argsort(numbers, kind="stable")
        bounds = np.flatnonzero(np.diff(numbers[order], prepend=-1, append=-1))
        for start, stop in itertools.pairwise(bounds.tolist()):
            positions = order[start:stop]
            yield self.batch(int(numbers[positions[0]])), positions, rows[positions]

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy images from the columns, or, in random order, straight from the file."""
        if span is None and self.direct is not None and self.direct.read(ids, out, labels):
            return
        pixels = out.reshape(len(ids), -1).view(np.uint8)
        for (_, data, numbers), positions, rows in self._batches_of(ids, span):
            if isinstance(rows, slice):
                pixels[positions] = data[rows]
            else:
                for position, row in zip(positions.tolist(), rows.tolist(), strict=True):
                    pixels[position] = data[row]
            labels[positions] = numbers[rows]

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Copy payloads from the columns."""
        payloads: list[bytes] = [b""] * len(ids)
        for (starts, data, numbers), positions, rows in self._batches_of(ids, span):
            memory = data.data
            where = range(positions.start, positions.stop) if isinstance(positions, slice) else positions.tolist()
            following = slice(rows.start + 1, rows.stop + 1) if isinstance(rows, slice) else rows + 1
            for position, start, stop in zip(where, starts[rows].tolist(), starts[following].tolist(), strict=True):
                payloads[position] = bytes(memory[start:stop])
            labels[positions] = numbers[rows]
        return payloads

    def close(self) -> None:
        """Release the columns."""
        self._cache = {}
