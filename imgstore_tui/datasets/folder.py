"""The user's own pictures: any tree of picture files, read in place and never written to."""

from __future__ import annotations

import hashlib
import re
from array import array
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from imgstore_tui import picture_files
from imgstore_tui.core.dataset import BrokenImageError, Dataset, Excluded, ScanProgress
from imgstore_tui.core.errors import DataError, UsageError
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import MAX_CUTOFF, format_count

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Pixels

_LARGEST_EDGE = 16_384
_AT_THE_ROOT = "."
"""The class of pictures that lie beside the class folders; no folder can be called so."""

Kind = tuple[tuple[int, ...], str]


class Folder(Dataset):
    """Picture files below a folder, in the order of their paths.

    The folder directly below the root is a picture's class, as in most data sets that are kept so; deeper folders do
    not count. Pictures beside class folders are of the class ``.``, label 0. Where there are no class folders, all
    labels are 0 and have no names. Files are told by their suffix; what is hidden is skipped. Links to folders are not
    followed and links to files are only inside the tree: those that are passed over are listed as excluded, as is
    every file that its header shows to be no picture we take. Damage further in shows when a picture is read.
    """

    name = "folder"
    title = "Folder of pictures"
    needs_path = True
    describe = (
        "Your own PNG, JPEG, WebP, BMP, TIFF and PPM files below a folder, read in place and never written to. "
        "The first folder level gives the labels. Sizes may vary."
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
            "Take so many pictures at random, each class by its share, and look at no others; 0 takes all, "
            "in the order of their paths.",
            minimum=0,
            maximum=MAX_CUTOFF,
        ),
        Option("seed", 0, "Another number, another sample.", minimum=0, maximum=2**63 - 1),
    )

    def __init__(self, path: Path | None, values: Mapping[str, OptionValue]) -> None:
        super().__init__(path, values)
        if path is None:
            raise UsageError("Dataset folder needs a path. Write folder:PATH.")
        self._root = path
        self._resize = _parse_size(str(values["resize"]))
        self._sample, self._seed = int(values["sample"]), int(values["seed"])
        self._listed = 0
        self._excluded: list[Excluded] = []
        self._classes: tuple[str, ...] = ()
        # Columns, not objects: a tree of a million files is ordinary.
        self._names: list[str] = []
        self._labels = array("q")
        self._sizes = array("q")
        self._times = array("q")
        self._kind_of = array("q")
        self._kinds: list[Kind] = []

    def scan(self, progress: ScanProgress | None = None) -> None:
        """List the tree, then read the header of every picture that is to take part.

        Raises:
            DataError: If the folder is missing, no folder, unreadable, or holds no picture.
        """
        from imgstore_tui.pictures import SUFFIXES

        tell = progress or _silent
        picture_files.check_root(self._root)
        names: list[str] = []
        for entry in picture_files.list_files(self._root, SUFFIXES, tell):
            if isinstance(entry, str):
                names.append(entry)
            else:
                self._excluded.append(entry)
        names.sort()
        self._listed = len(names)
        self._look_at(names, tell)
        self._excluded.sort(key=lambda entry: entry.name)
        if not self._names:
            raise DataError(self._nothing_found(SUFFIXES))

    def _look_at(self, names: list[str], tell: ScanProgress) -> None:
        labels = self._name_classes(names)
        numbers: dict[Kind, int] = {}
        wanted = min(self._sample or len(names), len(names))
        for done, name in enumerate(_shuffled(names, self._seed) if self._sample else names):
            if len(self._names) == wanted:
                break
            if not done % picture_files.PROGRESS_EVERY:
                tell("reading headers", done, None if self._sample else wanted)
            try:
                found = picture_files.look_at(self._root, name)
            except BrokenImageError as error:
                self._excluded.append(error.excluded)
                continue
            self._names.append(name)
            self._labels.append(labels.get(_class_of(name), 0))
            self._sizes.append(found.size)
            self._times.append(found.modified_ns)
            self._kind_of.append(numbers.setdefault((found.shape, found.dtype), len(numbers)))
        tell("reading headers", len(names), len(names))
        self._kinds = list(numbers)

    def _name_classes(self, names: list[str]) -> dict[str, int]:
        # Of all files, broken ones too: mending a file must not change the labels of others.
        folders = {_class_of(name) for name in names}
        if folders - {_AT_THE_ROOT}:
            # Sorted, but "." first whatever the others start with.
            self._classes = tuple(sorted(folders, key=lambda folder: (folder != _AT_THE_ROOT, folder)))
        return {folder: label for label, folder in enumerate(self._classes)}

    def _nothing_found(self, suffixes: frozenset[str]) -> str:
        where = f"'{safe_text(str(self._root))}'"
        if not self._excluded:
            return f"There are no pictures in {where} or below it: files that end in {', '.join(sorted(suffixes))}."
        first, number = self._excluded[0], len(self._excluded)
        found = "1 file, but it cannot" if number == 1 else f"{format_count(number)} files, but none can"
        return (
            f"{where} holds {found} be used, for example '{safe_text(first.name)}': "
            f"{first.reason.rstrip('.')}. Name a folder with pictures."
        )

    def __len__(self) -> int:
        return len(self._names)

    @property
    def uniform(self) -> Kind | None:
        """Shape and dtype if all headers agree, or what ``resize`` makes."""
        if self._resize is not None:
            width, height = self._resize
            return (height, width, 3), "uint8"
        return self._kinds[0] if len(self._kinds) == 1 else None

    def image(self, index: int) -> Pixels:
        """Return picture ``index``, decoded anew.

        Raises:
            BrokenImageError: If it is damaged, or has changed or gone since ``scan``.
        """
        from imgstore_tui.pictures import decode

        data = self._read(index)
        try:
            pixels = decode(data)
        except DataError as error:
            raise BrokenImageError(self._names[index], str(error)) from None
        if (pixels.shape, pixels.dtype.name) != self._kinds[self._kind_of[index]]:
            raise picture_files.changed(self._names[index])
        return pixels if self._resize is None else _resized(pixels, self._resize)

    def label(self, index: int) -> int:
        """Return the number of the class of picture ``index``."""
        self._check(index)
        return self._labels[index]

    @property
    def label_names(self) -> tuple[str, ...]:
        """The class folders, as the file system spells them."""
        return self._classes

    @property
    def has_originals(self) -> bool:
        """Whether pictures are taken as they are, not resized."""
        return self._resize is None

    def original(self, index: int) -> bytes:
        """Return the bytes of the file of picture ``index``.

        Raises:
            BrokenImageError: If it has changed or gone since ``scan``.
            DataError: If pictures are resized.
        """
        if self._resize is not None:
            raise DataError("Pictures that are resized have no original to store. Leave out the option resize.")
        return self._read(index)

    def _read(self, index: int) -> bytes:
        self._check(index)
        return picture_files.read(self._root, self._names[index], self._sizes[index], self._times[index])

    def _check(self, index: int) -> None:
        if not 0 <= index < len(self._names):
            raise IndexError(index)

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Files and folders that cannot take part, sorted by name."""
        return tuple(self._excluded)

    @property
    def summary(self) -> str:
        """E.g. ``folder holidays: 1,204 pictures of varying sizes in 3 classes``."""
        number = len(self._names)
        words = f"{format_count(number)} picture{'' if number == 1 else 's'}"
        if self._sample and self._listed > number:
            words = f"a sample of {words}, {100 * number / self._listed:.3g} % of {format_count(self._listed)},"
        if self.uniform is None:
            sizes = {shape[:2] for shape, _ in self._kinds}
            words += " of varying sizes" if len(sizes) > 1 else " of one size but varying kinds"
        else:
            shape, dtype = self.uniform
            words += f" of {'x'.join(map(str, shape))}{'' if dtype == 'uint8' else f' {dtype}'}"
            words += "" if self._resize is None else " (resized)"
        classes = len(self._classes)
        words += f" in {format_count(classes)} class{'' if classes == 1 else 'es'}" if classes else ""
        return f"folder {safe_text(self._root.resolve().name or str(self._root))}: {words}"


def _parse_size(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (0 < width <= _LARGEST_EDGE and 0 < height <= _LARGEST_EDGE):
        raise UsageError(
            f"Option 'resize' of dataset folder takes WIDTHxHEIGHT, e.g. 256x256, at most {_LARGEST_EDGE:,} each, "
            f"not '{safe_text(text)}'."
        )
    return width, height


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    import numpy as np
    from PIL import Image

    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    picture = Image.fromarray(pixels[..., :3] if pixels.ndim == 3 else pixels).convert("RGB")
    return np.array(picture.resize(size, Image.Resampling.BICUBIC))


def _shuffled(names: list[str], seed: int) -> list[str]:
    """Return names so that any number of the first ones is a random sample with each class by its share.

    By a hash of each name, so that it comes out the same everywhere, and changes little where files come and go.
    """
    drawn = sorted(names, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode("utf-8", "surrogateescape")).digest())
    sizes = Counter(map(_class_of, drawn))
    ranks: Counter[str] = Counter()
    places = []
    for name in drawn:
        folder = _class_of(name)
        places.append((ranks[folder] + 0.5) / sizes[folder])
        ranks[folder] += 1
    return [name for _, name in sorted(zip(places, drawn, strict=True), key=lambda pair: pair[0])]


def _class_of(name: str) -> str:
    folder, slash, _ = name.partition("/")
    return folder if slash else _AT_THE_ROOT


def _silent(doing: str, done: int, total: int | None) -> None:
    pass
