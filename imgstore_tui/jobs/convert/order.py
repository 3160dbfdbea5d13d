"""Takes the images of a dataset in another order: that of the data itself, or shuffled by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from imgstore_tui.core.dataset import Dataset, Excluded, ScanProgress
from imgstore_tui.core.errors import UsageError
from imgstore_tui.core.units import MAX_CUTOFF

if TYPE_CHECKING:
    from imgstore_tui.core.content import Pixels


@dataclass(frozen=True, slots=True)
class Order:
    """The order in which images are stored."""

    name: str
    """``original`` or ``shuffled``."""
    seed: int = 0
    """Another seed, another shuffled order."""

    def __str__(self) -> str:
        return self.name if self.name == "original" else f"{self.name} by the seed {self.seed}"


class OrderedDataset(Dataset):
    """All images of a dataset in another order."""

    name: ClassVar[str] = "ordered"
    title: ClassVar[str] = "A dataset in another order"
    describe: ClassVar[str] = "All images of a dataset in another order."

    def __init__(self, dataset: Dataset, order: Order) -> None:
        super().__init__(dataset.path, dataset.values)
        self.name = dataset.name  # type: ignore[misc]
        self._dataset, self._order = dataset, order
        self._indices: Sequence[int] = ()

    def scan(self, progress: ScanProgress | None = None) -> None:
        """Scan all of the dataset: any image may come first.

        Raises:
            UsageError: If it never ends.
            DataError: As the dataset.
        """
        self._dataset.scan(progress)
        count = len(self._dataset)
        if count >= MAX_CUTOFF:
            raise UsageError(f"{self._dataset.summary}: it never ends, so it has no order. Leave out --order.")
        if self._order.name == "shuffled":
            self._indices = np.random.default_rng(self._order.seed).permutation(count).tolist()
            return
        order = self._dataset.original_order()
        self._indices = range(count) if order is None else order

    def _index(self, index: int) -> int:
        if not 0 <= index < len(self._indices):
            raise IndexError(index)
        return self._indices[index]

    def __len__(self) -> int:
        return len(self._indices)

    @property
    def uniform(self) -> tuple[tuple[int, ...], str] | None:
        """Shape and dtype of every image."""
        return self._dataset.uniform

    def image(self, index: int) -> Pixels:
        """Return image ``index`` of the order."""
        return self._dataset.image(self._index(index))

    def label(self, index: int) -> int:
        """Return the label of image ``index`` of the order."""
        return self._dataset.label(self._index(index))

    @property
    def has_labels(self) -> bool:
        """Whether images have labels."""
        return self._dataset.has_labels

    @property
    def label_note(self) -> str:
        """Why there are no labels, or where they are taken from."""
        return self._dataset.label_note

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels."""
        return self._dataset.label_names

    @property
    def has_names(self) -> bool:
        """Whether images have names."""
        return self._dataset.has_names

    def image_name(self, index: int) -> str:
        """Return the name of image ``index`` of the order."""
        return self._dataset.image_name(self._index(index))

    @property
    def lost_by_decoding(self) -> tuple[str, ...]:
        """What is lost unless files are stored as they are."""
        return self._dataset.lost_by_decoding

    @property
    def has_pixels(self) -> bool:
        """Whether images are decoded."""
        return self._dataset.has_pixels

    @property
    def has_originals(self) -> bool:
        """Whether images are files of their own."""
        return self._dataset.has_originals

    @property
    def has_files(self) -> bool:
        """Whether images can be read in place."""
        return self._dataset.has_files

    def original(self, index: int) -> bytes:
        """Return the bytes of the file of image ``index`` of the order."""
        return self._dataset.original(self._index(index))

    def file(self, index: int) -> Path:
        """Return the path of the file of image ``index`` of the order."""
        return self._dataset.file(self._index(index))

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Files that cannot be used."""
        return self._dataset.excluded

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know about the data."""
        return self._dataset.warnings

    @property
    def summary(self) -> str:
        """The dataset in one line."""
        return self._dataset.summary

    @property
    def roots(self) -> tuple[Path, ...]:
        """What the dataset reads."""
        return self._dataset.roots
