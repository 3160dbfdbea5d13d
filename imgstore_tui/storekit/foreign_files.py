"""Reads files of other programs, each with pictures in it, as one store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from imgstore_tui.core.backend import Content, PayloadKind, Reader
from imgstore_tui.core.content import ORIGINAL_CODEC
from imgstore_tui.core.dataset import Excluded
from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import check_ids
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted, format_count
from imgstore_tui.storekit.image_labels import join_labels
from imgstore_tui.storekit.label_column import LabelColumn, no_labels
from imgstore_tui.storekit.names_file import require_names
from imgstore_tui.storekit.raw_file import RawFile
from imgstore_tui.storekit.scan_progress import report_scan
from imgstore_tui.storekit.store_errors import read_error
from imgstore_tui.storekit.unpacked_file import UnpackedFile, open_unpacked

if TYPE_CHECKING:
    from imgstore_tui.core.content import Labels

_MOST_KINDS = 6
"""Kinds of entries that are no pictures which are named."""

MOST_OPEN = 32
"""Most files that are open at a time: a process may often have no more than 1,024, and a data set has more shards."""


class ForeignFile(ABC):
    """One file, indexed when it is opened."""

    labels: LabelColumn
    """The labels of its pictures, or why there are none."""
    names: Sequence[str] = ()
    """The names of its pictures as the file has them; empty where they have none."""
    excluded: Sequence[Excluded] = ()
    """The pictures of the file that are not taken, each with the reason."""
    warnings: Sequence[str] = ()
    """What the user should know about the file, a sentence each: what is ambiguous in it."""
    beside: Counter[str] = Counter()  # noqa: RUF012 - a file that counts something has its own
    """What else the file holds, which is no picture, counted by kind, such as ``.json`` or ``folders``."""
    ordinary: ClassVar[frozenset[str]] = frozenset({"folders"})
    """Kinds among them that need no word, if there are no others."""

    @property
    @abstractmethod
    def count(self) -> int:
        """Number of pictures in this file."""

    @abstractmethod
    def payload(self, number: int) -> bytes:
        """Return the encoded bytes of picture ``number`` of this file."""

    @abstractmethod
    def close(self) -> None:
        """Close the file."""

    def release(self) -> None:  # noqa: B027 - a file that holds nothing open has nothing to release
        """Close what the system limits, such as a descriptor, until ``payload`` is called; the index stays."""


class ByteRanges:
    """Pairs of offset and length, of which there may be millions."""

    def __init__(self) -> None:
        self._offsets, self._lengths = array("q"), array("q")

    def append(self, place: tuple[int, int]) -> None:
        """Add a pair."""
        self._offsets.append(place[0])
        self._lengths.append(place[1])

    def __getitem__(self, number: int) -> tuple[int, int]:
        return self._offsets[number], self._lengths[number]

    def __len__(self) -> int:
        return len(self._offsets)


class ByteRangeFile(ForeignFile):
    """A file in which each encoded picture is a range of bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.labels = no_labels("it has none")
        self.ranges = ByteRanges()
        """Offset and length of each picture, in bytes."""
        self.excluded: list[Excluded] = []
        self.warnings: list[str] = []
        self._file: RawFile | UnpackedFile | None = None
        self._size: int | None = None
        self._version, self._size = self.file.version, self.file.size

    @property
    def file(self) -> RawFile | UnpackedFile:
        """The file, unpacked if it is compressed as a whole; it is opened if it is not open.

        Raises:
            StoreError: If it cannot be opened, or is compressed and damaged.
        """
        if self._file is None:
            try:
                self._file = open_unpacked(self.path.resolve(), self._size)
            except OSError as error:
                raise read_error(self.path, error) from None
        return self._file

    @property
    def count(self) -> int:
        """Number of pictures in this file."""
        return len(self.ranges)

    def payload(self, number: int) -> bytes:
        """Copy the bytes of a picture.

        Raises:
            StoreError: If the file is another than the one that was indexed.
        """
        self.check_unchanged()
        return self.file.read_at(*self.ranges[number])

    def check_unchanged(self) -> None:
        """Open the file if it is not open, and compare it with the one that was indexed.

        Raises:
            StoreError: If it is another.
        """
        if self._file is None and self.file.version != self._version:
            raise StoreError(f"{self.path} has changed since it was scanned.")

    def release(self) -> None:
        """Close the descriptor."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            file.close()


class ForeignReader(Reader):
    """Reads pictures in the order of the files, and in each file in its own order; few of them are open at a time."""

    def __init__(self, location: Path, files: Sequence[ForeignFile], names: Sequence[str]) -> None:
        self._location, self._files = location, list(files)
        self._in_use: OrderedDict[int, None] = OrderedDict()
        counts = [file.count for file in files]
        self._starts = np.cumsum([0, *counts])
        labels = join_labels([file.labels for file in files], counts, names)
        self._labels, self.label_note = labels.or_none(), labels.reason or labels.note
        self.content = Content(
            int(self._starts[-1]),
            PayloadKind.BYTES,
            ORIGINAL_CODEC,
            has_labels=labels.numbers is not None,
            label_names=labels.names,
            name_bytes=_longest_name(self._files),
        )

    @classmethod
    def open(
        cls, location: Path, paths: Sequence[Path], open_file: Callable[[Path], ForeignFile], format_name: str
    ) -> Self:
        """Open files.

        Args:
            location: What the user names, for messages.
            paths: The files, in the order in which their pictures are numbered.
            open_file: Opens and indexes one file; raises StoreError.
            format_name: Name of the format, for messages.

        Raises:
            StoreError: If a file is damaged, or there is no picture in any.
        """
        files: list[ForeignFile] = []
        try:
            for number, path in enumerate(paths):
                if len(paths) > 1:
                    report_scan("reading files", number, len(paths))
                files.append(open_file(path))
                files[-1].release()
            if not any(file.count for file in files):
                raise StoreError(_nothing_in(location, files, format_name))
        except BaseException:
            for file in files:
                file.close()
            raise
        return cls(location, files, [path.name for path in paths])

    @property
    def excluded(self) -> Sequence[Excluded]:
        """The pictures of all files that are not taken."""
        return [entry for file in self._files for entry in file.excluded]

    @property
    def warnings(self) -> Sequence[str]:
        """What the user should know about the files; what is said of several is said once."""
        warnings = dict.fromkeys(warning for file in self._files for warning in file.warnings)
        beside = sum((file.beside for file in self._files), Counter[str]())
        if beside.keys() - self._files[0].ordinary:
            warnings[_beside_text(beside, self.content.count)] = None
        return list(warnings)

    def read_bytes(self, ids: Sequence[int], labels: Labels) -> list[bytes]:
        """Return encoded pictures as their files hold them."""
        check_ids(self._location, self.content.count, ids)
        payloads = []
        for image_id in ids:
            index, number = self._place(image_id)
            self._use(index)
            payloads.append(self._files[index].payload(number))
        if len(ids):
            labels[:] = self._labels[list(ids)]
        return payloads

    def read_names(self, ids: Sequence[int]) -> list[str]:
        """Return the names of pictures as their files have them."""
        require_names(self.content)
        check_ids(self._location, self.content.count, ids)
        places = [self._place(int(image_id)) for image_id in ids]
        return [self._files[index].names[number] for index, number in places]

    def _place(self, image_id: int) -> tuple[int, int]:
        """Return which file holds an image, and its number there."""
        index = int(np.searchsorted(self._starts, image_id, side="right")) - 1
        return index, image_id - int(self._starts[index])

    def _use(self, index: int) -> None:
        """Count a file as open, and release the one that was used longest ago if they are too many."""
        self._in_use[index] = None
        self._in_use.move_to_end(index)
        if len(self._in_use) > MOST_OPEN:
            self._files[self._in_use.popitem(last=False)[0]].release()

    def read_labels(self) -> Labels:
        """Return all labels."""
        return self._labels.copy()

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()


def _longest_name(files: Sequence[ForeignFile]) -> int:
    """Return the bytes of the longest name; 0 unless all pictures have one."""
    if any(len(file.names) != file.count for file in files):
        return 0
    return max((len(name.encode("utf-8", "surrogateescape")) for file in files for name in file.names), default=0)


def _beside_text(beside: Counter[str], pictures: int) -> str:
    shown = beside.most_common(_MOST_KINDS)
    rest = beside.total() - sum(number for _, number in shown)
    kinds = [f"{safe_text(kind)} ({format_count(number)})" for kind, number in shown]
    kinds += [f"others ({format_count(rest)})"] if rest else []
    entries = "1 entry is" if beside.total() == 1 else f"{format_count(beside.total())} entries are"
    return f"Beside {counted(pictures, 'picture')}, {entries} not pictures: {', '.join(kinds)}."


def _nothing_in(location: Path, files: Sequence[ForeignFile], format_name: str) -> str:
    text = f"{location} holds no pictures by the conventions of {format_name}"
    excluded = [entry for file in files for entry in file.excluded]
    more = [warning for file in files[:1] for warning in file.warnings]
    if excluded and not more:
        return f"{text}; '{safe_text(excluded[0].name)}' is left out: {excluded[0].reason}"
    return " ".join([f"{text}: {excluded[0].reason}" if excluded else f"{text}.", *more])


def label_of(text: bytes, path: Path) -> int:
    """Parse a label that a file holds as text.

    Raises:
        StoreError: If it is not a whole number of 64 bits.
    """
    try:
        label = int(text.decode("ascii").strip())
    except ValueError:
        label = 2**63
    if not -(2**63) <= label < 2**63:
        raise StoreError(f"{path} has a label that is no whole number.")
    return label
