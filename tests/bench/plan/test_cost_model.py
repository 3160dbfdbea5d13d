"""Seconds are assumed, then learned: for the cell itself, else scaled from its nearest cutoff."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgstore_tui.bench.plan.cost_model import TRIAL_S, CostModel
from imgstore_tui.core.model import Cell
from imgstore_tui.core.operations import CacheState, Operation, SyncLevel

CELL = Cell("synthetic", "lmdb", Operation.READ_MANY, 100, CacheState.HOT, None)


def costs() -> CostModel:
    return CostModel({"synthetic": 3072.0, "photos": 1e6})


def test_more_and_larger_images_are_assumed_to_take_longer() -> None:
    assert TRIAL_S < costs().expect(CELL) < costs().expect(replace(CELL, cutoff=1000))
    assert costs().expect(CELL) < costs().expect(replace(CELL, dataset="photos"))


def test_labels_are_assumed_to_cost_next_to_nothing() -> None:
    labels = replace(CELL, operation=Operation.READ_LABELS, cutoff=10_000)
    assert costs().expect(labels) < costs().expect(CELL)


def test_a_change_is_assumed_to_build_its_store_first() -> None:
    written = replace(CELL, operation=Operation.WRITE_MANY, cache=None, sync=SyncLevel.BUFFERED, cutoff=1000)
    appended = replace(written, operation=Operation.APPEND)
    assert costs().expect(appended) > costs().expect(written)


def test_what_a_cell_took_is_expected_again() -> None:
    model = costs()
    model.learn(CELL, 3.0)
    assert model.expect(CELL) == 3.0
    model.learn(CELL, 1.0)
    assert model.expect(CELL) == 2.0


def test_another_cutoff_is_scaled_from_the_nearest() -> None:
    model, tenfold, hundredfold = costs(), replace(CELL, cutoff=1000), replace(CELL, cutoff=10_000)
    ratio = model.expect(hundredfold) / model.expect(tenfold)
    model.learn(CELL, 100.0)
    model.learn(tenfold, 7.0)
    assert model.expect(hundredfold) == pytest.approx(7.0 * ratio)


def test_nothing_is_learned_for_other_methods_operations_and_datasets() -> None:
    model = costs()
    others = [
        replace(CELL, spec="hdf5"), replace(CELL, operation=Operation.READ_RANDOM), replace(CELL, dataset="photos"),
    ]  # fmt: skip
    before = [model.expect(cell) for cell in others]
    model.learn(CELL, 1000.0)
    assert [model.expect(cell) for cell in others] == before
