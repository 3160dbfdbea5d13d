"""Decides under which names a conversion stores images, and says beforehand what becomes of the names of files."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

from imgstore_tui.core.backend import Backend
from imgstore_tui.core.codec import Codec
from imgstore_tui.core.dataset import Dataset
from imgstore_tui.core.image_names import SeenNames, safe_name, split_ending
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import counted
from imgstore_tui.images.decode import SUFFIXES, UNDECODED_SUFFIXES

_SAME_ENDING = {
    "jpg": frozenset({".jpg", ".jpeg", ".jpe", ".jfif"}),
    "tif": frozenset({".tif", ".tiff"}),
    "bmp": frozenset({".bmp", ".dib"}),
}
_REPORT_EVERY = 10_000
"""Names between two reports of progress."""
_MOST_RENAMED = 100_000
"""Names that are not unique are kept in memory; where there are more, names are of no use."""


class ImageNames:
    """The names of the images of a dataset in a store: fit for every store, each there once.

    Where a codec makes picture files of its own, a name gets the ending of these; files as they are and raw pixels keep
    the names of their sources.
    """

    def __init__(self, dataset: Dataset, codec: Codec, count: int) -> None:
        self._dataset, self._count = dataset, count
        suffix = f".{codec.extension}"
        self._ending = "" if codec.from_file or suffix not in SUFFIXES else suffix
        self._renamed: dict[int, str] = {}
        self.longest = 0
        """Bytes of the longest name, 0 before ``survey`` and where names are not kept."""

    def survey(self, progress: Callable[[str, int, int], None]) -> list[str]:
        """Look at all names once; return what the user should know of them, a sentence each."""
        seen, folded = SeenNames(), SeenNames()
        changed_example, alike_example = list[str](), list[str]()
        changed = alike = longest = 0
        for index in range(self._count):
            if not index % _REPORT_EVERY:
                progress("reading names", index, self._count)
            source = self._dataset.image_name(index)
            name = self._fit(source, index)
            if not seen.add(name):
                name = self._renamed[index] = self._unique(name, index, seen)
                if len(self._renamed) > _MOST_RENAMED:
                    self._renamed = {}
                    return ["Names of files are not kept: too many images have the same."]
            elif not folded.add(unicodedata.normalize("NFC", name).casefold()):
                alike += 1
                alike_example = alike_example or [name]
            longest = max(longest, len(name.encode()))
            if safe_name(source) != source:
                changed += 1
                changed_example = changed_example or [source, name]
        self.longest = longest
        return [*_changed_text(changed, changed_example), *self._renamed_text(), *_alike_text(alike, alike_example)]

    def _fit(self, source: str, index: int) -> str:
        """Return the name of a file as every store can keep it, with the ending of what is stored."""
        name = safe_name(source) or f"image-{index:08d}"
        if self._ending:
            name = safe_name(_with_ending(name, self._ending))
        return name

    def _unique(self, name: str, index: int, seen: SeenNames) -> str:
        """Return a name that no image has, from one that another has, and add it to those seen."""
        stem, ending = split_ending(name)
        folder, slash, leaf = stem.rpartition("/")
        again = 0
        while True:
            number = f"{index}" if not again else f"{index}.{again}"
            candidate = safe_name(f"{folder}{slash}{leaf[:200]}~{number}{ending}")
            if seen.add(candidate):
                return candidate
            again += 1

    def _renamed_text(self) -> list[str]:
        if not self._renamed:
            return []
        index, name = next(iter(self._renamed.items()))
        source = safe_text(self._dataset.image_name(index))
        images = "1 image has" if len(self._renamed) == 1 else f"{len(self._renamed):,} images have"
        return [f"{images} the name of another one: '{source}' of image {index} becomes '{safe_text(name)}'."]

    def name(self, index: int) -> str:
        """Return the name of the image ``index`` of the dataset in the store."""
        renamed = self._renamed.get(index)
        return self._fit(self._dataset.image_name(index), index) if renamed is None else renamed


def _with_ending(name: str, ending: str) -> str:
    """Return a name with the ending of a picture file: added, or in the place of another kind of picture."""
    stem, own_ending = split_ending(name)
    if own_ending.lower() in _SAME_ENDING.get(ending[1:], frozenset({ending})):
        return name
    is_picture = own_ending.lower() in SUFFIXES | UNDECODED_SUFFIXES
    return f"{stem if is_picture else name}{ending}"


def _changed_text(count: int, example: Sequence[str]) -> list[str]:
    if not count:
        return []
    have = "1 name has" if count == 1 else f"{count:,} names have"
    source, name = map(safe_text, example)
    return [f"{have} characters or parts that not every store keeps: '{source}' becomes '{name}'."]


def _alike_text(count: int, example: Sequence[str]) -> list[str]:
    if not count:
        return []
    differ = "1 name differs" if count == 1 else f"{count:,} names differ"
    return [
        f"{differ} from another in case or Unicode form only, such as '{safe_text(example[0])}'; some file systems "
        "take them for one."
    ]


def lost_names(dataset: Dataset, backend: Backend) -> str:
    """Return the sentence for names that a backend does not keep; empty where none are lost."""
    if not dataset.has_names or backend.capabilities.names:
        return ""
    pictures = counted(len(dataset), "picture")
    return f"Storage {backend.name} does not keep the names of files, of {pictures}: only their numbers and classes."
