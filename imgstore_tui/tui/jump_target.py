"""Names the charts and tables that a user can go to, and filters them by words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imgstore_tui.tui.panes import PaneName


@dataclass(frozen=True, slots=True)
class JumpTarget:
    """A chart or table that a pane can show."""

    pane: PaneName
    title: str
    place: tuple[int, ...]
    """Where it is in its pane: number of the table; or numbers of kind, level and dataset of the chart."""

    @property
    def text(self) -> str:
        """What is listed and filtered."""
        return f"{self.pane:<6} {self.title}"


def matching(targets: Sequence[JumpTarget], query: str) -> list[JumpTarget]:
    """Return the targets whose text has every word of a query, upper or lower case."""
    words = query.lower().split()
    return [target for target in targets if all(word in target.text.lower() for word in words)]
