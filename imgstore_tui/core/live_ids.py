"""The set of live ids in a store, and the validation of edits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import MAX_COUNT, IdSpan, check_ids, is_count, span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imgstore_tui.core.content import Content, Labels
    from imgstore_tui.core.location import Location

    Ids = NDArray[np.int64]

_NONE = np.zeros(0, np.int64)


class LiveIds:
    """The ids in a store: all below ``next_id`` but those deleted, which are never given to another image."""

    def __init__(self, next_id: int, deleted: Ids | None = None) -> None:
        self.next_id = next_id
        """The id of the next new image: one above the highest ever used."""
        self.deleted: Ids = _NONE if deleted is None else deleted
        """Ids of deleted images, int64 array (n,), ascending."""

    @classmethod
    def of(cls, location: Location, content: Content, next_id: int, deleted: Ids | None) -> LiveIds:
        """Return the ids as a store records them.

        Args:
            location: The store, for messages.
            content: The content of the store.
            next_id: The next id that it records.
            deleted: The deleted ids that it records, int64 array (n,); None for none.

        Raises:
            StoreError: If the records contradict each other.
        """
        valid = (0 if deleted is None else len(deleted)) + content.count == next_id
        if valid and deleted is not None and len(deleted):
            valid = bool(deleted[0] >= 0 and deleted[-1] < next_id and (np.diff(deleted) > 0).all())
        if not valid:
            raise StoreError(f"{location} is damaged: what it says of deleted images makes no sense.")
        return cls(next_id, deleted)

    @property
    def count(self) -> int:
        """Number of images in the store."""
        return self.next_id - len(self.deleted)

    def check(self, location: Location, ids: Sequence[int]) -> IdSpan | None:
        """Check that the store holds every id.

        Returns:
            The span of the ids if they ascend one by one, else None.

        Raises:
            StoreError: If an id is missing.
        """
        id_span = check_ids(location, self.next_id, ids)
        if len(self.deleted) and len(ids):
            requested = np.asarray(ids, np.int64)
            missing = requested[self._is_deleted(requested)]
            if len(missing):
                raise StoreError(f"{location} holds no image {missing[0]} any more: it was deleted.")
        return id_span

    def _is_deleted(self, ids: Ids) -> NDArray[np.bool_]:
        positions = np.searchsorted(self.deleted, ids)
        is_deleted: NDArray[np.bool_] = self.deleted[np.minimum(positions, len(self.deleted) - 1)] == ids
        return is_deleted

    def rows(self, ids: Sequence[int]) -> list[int]:
        """Return the position of each id among the live ones; the ids have been checked."""
        requested = np.asarray(ids, np.int64)
        rows: list[int] = (requested - np.searchsorted(self.deleted, requested)).tolist()
        return rows

    def last(self) -> int:
        """Return the highest live id; there must be one."""
        highest = self.next_id - 1
        for deleted in reversed(self.deleted.tolist()):
            if deleted != highest:
                break
            highest -= 1
        return highest

    def first(self) -> int:
        """Return the lowest live id; there must be one."""
        lowest = 0
        for deleted in self.deleted.tolist():
            if deleted != lowest:
                break
            lowest += 1
        return lowest

    def ids(self) -> Sequence[int]:
        """Return the live ids, ascending."""
        all_ids = range(self.next_id)
        return np.delete(np.asarray(all_ids), self.deleted).tolist() if len(self.deleted) else all_ids

    def without_deleted(self, values: Labels) -> Labels:
        """Return an owned int64 copy of ``values``, one per id ever used, without those of deleted ids."""
        return np.delete(values, self.deleted) if len(self.deleted) else values.astype(np.int64)

    def is_append(self, location: Location, ids: Sequence[int]) -> bool:
        """Tell whether a batch adds images (True) or replaces live ones (False).

        Raises:
            StoreError: If it does neither: new ids do not follow ``next_id``, an id is deleted or stands in it twice.
        """
        if ids[0] == self.next_id and span(ids) is not None:
            return True
        if min(ids) < 0 or max(ids) >= self.next_id:
            raise StoreError(
                f"New images of {location} must have the ids from {self.next_id} upwards, one after the other."
            )
        self.check_each_once(location, ids)
        return False

    def check_each_once(self, location: Location, ids: Sequence[int]) -> None:
        """Check that every id is live and stands in the batch once.

        Raises:
            StoreError: If not.
        """
        self.check(location, ids)
        if len(set(ids)) != len(ids):
            raise StoreError(f"A batch that changes {location} must not name an image twice.")

    def grow(self, count: int) -> None:
        """Record that ``count`` images were added."""
        self.next_id += count

    def delete(self, ids: Sequence[int]) -> None:
        """Record that images were deleted."""
        self.deleted = np.union1d(self.deleted, np.asarray(ids, np.int64))


def next_id_in(manifest: Mapping[str, Any], content: Content, location: Location) -> int:
    """Return the next id that a manifest records; without a record, no image was ever deleted.

    Raises:
        StoreError: If it is impossible.
    """
    next_id = manifest.get("next", content.count)
    if not is_count(next_id) or not content.count <= next_id <= MAX_COUNT:
        raise StoreError(f"{location} is damaged: what it says of its content makes no sense.")
    return next_id
