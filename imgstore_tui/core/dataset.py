"""Declares the contract of a dataset, the source of images and labels, which is only read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from imgstore_tui.core.errors import DataError
from imgstore_tui.core.location import Location
from imgstore_tui.core.options import Option, OptionValue
from imgstore_tui.core.text import safe_text
from imgstore_tui.core.units import MAX_CUTOFF, format_count

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels

UPTO = Option(
    "upto",
    MAX_CUTOFF,
    "Largest number of images that is run on this dataset; for large images beside small ones in one plan.",
    minimum=1,
    maximum=MAX_CUTOFF,
)
"""Every dataset has this option; it bounds the cutoffs of a plan, and the dataset does not get it."""

ScanProgress = Callable[[str, int, int | None], None]
"""Called with what is being done, how many are done, and how many in total (None if unknown)."""


@dataclass(frozen=True, slots=True)
class Excluded:
    """One picture file that cannot be used, and why."""

    name: str
    """Path below the dataset's root, as the file system spells it (surrogates for invalid bytes)."""
    reason: str


class BrokenImageError(DataError):
    """One image of a dataset cannot be read, others may: callers list it as excluded and continue."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"Picture '{safe_text(name)}' cannot be used. {reason}")
        self.excluded = Excluded(name, reason)


class Dataset(ABC):
    """Images and integer labels, indexable, never all in memory.

    Subclasses declare the class variables. ``__init__`` only checks its arguments; ``scan`` reads.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    needs_path: ClassVar[bool] = False
    fetch_command: ClassVar[str] = ""
    """The command that downloads the data; empty where there is none."""
    takes_address: ClassVar[bool] = False
    """Whether its path may be an address on a server."""
    options: ClassVar[tuple[Option, ...]] = ()
    requires: ClassVar[tuple[str, ...]] = ()
    extra: ClassVar[str | None] = None
    describe: ClassVar[str]
    """What it is and what it takes, in a sentence or two."""

    image_limit: int | None = None
    """Most images that the caller will use, set before ``scan``, which may then stop early; None for no limit."""

    def __init__(self, path: Any, values: Mapping[str, OptionValue]) -> None:
        self.path: Location | None = path
        self.values = dict(values)

    @property
    def wanted(self) -> int | None:
        """The former name of ``image_limit``, which older plug-ins read."""
        return self.image_limit

    @abstractmethod
    def scan(self, progress: ScanProgress | None = None) -> None:
        """Find the images and their shapes; must be called once before anything below.

        Raises:
            DataError: If the data is missing, empty or unreadable.
        """

    @abstractmethod
    def __len__(self) -> int:
        """Number of distinct images; for generated images the most that can be generated."""

    @property
    @abstractmethod
    def uniform(self) -> tuple[tuple[int, ...], str] | None:
        """Shape and dtype (``uint8``, ``uint16``) of every image, or None if they vary."""

    @abstractmethod
    def image(self, index: int) -> Pixels:
        """Return image ``index`` as an owned uint8 or uint16 array (H, W, C), or (H, W) for grey.

        Raises:
            IndexError: If there is no such image; negative indices are out of range.
            BrokenImageError: If this one cannot be read: damaged, or changed or gone since ``scan``.
            DataError: If the dataset as a whole cannot be read any more.
        """

    @abstractmethod
    def label(self, index: int) -> int:
        """Return the integer label of image ``index``; ``NO_LABEL`` where images have none."""

    @property
    def has_labels(self) -> bool:
        """Whether images have labels, known after ``scan``."""
        return True

    @property
    def label_note(self) -> str:
        """Why there are no labels, or where they are taken from if that is not plain to see; often empty."""
        return ""

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels 0, 1, ...; empty where labels have none."""
        return ()

    @property
    def has_names(self) -> bool:
        """Whether ``image_name`` works: images have names, known after ``scan``."""
        return False

    def image_name(self, index: int) -> str:
        """Return the name of image ``index``: the path of its file below what the user names, as it is spelt there.

        Raises:
            IndexError: If there is no such image.
            DataError: If images have no names.
        """
        raise DataError(f"Images of dataset {self.name} have no names.")

    def original_order(self) -> Sequence[int] | None:
        """Return the indices of all images in the order of the data itself; None if they are in it."""
        return None

    @property
    def lost_by_decoding(self) -> tuple[str, ...]:
        """What is lost unless files are stored as they are, one sentence each."""
        return ()

    @property
    def has_pixels(self) -> bool:
        """Whether images are decoded; where not, ``original`` is all there is, and ``image`` is a DataError."""
        return True

    @property
    def has_originals(self) -> bool:
        """Whether ``original`` works: images are files of their own, stored as they are shown."""
        return False

    @property
    def has_files(self) -> bool:
        """Whether ``file`` works: images can be read in place, from files of the user."""
        return self.has_originals

    def original(self, index: int) -> bytes:
        """Return the untouched bytes of the file of image ``index``.

        Raises:
            IndexError: If there is no such image.
            BrokenImageError: If this file cannot be read, or changed or is gone since ``scan``.
            DataError: If the dataset has no files of its own.
        """
        raise DataError(f"Dataset {self.name} has no picture files of its own, so there is no original to store.")

    def file(self, index: int) -> Path:
        """Return the absolute path of the file of image ``index``, with links resolved.

        Raises:
            IndexError: If there is no such image.
            DataError: If the dataset has no files of its own.
        """
        raise DataError(f"Dataset {self.name} has no picture files of its own, so there is none to read in place.")

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Files that look like pictures but cannot be used."""
        return ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about data that can be used, one sentence each."""
        return ()

    @property
    @abstractmethod
    def summary(self) -> str:
        """The dataset in one line, e.g. ``synthetic 32x32x3``; shown beside every result."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders and files of the user's that the dataset reads; scratch must not overlap them."""
        return (self.path,) if isinstance(self.path, Path) else ()


def orientation_loss(count: int, first: int = 0) -> str:
    """Return the sentence for pictures whose orientation in EXIF pixels do not keep.

    Args:
        count: Number of such pictures.
        first: How many pictures have been looked at, from the first on; 0 for all.
    """
    of = f" of the first {format_count(first)}" if first else ""
    have = "1 picture has" if count == 1 and not first else f"{format_count(count)}{of} pictures have"
    return f"{have} an orientation in EXIF, which pixels do not keep: only the codec original does."


def further_loss(count: int, further: int, first: int = 0) -> str:
    """Return the sentence for files of several pictures, pages or frames, of which the first is taken.

    Args:
        count: Number of such files.
        further: How many pictures they hold behind their first.
        first: How many files have been looked at, from the first on; 0 for all.
    """
    of = f" of the first {format_count(first)}" if first else ""
    hold = "1 picture holds" if count == 1 and not first else f"{format_count(count)}{of} pictures hold"
    note = "the first is taken of each; only the codec original keeps them, in its files"
    return f"{hold} {further_text(further)}: left out, as {note}."


def further_text(further: int) -> str:
    """Return how many pictures behind the first there are in files, e.g. ``2 further pages or frames``."""
    return "1 further page or frame" if further == 1 else f"{format_count(further)} further pages or frames"
