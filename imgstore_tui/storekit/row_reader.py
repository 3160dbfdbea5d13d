"""Reads stores that keep one row an image: ids that ascend one by one by a range, others by one list, or one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from imgstore_tui.core.errors import StoreError
from imgstore_tui.storekit.payload_reader import Image, PayloadReader

if TYPE_CHECKING:
    from imgstore_tui.core.location import Location
    from imgstore_tui.core.manifest import IdSpan

Row: TypeAlias = tuple[int, int, bytes]
"""Id, label and bytes of an image."""


class RowReader(PayloadReader):
    """Puts rows into the order of the ids; a subclass asks for them."""

    _batch: bool
    """Whether a batch is asked for by one request."""

    @abstractmethod
    def _rows_between(self, first: int, last: int) -> Sequence[Row]:
        """Return the rows of the ids from ``first`` to ``last``, ascending; one request."""

    @abstractmethod
    def _rows_of(self, ids: Sequence[int]) -> Sequence[Row]:
        """Return the rows of some ids, each once, in any order; one request, or a few for long lists."""

    @abstractmethod
    def _row_of(self, number: int) -> Sequence[Row]:
        """Return the row of one id, nothing where it is missing; one request."""

    def _images(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[Image]:
        """Yield one image an id, in the order of the ids."""
        if not self._batch or len(ids) == 1:
            for position, number in enumerate(ids):
                for _, label, data in self._exactly(1, self._row_of(int(number))):
                    yield position, label, data
        elif span is not None:
            rows = self._exactly(len(ids), self._rows_between(span[0], span[1] - 1))
            for position, (_, label, data) in enumerate(rows):
                yield position, label, data
        else:
            numbers = list({int(number) for number in ids})
            by_id = {row[0]: row for row in self._exactly(len(numbers), self._rows_of(numbers))}
            for position, number in enumerate(ids):
                yield position, *by_id[number][1:]

    def _exactly(self, count: int, rows: Sequence[Row]) -> Sequence[Row]:
        if len(rows) != count:
            raise incomplete(self._location)
        return rows


def incomplete(location: Location) -> StoreError:
    """Build the error for a store in which rows are missing."""
    return StoreError(f"{location} is damaged: images are missing in it.")
