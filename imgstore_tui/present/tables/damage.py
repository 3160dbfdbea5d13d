"""Builds the table of what flipped bytes cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imgstore_tui.core.units import counted, format_count, format_number
from imgstore_tui.present.tables.table_model import Emphasis, Table, TableColumn, TableEntry


class Damage(Protocol):
    """What flipped bytes cost in a store, as ``jobs.damage`` measures it."""

    @property
    def spec(self) -> str:
        """The method."""

    @property
    def images(self) -> int:
        """Images of the store."""

    @property
    def flips(self) -> Sequence[object]:
        """One entry for each byte."""

    @property
    def mean_lost(self) -> float:
        """Images lost by a flip, on average."""

    @property
    def most_lost(self) -> int:
        """Images lost by the worst flip."""

    @property
    def harmless(self) -> int:
        """Flips that cost nothing."""

    @property
    def unnoticed(self) -> int:
        """Flips by which an image came back different without a word."""

    @property
    def total_losses(self) -> int:
        """Flips by which all images were lost."""

    @property
    def crashes(self) -> int:
        """Flips that ended the process that read."""


def damage_table(results: Sequence[Damage], dataset: str, seed: int) -> Table:
    """Return what a flipped byte costs with each method.

    Args:
        results: One per method.
        dataset: The dataset as the user wrote it.
        seed: The seed of the choice of bytes.
    """
    least = min((result.mean_lost for result in results), default=0.0)
    rows = tuple(
        (
            TableEntry(result.spec),
            TableEntry(
                format_number(result.mean_lost), Emphasis.BEST if result.mean_lost == least else Emphasis.PLAIN,
                result.mean_lost,
            ),
            TableEntry(format_count(result.most_lost), value=result.most_lost),
            *(
                TableEntry(format_count(count), value=count)
                for count in (result.harmless, result.unnoticed, result.total_losses, result.crashes)
            ),
        )
        for result in results
    )  # fmt: skip
    images = max((result.images for result in results), default=0)
    flips = max((len(result.flips) for result in results), default=0)
    return Table(
        "What one flipped byte costs",
        (
            TableColumn("method", right=False, wraps=True),
            TableColumn("images lost"),
            TableColumn("at worst"),
            TableColumn("harmless"),
            TableColumn("unnoticed"),
            TableColumn("all lost"),
            TableColumn("crashes"),
        ),
        rows,
        f"Data: {dataset}, {counted(images, 'image')}. {counted(flips, 'byte')} of each store flipped, one at a time, "
        f"drawn from all its bytes (seed {seed}), and the store read by this program. Images lost: not as before, on "
        "average and by the worst flip. Then the number of flips that cost nothing; that changed an image without an "
        "error; that cost all images; that ended the process that read, or made it hang.",
    )
