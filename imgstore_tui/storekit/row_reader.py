"""Reads stores that keep one row an image: ids that ascend one by one by a range, others by one list, or one by one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias

from imgstore_tui.core.errors import StoreError
from imgstore_tui.core.manifest import IdSpan, image_bytes
from imgstore_tui.storekit.checked_reader import LiveIdsReader

if TYPE_CHECKING:
    from imgstore_tui.core.backend import Labels, Pixels
    from imgstore_tui.core.location import Location

Row: TypeAlias = tuple[int, int, bytes]
"""Id, label and bytes of an image."""


class RowReader(LiveIdsReader):
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

    def _read_into(self, ids: Sequence[int], span: IdSpan | None, out: Pixels, labels: Labels) -> None:
        """Copy one row an id straight into the caller's array."""
        size, at = image_bytes(self.content), 0
        pixels = out.data.cast("B")
        for position, (_, label, data) in enumerate(self._rows(ids, span)):
            if len(data) != size:
                raise StoreError(f"{self._location} is damaged: an image in it is not of {size} bytes.")
            pixels[at : at + size] = data
            labels[position] = label
            at += size

    def _read_payloads(self, ids: Sequence[int], span: IdSpan | None, labels: Labels) -> list[bytes]:
        """Return the bytes of one row an id."""
        payloads = []
        for position, (_, label, data) in enumerate(self._rows(ids, span)):
            labels[position] = label
            payloads.append(data)
        return payloads

    def _rows(self, ids: Sequence[int], span: IdSpan | None) -> Iterator[Row]:
        """Yield one row an id, in the order of the ids."""
        if not self._batch or len(ids) == 1:
            for number in ids:
                yield from self._exactly(1, self._row_of(int(number)))
        elif span is not None:
            yield from self._exactly(len(ids), self._rows_between(span[0], span[1] - 1))
        else:
            numbers = list({int(number) for number in ids})
            rows = {row[0]: row for row in self._exactly(len(numbers), self._rows_of(numbers))}
            yield from (rows[number] for number in ids)

    def _exactly(self, count: int, rows: Sequence[Row]) -> Sequence[Row]:
        if len(rows) != count:
            raise incomplete(self._location)
        return rows


def incomplete(location: Location) -> StoreError:
    """Build the error for a store in which rows are missing."""
    return StoreError(f"{location} is damaged: images are missing in it.")
