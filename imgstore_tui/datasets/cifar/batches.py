"""Reads the labels of one CIFAR file, python or binary, and locates its pixels, with all checks."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from imgstore_tui.core.errors import DataError
from imgstore_tui.datasets.cifar.archive import CifarFiles
from imgstore_tui.datasets.cifar.layout import CIFAR10, CIFAR100, PIXELS, CifarLayout, LabelSet
from imgstore_tui.datasets.cifar.pickle_reader import Array, Dtype, read_pickle
from imgstore_tui.datasets.cifar.stream import Blob

_LARGEST_PICKLE = 64 << 20
"""Most bytes for 10,000 images; Python 2 wrote 31 MB, Python 3 with protocol 2 writes 41 MB."""
_MOST_IMAGES = 1_000_000
_PIECE = 1_000
"""Binary records that are read at a time."""


@dataclass(slots=True)
class CifarBatch:
    """One checked file of images."""

    name: str
    count: int
    labels: array[int]
    offset: int
    """Offset of the first image."""
    stride: int
    """Bytes from one image to the next."""
    text_pixels: Blob | None = None
    """The pixels as text, which must be read whole; None if they are bytes."""


def read_batch(files: CifarFiles, name: str, size: int, layout: CifarLayout, labels: LabelSet) -> CifarBatch:
    """Check a file of images, and read its labels.

    Raises:
        DataError: If it is truncated, damaged, or something else; the message does not name the file.
    """
    if not size:
        raise DataError("It is empty.")
    # A binary record begins with a label; a pickle of protocol 2 on with 0x80, one of protocol 1 with "(" or "}".
    if files.read(name, 0, 1) in {b"\x80", b"(", b"}"} and not name.endswith(".bin"):
        return _read_python(files, name, size, layout, labels)
    return _read_binary(files, name, size, layout, labels)


def _read_binary(files: CifarFiles, name: str, size: int, layout: CifarLayout, labels: LabelSet) -> CifarBatch:
    count, rest = divmod(size, layout.record)
    if rest or not count:
        raise DataError(
            f"It has {size:,} bytes, which is no multiple of {layout.record:,}: it is cut short, or no {layout.title}."
        )
    _check_count(count)
    stored_labels = array("q")
    for start in range(0, count, _PIECE):
        batch_count = min(_PIECE, count - start)
        records = files.read(name, start * layout.record, batch_count * layout.record)
        for kind in layout.labels:
            column = records[kind.column :: layout.record]
            if max(column) >= len(kind.names):
                raise _label_beyond(max(column), start + column.index(max(column)), kind, layout)
            if kind is labels:
                stored_labels.extend(column)
    return CifarBatch(name, count, stored_labels, len(layout.labels), layout.record)


def _read_python(files: CifarFiles, name: str, size: int, layout: CifarLayout, labels: LabelSet) -> CifarBatch:
    most = max(part.images for part in layout.parts) * _LARGEST_PICKLE // 10_000
    if size > most:
        raise DataError(f"It has {size:,} bytes, more than any batch of {layout.title}.")
    values = _text_keys(read_pickle(lambda offset, count: files.read(name, offset, count), size))
    blob, count = _pixels(values.get("data"))
    stored_labels = values.get(labels.key)
    if not isinstance(stored_labels, list):
        other = CIFAR100 if layout is CIFAR10 else CIFAR10
        is_other = any(kind.key in values for kind in other.labels)
        raise DataError(f"It is a batch of {other.title}." if is_other else f"It holds no list '{labels.key}'.")
    if len(stored_labels) != count:
        raise DataError(f"It holds {len(stored_labels):,} labels for {count:,} images.")
    for index, label in enumerate(stored_labels):
        if type(label) is not int:
            raise DataError(f"The label of image {index:,} is no whole number.")
        if not 0 <= label < len(labels.names):
            raise _label_beyond(label, index, labels, layout)
    if blob.latin1 and blob.length > _LARGEST_PICKLE:
        raise DataError("Its pixels are spelled as text: pickle it with protocol 4, or take the binary archive.")
    return CifarBatch(name, count, array("q", stored_labels), blob.offset, PIXELS, blob if blob.latin1 else None)


def read_names(files: CifarFiles, name: str, size: int, labels: LabelSet) -> tuple[str, ...]:
    """Return the names of labels in a file of the archive.

    Raises:
        DataError: If it does not have a name for each label.
    """
    if size > 1 << 16:
        raise DataError("It is too large for a list of names.")
    if name == labels.names_file:
        lines = files.read(name, 0, size).decode("utf-8", "replace").split("\n")
        names: object = [line.strip() for line in lines if line.strip()]
    else:
        names = _text_keys(read_pickle(lambda offset, count: files.read(name, offset, count), size)).get(
            labels.names_key
        )
    if isinstance(names, list) and len(names) == len(labels.names) and all(isinstance(n, str | bytes) for n in names):
        texts = tuple(n if isinstance(n, str) else n.decode("utf-8", "replace") for n in names)
        if len(set(texts)) == len(texts) and all(texts):
            return texts
    raise DataError(f"It does not hold {len(labels.names)} names.")


def _text_keys(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise DataError("It holds no dictionary, which a batch is.")
    # Python 2 wrote bytes, Python 3 writes text.
    return {key.decode("ascii", "replace") if isinstance(key, bytes) else str(key): item for key, item in value.items()}


def _pixels(value: object) -> tuple[Blob, int]:
    if not isinstance(value, Array):
        raise DataError("It holds no array 'data'.")
    shape, dtype, blob = value.shape, value.dtype, value.data
    if not (isinstance(shape, tuple) and len(shape) == 2 and all(type(edge) is int for edge in shape)):
        raise DataError("Its array 'data' has no two dimensions.")
    count, pixels = shape
    if pixels != PIXELS:
        raise DataError(f"Its array 'data' does not have {PIXELS:,} pixels a row.")
    _check_count(count)
    if not isinstance(dtype, Dtype) or dtype.name not in {"u1", "|u1", "uint8"} or value.fortran not in (False, 0):
        raise DataError("Its array 'data' does not hold bytes, row by row.")
    if not isinstance(blob, Blob) or blob.text or not count * PIXELS <= blob.length <= count * PIXELS * 2:
        raise DataError("Its array 'data' has another number of pixels than it says.")
    if not blob.latin1 and blob.length != count * PIXELS:
        raise DataError("Its array 'data' has another number of pixels than it says.")
    return blob, count


def _check_count(count: int) -> None:
    if not 0 < count <= _MOST_IMAGES:
        raise DataError(
            "It holds no image." if count <= 0 else f"It says that it holds more than {_MOST_IMAGES:,} images."
        )


def _label_beyond(label: int, index: int, labels: LabelSet, layout: CifarLayout) -> DataError:
    shown = f"{label}" if abs(label) < 1 << 63 else "a huge number"
    return DataError(
        f"The label of image {index:,} is {shown}, but {layout.title} has labels 0 to {len(labels.names) - 1}: "
        "it is damaged, or another data set."
    )
