"""Reads LMDBs of other programs: values that are picture files, in the order of their keys, or Datum messages of Caffe.

Nothing is unpickled. Keys are those of CRNN (``image-000000001`` with ``label-000000001``), of BasicSR, or any.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.backends.lmdb.datum import Datum, parse_datum
from imgstore_tui.backends.lmdb.layout import DATA, MANIFEST
from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.foreign_layout import ForeignLayout
from imgstore_tui.core.reader_writer import Reader
from imgstore_tui.core.text import first_line, safe_text
from imgstore_tui.core.units import counted
from imgstore_tui.images import decode, raw
from imgstore_tui.storekit.foreign_arrays import ForeignRawPictures
from imgstore_tui.storekit.foreign_files import ForeignFile, ForeignReader
from imgstore_tui.storekit.image_axes import CHANNELS, PixelCast
from imgstore_tui.storekit.label_column import LabelColumn, no_labels, parse_labels
from imgstore_tui.storekit.scan_progress import EVERY, report_scan

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_HEAD = 32
_MOST_NAMED = 10_000
_MOST_SHOWN = 4
_MOST_LABEL = 1024
_COUNTS = (b"num-samples", b"__len__", b"__keys__")
"""Keys of the number of pictures, which are no pictures."""
_CRNN = re.compile(rb"image-(\d+)")
_DIGITS = re.compile(rb"\d+$")


class LmdbPictures(ForeignFile):
    """An environment; its values are looked at once, and keys of pictures are kept."""

    def __init__(self, path: Path, layout: ForeignLayout) -> None:
        self.path = path
        self.data = path / DATA if path.is_dir() else path
        self.excluded: list[Excluded] = []
        self.warnings: list[str] = []
        self.keys: list[bytes] = []
        self.shapes: set[tuple[int, ...]] = set()
        """The shapes of pictures that are pixels."""
        self._labels: list[int | None] = []
        self._texts: list[bytes | None] = []
        self._pixels = False
        self._floats = 0
        """Values that are floats, which only the option ``scale`` makes pixels."""
        self._cast = PixelCast(np.dtype(np.float32), layout.scale)
        self._unnamed = 0
        """Pictures that are left out beyond those that are named."""
        self._beside: list[str] = []
        self._env: Any = None
        self._version: tuple[int, ...] | None = None
        self._layout = layout
        try:
            self._index()
        finally:
            self.close()
        self.labels = self._label_column()
        self.names = self._names()

    def _names(self) -> list[str]:
        """Return keys as the names of pictures; none where keys are numbers of bytes, or no text."""
        try:
            names = [key.decode() for key in self.keys]
        except UnicodeDecodeError:
            return []
        return names if all(name.isprintable() for name in names) else []

    @property
    def env(self) -> Any:
        """The environment, opened without a lock, so that nothing in it changes.

        Raises:
            StoreError: If it cannot be opened, is cut short, or has changed.
        """
        if self._env is None:
            import lmdb

            try:
                facts = self.data.stat()
                version = facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns
                if self._version not in (None, version):
                    raise StoreError(f"{self.path} has changed since it was scanned.")
                env = lmdb.open(
                    os.fsencode(self.path), subdir=self.path.is_dir(), readonly=True, lock=False, create=False,
                    map_size=facts.st_size, max_readers=1, readahead=False,
                )  # fmt: skip
            except (lmdb.Error, OSError) as error:
                raise StoreError(f"{self.data} cannot be opened: {first_line(error)}.") from None
            if (int(env.info()["last_pgno"]) + 1) * int(env.stat()["psize"]) > facts.st_size:
                env.close()  # an access to a page beyond the end would kill the process
                raise StoreError(f"{self.data} is damaged: it is shorter than it says.")
            self._env, self._version = env, version
        return self._env

    def _index(self) -> None:
        import lmdb

        try:
            with self.env.begin(buffers=True) as transaction:
                if bytes(transaction.get(MANIFEST) or b"")[:32].startswith(b'{"format": "imgstore-tui'):
                    raise StoreError(f"{self.path} is a damaged store of this program.")
                for number, (key, value) in enumerate(transaction.cursor()):
                    if not number % EVERY:
                        report_scan("reading keys", number, int(self.env.stat()["entries"]))
                    self._look_at(bytes(key), value, transaction)
        except lmdb.Error as error:
            raise StoreError(f"{self.data} is damaged: {first_line(error)}.") from None
        if not self.keys:
            raise StoreError(self._no_pictures_reason())
        if self._layout.scale and not self._floats:
            raise StoreError(f"{self.path} holds no floats that scale= could make pixels; leave it out.")
        if any(len(shape) == 3 for shape in self.shapes):
            self.warnings.append(
                f"{self.path}: the channels of pixels are in the order that they are stored in; convert_imageset of "
                "Caffe puts blue first."
            )
        if self._unnamed:
            self.warnings.append(f"{self.path}: {counted(self._unnamed, 'more value')} left out.")
        if self._beside:
            shown = ", ".join(self._beside[:_MOST_SHOWN])
            self.warnings.append(
                f"{self.path}: beside {counted(len(self.keys), 'picture')}, "
                f"{counted(len(self._beside), 'value')} not read: {shown}."
            )

    def _no_pictures_reason(self) -> str:
        if self._floats:
            return (
                f"{self.path} is an LMDB of Caffe whose values hold floats; add scale=255 if they are 0..1, scale=1 if "
                "they are 0..255."
            )
        shown = ", ".join(self._beside[:_MOST_SHOWN]) or "none"
        more = ", ..." if len(self._beside) > _MOST_SHOWN else ""
        prefix = safe_text(self._layout.image)
        what = f"no key in it begins with {prefix}, or its value" if prefix else "no value in it"
        return (
            f"{self.path} is an LMDB of another program, and {what} is {'no' if prefix else 'a'} picture file or a "
            f"Datum of Caffe; its keys are {shown}{more}. Pickles are never loaded; write picture files as values."
        )

    def _look_at(self, key: bytes, value: memoryview, transaction: Any) -> None:
        """Take a value for a picture, or note what else it is."""
        shown = _shown(key)
        prefix = self._layout.image.encode()
        if key in _COUNTS or self._is_label(key):
            return
        if prefix and not key.startswith(prefix):
            self._beside.append(shown)
            return
        if decode.sniff(bytes(value[:_HEAD]).ljust(_HEAD, b"\0")) is not None:
            self._take(key, None, transaction)
        elif (datum := parse_datum(value)) is not None and (datum.encoded or datum.shape[0] in CHANNELS):
            self._floats += bool(datum.float_step)
            if datum.float_step and not self._layout.scale:
                self._leave_out(key, "It holds floats; scale= makes pixels of them.")
            else:
                self._take(key, datum, transaction)
        elif _CRNN.fullmatch(key) or (self.keys and not self._beside and len(value) > _MOST_LABEL):
            self._leave_out(key, f"Its value {what_is(value)}.")
        else:
            self._beside.append(f"{shown} ({what_is(value)})")

    def _leave_out(self, key: bytes, reason: str) -> None:
        if len(self.excluded) < _MOST_NAMED:
            self.excluded.append(Excluded(_shown(key), reason))
        else:
            self._unnamed += 1

    def _is_label(self, key: bytes) -> bool:
        """Whether a key is one of labels, by its name."""
        affix = self._layout.label.encode()
        return key.startswith(b"label-") or bool(affix and (key.startswith(affix) or key.endswith(affix)))

    def _label_of(self, key: bytes, transaction: Any) -> bytes | None:
        """Return the text of the label of a picture; None if there is none under a key that belongs to its key."""
        crnn, affix = _CRNN.fullmatch(key), self._layout.label.encode()
        keys = [b"label-" + crnn[1]] if crnn and not affix else []
        if affix:
            digits = _DIGITS.search(key)
            keys = [affix + key.removeprefix(self._layout.image.encode()), key + affix]
            keys += [affix + digits[0]] if digits else []
        text = next((text for name in keys if (text := transaction.get(name)) is not None), None)
        return bytes(text[:_MOST_LABEL]) if text is not None else None

    def _take(self, key: bytes, datum: Datum | None, transaction: Any) -> None:
        pixels = datum is not None and not datum.encoded
        if self.keys and pixels != self._pixels:
            self._leave_out(key, f"It is {'pixels' if pixels else 'a file'} where others are {_other(pixels)}.")
            return
        self._pixels = pixels
        self.keys.append(key)
        if datum is not None and pixels:
            self.shapes.add(datum.shape[1:] if datum.shape[0] == 1 else (*datum.shape[1:], datum.shape[0]))
        self._labels.append(None if datum is None else datum.label)
        self._texts.append(self._label_of(key, transaction))

    def _label_column(self) -> LabelColumn:
        if any(text is not None for text in self._texts):
            return parse_labels(self._texts, self.count, f"{self._layout.label or 'label-'}...")
        if self._layout.label:
            return no_labels(
                f"no key is {safe_text(self._layout.label)} before or behind the key, or the number, of a picture"
            )
        if any(label is not None for label in self._labels):
            return parse_labels(self._labels, self.count, "label")
        return no_labels("values are picture files, and no key is called label; label= names what such keys begin with")

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.keys)

    def payload(self, number: int) -> bytes:
        """Return the bytes of a picture file, or pixels behind a header."""
        import lmdb

        key = self.keys[number]
        try:
            with self.env.begin(buffers=True) as transaction:
                value = transaction.get(key)
                if value is None:
                    raise StoreError(f"{self.path} has changed since it was scanned.")
                datum = None if decode.sniff(bytes(value[:_HEAD]).ljust(_HEAD, b"\0")) else parse_datum(value)
                if datum is None:
                    return bytes(value)
                if datum.encoded:
                    return bytes(value[datum.start : datum.stop])
                planes = datum.planes(value)
                return raw.pack(_upright(self._cast.pixels(planes) if datum.float_step else planes))
        except ValueError as error:
            raise StoreError(f"{self.path}: {first_line(error)}; name another scale=.") from None
        except lmdb.Error as error:
            raise StoreError(f"{self.data} is damaged: {first_line(error)}.") from None

    def release(self) -> None:
        """Close the environment until it is read again."""
        self.close()

    def close(self) -> None:
        """Close the environment."""
        env, self._env = self._env, None
        if env is not None:
            env.close()


def _upright(planes: Any) -> Pixels:
    """Return numbers in the order C, H, W as (H, W, C), or (H, W) for one channel; channels stay in their order."""
    upright: Pixels = np.ascontiguousarray(planes[0] if len(planes) == 1 else planes.transpose(1, 2, 0))
    return upright


def _shown(key: bytes) -> str:
    return safe_text(key[:60].decode("utf-8", "backslashreplace"))


def _other(pixels: bool) -> str:
    return "files" if pixels else "pixels"


def what_is(value: memoryview) -> str:
    """Return what a value is, for messages; nothing of it is loaded."""
    head = bytes(value[:2])
    if head[:1] == b"\x80" and head[1:2] in {b"\x02", b"\x03", b"\x04", b"\x05"}:
        return f"is a pickle of {counted(len(value), 'byte')}"
    return f"is {counted(len(value), 'byte')}"


def open_environments(location: Path, files: Sequence[Path], layout: ForeignLayout) -> Reader:
    """Open environments as one store of pictures.

    Args:
        location: What the user names, for messages.
        files: Files of environments: one called ``data.mdb`` stands for its folder.
        layout: What the user names in them.

    Raises:
        StoreError: If one holds no pictures.
    """
    paths = [file.parent if file.name == DATA else file for file in files]
    pictures = [LmdbPictures(path, layout) for path in paths]
    names = [path.name for path in paths]
    shapes = {shape for entry in pictures for shape in entry.shapes}
    if not shapes:
        return ForeignReader(location, pictures, names)
    if not all(entry.shapes for entry in pictures):
        raise StoreError(f"{location} has environments with pixels and with picture files; name one of them.")
    return ForeignRawPictures(location, pictures, names, (shapes.pop(), "uint8") if len(shapes) == 1 else None)
