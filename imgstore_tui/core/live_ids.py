"""Which ids a store holds: all below the next one, but for those that were deleted; and what a change may ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import MAX_COUNT, check_ids, is_count, span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.content import Content, Labels

    Ids = NDArray[np.int64]

_NONE = np.zeros(0, np.int64)


class Roster:
    """The ids of a store. Those that were deleted stay free, so that the others keep theirs."""

    def __init__(self, next_id: int, gone: Ids | None = None) -> None:
        self.next_id = next_id
        """The id that the next new image gets: one above the highest there ever was."""
        self.gone: Ids = _NONE if gone is None else gone
        """Ids that were deleted, ascending."""

    @classmethod
    def of(cls, place: Path, content: Content, next_id: int, gone: Ids | None) -> Roster:
        """Build what a store says of itself.

        Raises:
            StoreError: If it makes no sense.
        """
        sound = (0 if gone is None else len(gone)) + content.count == next_id
        if sound and gone is not None and len(gone):
            sound = bool(gone[0] >= 0 and gone[-1] < next_id and (np.diff(gone) > 0).all())
        if not sound:
            raise StoreError(f"{place} is damaged: what it says of deleted images makes no sense.")
        return cls(next_id, gone)

    @property
    def count(self) -> int:
        """How many images are there."""
        return self.next_id - len(self.gone)

    def check(self, place: Path, ids: Sequence[int]) -> tuple[int, int] | None:
        """Check that all ids are there; return the first and the one after the last of one ascending run.

        Raises:
            StoreError: If one is not there.
        """
        run = check_ids(place, self.next_id, ids)
        if len(self.gone) and len(ids):
            asked = np.asarray(ids, np.int64)
            lost = asked[self._is_gone(asked)]
            if len(lost):
                raise StoreError(f"{place} holds no image {lost[0]} any more: it was deleted.")
        return run

    def _is_gone(self, ids: Ids) -> NDArray[np.bool_]:
        places = np.searchsorted(self.gone, ids)
        found: NDArray[np.bool_] = self.gone[np.minimum(places, len(self.gone) - 1)] == ids
        return found

    def rows(self, ids: Sequence[int]) -> list[int]:
        """Return the place of each id among those that are there; they have been checked."""
        asked = np.asarray(ids, np.int64)
        rows: list[int] = (asked - np.searchsorted(self.gone, asked)).tolist()
        return rows

    def last(self) -> int:
        """Return the highest id that is there; there must be one."""
        highest = self.next_id - 1
        for lost in reversed(self.gone.tolist()):
            if lost != highest:
                break
            highest -= 1
        return highest

    def first(self) -> int:
        """Return the lowest id that is there; there must be one."""
        lowest = 0
        for lost in self.gone.tolist():
            if lost != lowest:
                break
            lowest += 1
        return lowest

    def ids(self) -> Sequence[int]:
        """Return the ids that are there, ascending."""
        everything = range(self.next_id)
        return np.delete(np.asarray(everything), self.gone).tolist() if len(self.gone) else everything

    def there(self, values: Labels) -> Labels:
        """Return an owned copy of values, one an id there ever was, without those of ids that are gone."""
        return np.delete(values, self.gone) if len(self.gone) else values.astype(np.int64)

    def appends(self, place: Path, ids: Sequence[int]) -> bool:
        """Whether a batch adds images; if it does not, it puts others in the place of some that are there.

        Raises:
            StoreError: If it does neither: some ids are new and do not follow, are gone, or stand in it twice.
        """
        if ids[0] == self.next_id and span(ids) is not None:
            return True
        if min(ids) < 0 or max(ids) >= self.next_id:
            raise StoreError(
                f"New images of {place} must have the ids from {self.next_id} upwards, one after the other."
            )
        self.once(place, ids)
        return False

    def once(self, place: Path, ids: Sequence[int]) -> None:
        """Check that all ids are there, and each stands in the batch once.

        Raises:
            StoreError: If not.
        """
        self.check(place, ids)
        if len(set(ids)) != len(ids):
            raise StoreError(f"A batch that changes {place} must not name an image twice.")

    def grow(self, count: int) -> None:
        """Take note of so many images more."""
        self.next_id += count

    def strike(self, ids: Sequence[int]) -> None:
        """Take note that images are gone."""
        self.gone = np.union1d(self.gone, np.asarray(ids, np.int64))


def next_id_in(found: Mapping[str, Any], content: Content, place: Path) -> int:
    """Return the next id that a manifest names; where it names none, nothing was ever deleted.

    Raises:
        StoreError: If it makes no sense.
    """
    next_id = found.get("next", content.count)
    if not is_count(next_id) or not content.count <= next_id <= MAX_COUNT:
        raise StoreError(f"{place} is damaged: what it says of its content makes no sense.")
    return next_id
