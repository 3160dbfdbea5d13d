"""Reads labels of pictures from a CSV, and refuses one that does not match in a sentence that says why."""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.errors import DataError
from imgstore_tui.core.paths import expand_path
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import format_count

NAME_COLUMNS = (
    "name", "filename", "file_name", "file", "filepath", "file_path", "path", "image", "image_name", "image_path",
    "img", "picture", "photo", "id", "image_id",
)  # fmt: skip
LABEL_COLUMNS = ("label", "class", "category", "target", "label_name", "class_name", "label_id", "class_id", "y")
"""Usual names of the two columns; if a table has several, the first in this order counts."""

LARGEST_TABLE = 1 << 30
_SEPARATORS = ",;\t"
_INTEGER = re.compile(r"[+-]?\d{1,19}(?:\.0*)?", re.ASCII)
_LARGEST = 2**63 - 1
_NO_LABEL_TEXT = str(NO_LABEL)
"""Stands for no label among names of classes too."""


@dataclass(frozen=True, slots=True)
class PictureLabels:
    """The labels of a list of pictures."""

    numbers: array[int]
    """The label of each picture, in the order of the list."""
    names: tuple[str, ...]
    """Names of the labels 0, 1, ...; empty if the table holds whole numbers."""


def find_table(path_text: str, root: Path) -> Path:
    """Return the path of the table: relative to the current folder, or else to ``root``."""
    direct = expand_path(path_text)
    below = root / path_text
    return below if not direct.is_file() and below.is_file() else direct


def read_labels(table: Path, pictures: Sequence[str]) -> PictureLabels:
    """Return the labels of pictures from a table with exactly one row for each.

    Columns are separated by comma, semicolon or tab; a header line is optional; names are paths below the data's
    folder, or bare file names if these are unique. Text labels are numbered in alphabetical order; if all labels are
    whole numbers, they are kept.

    Args:
        table: The CSV.
        pictures: Paths of the pictures below the data's folder, ``/`` between folders.

    Raises:
        DataError: If the table cannot be read or does not match; with counts and the first example.
    """

    def open_file() -> TextIO:
        if not table.is_file():
            raise DataError(f"There is no file of labels '{safe_text(str(table))}'. Check the path.")
        if table.stat().st_size > LARGEST_TABLE:
            raise DataError(f"{_where(table.name)} do not fit: it has more than 1 GiB.")
        return table.open(encoding="utf-8-sig", newline="")

    try:
        return _Table(table.name, open_file, pictures).read()
    except OSError as error:
        raise DataError(f"The labels '{safe_text(str(table))}' cannot be read: {error.strerror or error}.") from None


def parse_table(data: bytes, name: str, pictures: Sequence[str]) -> PictureLabels:
    """Return the labels of pictures from the bytes of a table, as ``read_labels`` does.

    Args:
        data: The CSV, which the caller holds to a size.
        name: Name of the table, for messages.
        pictures: Paths of the pictures, ``/`` between folders.

    Raises:
        DataError: As ``read_labels``.
    """
    return _Table(name, lambda: io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline=""), pictures).read()


def _where(name: str) -> str:
    return f"The labels in '{safe_text(name)}'"


def _folded_names(pictures: Sequence[str]) -> dict[str, int]:
    """Return the index of each picture by its composed path and file name, with and without ending; -1 for several.

    A whole name counts before one without its ending, and a path before a bare file name.
    """
    folded: dict[str, int] = {}
    names = [unicodedata.normalize("NFC", name) for name in pictures]
    leaves = [name.rpartition("/")[2] for name in names]
    for spellings in (names, leaves, map(_without_ending, names), map(_without_ending, leaves)):
        level: dict[str, int] = {}
        for index, spelt in enumerate(spellings):
            level[spelt] = index if level.get(spelt, index) == index else -1
        folded = {**level, **folded}
    return folded


def _without_ending(name: str) -> str:
    return os.path.splitext(name)[0]  # noqa: PTH122 - of text, by the million


class _Table:
    def __init__(
        self, name: str, open_text: Callable[[], AbstractContextManager[TextIO]], pictures: Sequence[str]
    ) -> None:
        self._where, self._open_text, self._pictures = _where(name), open_text, pictures
        self._by_path = {name: index for index, name in enumerate(pictures)}
        leaves = Counter(name.rpartition("/")[2] for name in pictures)
        self._ambiguous = {leaf for leaf, count in leaves.items() if count > 1}
        self._by_file_name = {name.rpartition("/")[2]: index for index, name in enumerate(pictures)}
        self._folded: dict[str, int] | None = None
        """By name in one Unicode form, with and without its ending; -1 for the name of several."""

    def read(self) -> PictureLabels:
        """Read all rows, then report the first kind of fault, with counts, or return the labels."""
        labels: dict[int, str] = {}
        rows = 0
        faults: dict[str, tuple[int, str]] = {}

        def fault(what: str, example: str, line: int) -> None:
            count, first = faults.get(what, (0, f"'{safe_text(example[:200])}' in line {line}"))
            faults[what] = (count + 1, first)

        for line, name, label in self._rows():
            rows += 1
            picture = self._picture_index(name)
            if picture is None:
                fault("name no picture", name, line)
            elif picture < 0:
                fault("name a picture that is in several folders", name, line)
            elif picture in labels:
                fault("name a picture a second time", name, line)
            elif not label:
                fault("have no label", name, line)
            else:
                labels[picture] = label
        if not rows:
            self._refuse("there is no row in it")
        for what, (count, first) in faults.items():
            self._refuse(f"{format_count(count)} of {format_count(rows)} rows {what}, for example {first}")
        missing = len(self._pictures) - len(labels)
        if missing:
            first = next(name for picture, name in enumerate(self._pictures) if picture not in labels)
            self._refuse(
                f"{format_count(missing)} of {format_count(len(self._pictures))} pictures have no row, for example "
                f"'{safe_text(first)}'; each picture needs one"
            )
        return self._numbered([labels[picture] for picture in range(len(self._pictures))])

    def _picture_index(self, name: str) -> int | None:
        """Return the index of the picture with a name; -1 for several, None for none."""
        name_below = name.removeprefix("./")
        for spelt in (name_below, name_below.replace("\\", "/")):
            if spelt in self._by_path:
                return self._by_path[spelt]
            if spelt in self._ambiguous:
                return -1
            if spelt in self._by_file_name:
                return self._by_file_name[spelt]
        # macOS decomposes letters with accents; and tables often name pictures by an id, without the ending.
        if self._folded is None:
            self._folded = _folded_names(self._pictures)
        return self._folded.get(unicodedata.normalize("NFC", name_below.replace("\\", "/")))

    def _rows(self) -> Iterator[tuple[int, str, str]]:
        """Yield line number, name and label of every row but the header."""
        lines = self._lines()
        first = next(lines, None)
        if first is None:
            return
        name_at, label_at = self._columns(first[1])
        # A header has a known column name, and no picture has its name: a label may equal a column name.
        header_words = {word.strip().lower().replace(" ", "_") for word in first[1]} & {*NAME_COLUMNS, *LABEL_COLUMNS}
        if not header_words or self._picture_index(first[1][name_at].strip()) is not None:
            yield first[0], first[1][name_at].strip(), first[1][label_at].strip()
        for line, row in lines:
            if len(row) <= max(name_at, label_at):
                self._refuse(f"line {line} has {len(row)} of the {len(first[1])} columns")
            yield line, row[name_at].strip(), row[label_at].strip()

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield every non-empty row with the number of its last line."""
        line = 0
        try:
            with self._open_text() as stream:
                head = stream.readline(65_536)
                stream.seek(0)
                separator = max(_SEPARATORS, key=head.count)
                reader = csv.reader(stream, delimiter=separator, strict=True)
                for row in reader:
                    line = reader.line_num
                    if row:
                        yield line, row
        except csv.Error as error:
            self._refuse(f"after line {line} it is no CSV ({error}). Look for quotes that do not match")
        except UnicodeDecodeError as error:
            self._refuse(f"it is not UTF-8 text (byte {error.object[error.start]:#04x}). Save it as UTF-8")

    def _columns(self, first: list[str]) -> tuple[int, int]:
        """Return the positions of the columns of names and labels."""
        headers = [word.strip().lower().replace(" ", "_") for word in first]
        name_at = next((headers.index(word) for word in NAME_COLUMNS if word in headers), None)
        label_at = next((headers.index(word) for word in LABEL_COLUMNS if word in headers), None)
        if len(headers) < 2:
            self._refuse("it has one column; it needs two, name and label")
        if len(headers) == 2:
            # With two columns, one known name determines the other.
            if name_at is None:
                name_at = 0 if label_at is None or self._picture_index(first[0].strip()) is not None else 1 - label_at
            return name_at, 1 - name_at
        if name_at is None or label_at is None:
            shown = ", ".join(safe_text(word.strip()[:40]) for word in first[:8])
            column = "name" if name_at is None else "label"
            self._refuse(f"no column is called {column} ({shown}). Give it a head line with name and label")
        return name_at, label_at

    def _numbered(self, labels: list[str]) -> PictureLabels:
        if all(_INTEGER.fullmatch(label) for label in labels):
            numbers = [int(label.partition(".")[0]) for label in labels]
            wide = next((number for number in numbers if not -_LARGEST - 1 <= number <= _LARGEST), None)
            if wide is not None:
                self._refuse(f"{wide} does not fit into 64 bits")
            return PictureLabels(array("q", numbers), ())
        names = tuple(sorted(set(labels) - {_NO_LABEL_TEXT}))
        number_of = {name: number for number, name in enumerate(names)} | {_NO_LABEL_TEXT: NO_LABEL}
        return PictureLabels(array("q", (number_of[label] for label in labels)), names)

    def _refuse(self, why: str) -> NoReturn:
        raise DataError(f"{self._where} do not fit: {why}.")
