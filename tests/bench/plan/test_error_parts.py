"""The error of a headline is divided among the contests before there is a result; it is spent once."""

from __future__ import annotations

import pytest

from imgstore_tui.bench.plan.error_parts import error_parts
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel

READS = (Operation.READ_MANY, Operation.READ_RANDOM)


def contest(operation: Operation, cutoff: int, dataset: str = "synthetic", cache: CacheState = CacheState.HOT) -> Cell:
    levels = (None, SyncLevel.BUFFERED) if operation.writes else (cache, None)
    return Cell(dataset, "", operation, cutoff, *levels)


def quick(dataset: str = "synthetic") -> list[Cell]:
    return [contest(operation, n, dataset) for operation in (Operation.WRITE_MANY, *READS) for n in (10, 100, 1000)]


def test_the_operation_that_decides_has_half_of_the_error() -> None:
    parts = error_parts(quick())
    assert parts.pop(contest(Operation.READ_RANDOM, 1000)) == 0.5
    assert set(parts.values()) == {0.5 / 8}


def test_each_dataset_and_each_cache_state_has_one_that_decides() -> None:
    cells = [*quick("a"), *quick("b"), contest(Operation.READ_RANDOM, 1000, "b", CacheState.COLD)]
    parts = error_parts(cells)
    deciding = {cell for cell, part in parts.items() if part == pytest.approx(0.5 / 3)}
    assert {(cell.dataset, cell.operation, cell.cutoff, cell.cache) for cell in deciding} == {
        ("a", Operation.READ_RANDOM, 1000, CacheState.HOT),
        ("b", Operation.READ_RANDOM, 1000, CacheState.HOT),
        ("b", Operation.READ_RANDOM, 1000, CacheState.COLD),
    }


@pytest.mark.parametrize(
    "cells",
    [
        quick(),
        [*quick("a"), *quick("b")],
        [contest(Operation.WRITE_MANY, n) for n in (1, 10)],
        [contest(Operation.READ_ONE, 10)],
        [contest(Operation.READ_ONE, 10), contest(Operation.READ_LABELS, 10)],
    ],
)
def test_the_parts_add_up_to_one(cells: list[Cell]) -> None:
    parts = error_parts(cells)
    assert parts.keys() == set(cells)
    assert sum(parts.values()) == pytest.approx(1.0)
    assert error_parts(reversed(cells)) == parts, "in whichever order"


def test_where_none_decides_or_all_do_the_parts_are_equal() -> None:
    assert set(error_parts([contest(Operation.WRITE_MANY, n) for n in (1, 10, 100)]).values()) == {1 / 3}
    assert error_parts([contest(Operation.GET_ONE, 10)]) == {contest(Operation.GET_ONE, 10): 1.0}
    assert error_parts([]) == {}
