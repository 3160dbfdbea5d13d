"""Reads the user's own pictures: any tree of picture files, in place and without writing."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui.core.content import NO_LABEL
from imgstore_tui.core.dataset import (
    BrokenImageError,
    Dataset,
    Excluded,
    ScanProgress,
    further_loss,
    further_text,
    orientation_loss,
)
from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import MAX_CUTOFF, counted, format_count
from imgstore_tui.datasets.folder import scan
from imgstore_tui.datasets.folder.class_folders import class_folders, class_of
from imgstore_tui.datasets.folder.stratified_order import stratified_order
from imgstore_tui.datasets.folder.wording import no_pictures_text, others_text
from imgstore_tui.images.resize import parse_size, resized
from imgstore_tui.storekit import label_table

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

_LEAST_HEADERS = 10_000
"""Headers that are read even if fewer pictures are needed: it takes seconds, and shows what is broken."""
_NO_CLASSES = "no class folders, and no CSV named by the option labels"

Kind = tuple[tuple[int, ...], str]


class FolderDataset(Dataset):
    """Reads picture files below a folder in a seeded order, of which any prefix holds each class by its share.

    The folder directly below the root is a picture's class, as in most data sets of this form; deeper folders do not
    count. Pictures beside class folders have the class ``.``, label 0. Without class folders there are no labels.
    A CSV of labels replaces the folders, and so does StyleGAN's ``dataset.json``. Files are recognised by their suffix;
    hidden ones are skipped. Links to folders are not followed, and links to files only inside the tree: others are
    listed as excluded, like every file whose header shows that it is not an accepted picture. Damage further in shows
    when a picture is read.
    """

    name = "folder"
    title = "Folder of pictures"
    needs_path = True
    describe = (
        "Your own PNG, JPEG, WebP, AVIF, BMP, TIFF and PPM files below a folder, and HEIC with the extra heif (whose "
        "library is under the GPLv2), read in place and never written to. The first folder level gives the labels, or "
        "a CSV. Sizes may vary. Taken in a mixed order, the same for the same seed: any number of the first ones is a "
        "random sample with each class by its share. Of trees beyond 10,000 files, only the headers of what is wanted "
        "are read."
    )
    requires = ("PIL",)
    options = (
        Option(
            "resize",
            "",
            "WIDTHxHEIGHT: turn every picture into 8-bit RGB of that size, so that all storage methods can take part. "
            "Bicubic, averaging when shrinking; proportions are not kept, transparency is dropped.",
        ),
        Option(
            "sample",
            0,
            "Take no more than so many pictures, the first of the mixed order, and look at no others; 0 takes as many "
            "as the largest number of images measured.",
            minimum=0,
            maximum=MAX_CUTOFF,
        ),
        Option("seed", 0, "Another number, another order.", minimum=0, maximum=2**63 - 1),
        Option(
            "labels",
            "",
            "A CSV of labels instead of folders, beside you or in the folder: columns name and label, with a head line "
            "or without; names as paths below the folder or as bare file names. Text labels are numbered in "
            "alphabetical order, integers kept.",
        ),
        Option(
            "links",
            "inside",
            "inside: follow links to files inside the folder only; follow: follow every link, to folders too and out "
            "of the folder, such as those of class folders that lie elsewhere or of Hugging Face's cache.",
            choices=("inside", "follow"),
        ),
        Option(
            "decode",
            True,
            "no: take every picture file as it is, also those that nobody here can decode (JPEG XL, camera raw, broken "
            "ones): bytes in, bytes out, for the codec original with --payload encoded.",
        ),
    )

    def __init__(self, path: Path | None, values: Mapping[str, OptionValue]) -> None:
        super().__init__(path, values)
        if path is None:
            raise UsageError("Dataset folder needs a path. Write folder:PATH.")
        self._root = path
        self._resize = parse_size(str(values["resize"]))
        self._sample, self._seed = int(values["sample"]), int(values["seed"])
        self._table = str(values["labels"])
        self._follow = values.get("links") == "follow"
        self._rules = scan.TreeRules(frozenset())
        self._decode = bool(values["decode"])
        if not self._decode and self._resize is not None:
            raise UsageError("Pictures that are not decoded cannot be resized. Leave out resize or decode=no.")
        self._listed = self._headers_read = 0
        self._unread: Iterator[tuple[str, int]] = iter(())
        self._excluded: list[Excluded] = []
        self._broken: set[int] = set()
        """Indices of pictures with a valid header that turned out to be damaged."""
        self._classes: tuple[str, ...] = ()
        self._class_count = self._turned = 0
        self._further: dict[int, int] = {}
        """By picture that has any, the number of pictures behind it in its file."""
        self._has_labels, self._label_note = True, ""
        # Columns, not objects: a tree may have a million files.
        self._names: list[str] = []
        self._labels = array("q")
        self._sizes = array("q")
        self._times = array("q")
        self._kind_of = array("q")
        self._kinds: dict[Kind, int] = {}

    def scan(self, progress: ScanProgress | None = None) -> None:
        """List the tree, then read the headers of the pictures that are used.

        Raises:
            DataError: If the folder is missing, unreadable, no folder, without a picture, or does not fit its labels.
        """
        from imgstore_tui.images.decode import SUFFIXES, UNDECODED_SUFFIXES

        report = progress or _ignore_progress
        scan.check_root(self._root)
        suffixes = SUFFIXES if self._decode else SUFFIXES | UNDECODED_SUFFIXES
        rules = self._rules = scan.TreeRules(suffixes, UNDECODED_SUFFIXES - suffixes, self._follow)
        names: list[str] = []
        for entry in scan.list_files(self._root, rules, report):
            if isinstance(entry, str):
                names.append(entry)
            else:
                self._excluded.append(entry)
        names.sort()
        self._listed = len(names)
        labels = self._labels_of(names)
        label_of = dict(zip(names, labels, strict=True))
        self._unread = ((name, label_of[name]) for name in stratified_order(names, labels, self._seed))
        self._read_headers(min(self._limit(), len(names)), report)
        if not self._names:
            raise DataError(no_pictures_text(self._root, rules, self._excluded))

    def _limit(self) -> int:
        if self._sample:
            return self._sample
        return self._listed if self.image_limit is None else max(self.image_limit, _LEAST_HEADERS)

    def _read_headers(self, count: int, report: ScanProgress) -> None:
        """Read headers of further files until ``count`` pictures are known, or none is left."""
        done = 0
        while len(self._names) < count and (unread := next(self._unread, None)) is not None:
            if not done % scan.PROGRESS_EVERY:
                report("reading headers", len(self._names), count)
            done += 1
            self._headers_read += 1
            name, label = unread
            try:
                facts = (scan.read_header if self._decode else scan.file_facts)(self._root, name, follow=self._follow)
            except BrokenImageError as error:
                self._excluded.append(error.excluded)
                continue
            kind = facts.shape, facts.dtype
            if kind not in self._kinds:
                self._kinds[kind] = len(self._kinds)
            if facts.further:
                self._further[len(self._names)] = facts.further
            self._names.append(name)
            self._labels.append(label)
            self._sizes.append(facts.size)
            self._times.append(facts.modified_ns)
            self._kind_of.append(self._kinds[kind])
            self._turned += facts.turned
        report("reading headers", len(self._names), len(self._names))

    def _labels_of(self, names: list[str]) -> Sequence[int]:
        """Return the label of every file, and store the names of labels."""
        # For all files, broken ones too: repairing a file must not change the labels of others.
        if self._table:
            table = label_table.read_labels(label_table.find_table(self._table, self._root), names)
            return self._take_labels(table.numbers, table.names, "")
        if (column := scan.labels_beside(self._root, names)) is not None:
            if column.numbers is not None:
                return self._take_labels(array("q", column.numbers.tobytes()), column.texts, column.note)
            self._has_labels, self._label_note = False, column.reason
            return array("q", [NO_LABEL]) * len(names)
        self._classes, self._label_note = class_folders(self._root, names)
        self._class_count = len(self._classes)
        self._has_labels = bool(self._classes)
        labels = {folder: label for label, folder in enumerate(self._classes)}
        return array("q", (labels.get(class_of(name), NO_LABEL) for name in names))

    def _take_labels(self, labels: array[int], names: tuple[str, ...], note: str) -> Sequence[int]:
        """Take labels of a table, with a note on where they come from; return them."""
        import numpy as np

        from imgstore_tui.storekit.image_labels import missing_labels

        self._classes = names
        self._has_labels, without = missing_labels(np.frombuffer(labels, np.int64), names)
        self._label_note = "; ".join(filter(None, (note, without)))
        self._class_count = len(set(labels) - ({NO_LABEL} if without else set()))
        return labels

    def __len__(self) -> int:
        return len(self._names)

    @property
    def uniform(self) -> Kind | None:
        """Shape and dtype if all headers agree, or those of ``resize``."""
        if self._resize is not None:
            width, height = self._resize
            return (height, width, 3), "uint8"
        return next(iter(self._kinds)) if len(self._kinds) == 1 and self._decode else None

    def image(self, index: int) -> Pixels:
        """Return picture ``index``, decoded on every call.

        Raises:
            BrokenImageError: If it is damaged, or has changed or is gone since ``scan``; if headers of other files have
                not been read yet, another picture is added at the end.
            DataError: If pictures are not decoded.
        """
        from imgstore_tui.images.decode import decode

        self._check(index)
        if not self._decode:
            raise DataError("Pictures are not decoded, as decode=no asks: there are only their files' bytes.")
        data = self._read(index)
        try:
            pixels = decode(data)
        except DataError as error:
            self._replace(index)
            raise BrokenImageError(self._names[index], str(error)) from None
        if self._kinds.get((pixels.shape, pixels.dtype.name)) != self._kind_of[index]:
            self._replace(index)
            raise scan.changed_error(self._names[index])
        return pixels if self._resize is None else resized(pixels, self._resize)

    def _replace(self, index: int) -> None:
        if index not in self._broken:
            self._broken.add(index)
            self._read_headers(len(self._names) + 1, _ignore_progress)

    def label(self, index: int) -> int:
        """Return the number of the class of picture ``index``."""
        self._check(index)
        return self._labels[index]

    @property
    def label_names(self) -> tuple[str, ...]:
        """The class folders as the file system spells them, or the names in the CSV."""
        return self._classes

    @property
    def has_labels(self) -> bool:
        """Whether there are class folders, or a CSV of labels."""
        return self._has_labels

    @property
    def label_note(self) -> str:
        """Why there are no labels, or which folders are no classes."""
        return self._label_note if self._has_labels or self._label_note else _NO_CLASSES

    @property
    def has_names(self) -> bool:
        """True: every picture is a file."""
        return True

    def image_name(self, index: int) -> str:
        """Return the path of picture ``index`` below the folder, as the file system spells it."""
        self._check(index)
        return self._names[index]

    def original_order(self) -> Sequence[int]:
        """Return the indices of pictures in the order of their names."""
        return sorted(range(len(self._names)), key=self._names.__getitem__)

    @property
    def lost_by_decoding(self) -> tuple[str, ...]:
        """That pictures have an orientation in EXIF, and that files hold several of them."""
        return (*((orientation_loss(self._turned),) if self._turned else ()), *self._left_out())

    def _left_out(self) -> tuple[str, ...]:
        """Return a sentence on the pages and frames that are not taken, if there are any."""
        further = {index: number for index, number in self._further.items() if index not in self._broken}
        return (further_loss(len(further), sum(further.values())),) if further else ()

    @property
    def has_pixels(self) -> bool:
        """Whether pictures are decoded."""
        return self._decode

    @property
    def has_originals(self) -> bool:
        """Whether pictures are used unchanged, not resized."""
        return self._resize is None

    def original(self, index: int) -> bytes:
        """Return the bytes of the file of picture ``index``.

        Raises:
            BrokenImageError: If it has changed or is gone since ``scan``.
            DataError: If pictures are resized.
        """
        if self._resize is not None:
            raise DataError("Pictures that are resized have no original to store. Leave out the option resize.")
        return self._read(index)

    def file(self, index: int) -> Path:
        """Return the path of the file of picture ``index``, with links inside the tree resolved."""
        self._check(index)
        return Path(os.path.realpath(self._root / self._names[index]))

    def _read(self, index: int) -> bytes:
        self._check(index)
        try:
            return scan.read_unchanged(self._root, self._names[index], self._sizes[index], self._times[index])
        except BrokenImageError:
            self._replace(index)
            raise

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self._names):
            raise IndexError(index)

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Files and folders that cannot be used, sorted by name."""
        return tuple(sorted(self._excluded, key=lambda entry: entry.name))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Pictures in a file behind its first, and what else lies in the tree, counted by suffix."""
        others = others_text(self._rules.others)
        return (*self._left_out(), others) if others else self._left_out()

    @property
    def summary(self) -> str:
        """E.g. ``folder holidays: 1,204 pictures of varying sizes in 3 classes``."""
        number = len(self._names) - len(self._broken)
        text = counted(number, "picture")
        if self._headers_read < self._listed:
            share = f"{100 * number / self._listed:.3g} % of {format_count(self._listed)}"
            text = f"a sample of {text}, {share}," if self._sample else f"{text} checked, {share},"
        text += f" {self._size_text()}"
        count = self._class_count
        text += f" in {format_count(count)} class{'' if count == 1 else 'es'}" if count else ""
        further = sum(number for index, number in self._further.items() if index not in self._broken)
        text += f", without {further_text(further)}" if further else ""
        if self._label_note and not self._has_labels:
            text += f", labels: none ({safe_text(self._label_note)})"
        return f"folder {safe_text(self._root.resolve().name or str(self._root))}: {text}"

    def _size_text(self) -> str:
        if not self._decode:
            return "taken as files, not decoded,"
        if self.uniform is None:
            sizes = {shape[:2] for shape, _ in self._kinds}
            return "of varying sizes" if len(sizes) > 1 else "of one size but varying kinds"
        shape, dtype = self.uniform
        text = f"of {'x'.join(map(str, shape))}{'' if dtype == 'uint8' else f' {dtype}'}"
        return text if self._resize is None else f"{text} (resized)"


def _ignore_progress(doing: str, done: int, total: int | None) -> None:
    pass
