"""A plan spans its cells; those that share a store form blocks, which each round shuffles."""

from __future__ import annotations

from dataclasses import replace

from imgstore_tui.bench.plan.grid import (
    IN_PLACE_OPERATIONS,
    cutoffs_of,
    datasets_with_files,
    images_needed,
    plan_blocks,
    plan_cells,
    reads_in_place,
    shuffled_blocks,
)
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import SYNC_LEVELS, CacheState, Operation, Payload, SyncLevel
from imgstore_tui.core.spec import IN_PLACE
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.testing.fake_runs import fake_run

PLAN = Plan(
    specs=(resolve_spec("lmdb"), resolve_spec("disk")), cutoffs=(10, 100),
    operations=(Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_LABELS),
)  # fmt: skip
PHOTOS = "folder:photos,upto=50"


def test_one_image_is_written_in_a_block_of_its_own() -> None:
    sizes = [(block.spec.label, block.cutoff, [cell.operation for cell in block.cells]) for block in plan_blocks(PLAN)]
    many = [Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_LABELS]
    assert sizes == [
        (spec, cutoff, [Operation.WRITE_ONE] if cutoff == 1 else many)
        for spec in ("lmdb", "disk")
        for cutoff in (1, 10, 100)
    ]


def test_the_block_of_one_image_is_not_made_twice() -> None:
    blocks = plan_blocks(replace(PLAN, cutoffs=(1, 10)))
    assert [block.cutoff for block in blocks] == [1, 10, 1, 10]
    assert {cell.operation for cell in blocks[0].cells} == set(PLAN.operations)


def test_writes_have_sync_levels_and_reads_cache_states() -> None:
    plan = replace(
        PLAN, sync=(SyncLevel.BUFFERED, SyncLevel.END), cache=(CacheState.HOT, CacheState.COLD), cutoffs=(10,),
        operations=(Operation.WRITE_MANY, Operation.READ_MANY), specs=PLAN.specs[:1],
    )  # fmt: skip
    assert [(cell.operation, cell.cache, cell.sync) for cell in plan_cells(plan)] == [
        (Operation.WRITE_MANY, None, SyncLevel.BUFFERED), (Operation.WRITE_MANY, None, SyncLevel.END),
        (Operation.READ_MANY, CacheState.HOT, None), (Operation.READ_MANY, CacheState.COLD, None),
    ]  # fmt: skip


def test_a_dataset_can_leave_larger_cutoffs_out() -> None:
    assert cutoffs_of(PLAN, PHOTOS) == (10,)
    assert (images_needed(PLAN, PHOTOS), images_needed(PLAN, "synthetic")) == (10, 100)
    assert images_needed(PLAN, "synthetic,upto=1") == 1


def test_files_are_the_first_method_of_their_dataset() -> None:
    plan = replace(PLAN, datasets=(PHOTOS, "synthetic"))
    blocks = plan_blocks(plan, [PHOTOS])
    assert next(block.spec for block in blocks if block.dataset == PHOTOS and block.cutoff == 10) == IN_PLACE
    assert all(block.spec != IN_PLACE for block in blocks if block.dataset == "synthetic")
    in_place = [cell.operation for block in blocks if block.spec == IN_PLACE for cell in block.cells]
    assert in_place == [Operation.READ_MANY]
    assert set(in_place) <= set(IN_PLACE_OPERATIONS)


def test_files_take_no_part_where_pixels_are_asked_for_or_the_user_declines() -> None:
    assert reads_in_place(PLAN)
    for plan in (replace(PLAN, baseline=False), replace(PLAN, payload=Payload.RAW)):
        assert not reads_in_place(plan)
        assert all(block.spec != IN_PLACE for block in plan_blocks(replace(plan, datasets=(PHOTOS,)), [PHOTOS]))


def test_datasets_have_files_if_their_facts_count_them() -> None:
    facts = fake_run().datasets[0]
    assert datasets_with_files([facts, replace(facts, text=PHOTOS, original_bytes=1)]) == {PHOTOS}


def test_each_round_has_its_own_order_and_the_seed_repeats_it() -> None:
    blocks = plan_blocks(PLAN)
    orders = [shuffled_blocks(blocks, seed, number) for seed in (0, 1) for number in range(4)]
    assert all(sorted(map(blocks.index, order)) == list(range(len(blocks))) for order in orders)
    assert len({tuple(map(blocks.index, order)) for order in orders}) > 4
    assert shuffled_blocks(blocks, 1, 3) == orders[-1]


def test_a_library_that_forces_by_itself_has_a_level_of_its_own() -> None:
    specs = tuple(resolve_spec(name, require_available=False) for name in ("lmdb", "rocksdb"))
    cells = plan_cells(replace(PLAN, specs=specs, operations=(Operation.WRITE_MANY,), sync=SYNC_LEVELS))
    levels = {
        backend: {cell.sync for cell in cells if cell.spec.startswith(backend)} for backend in ("lmdb", "rocksdb")
    }
    assert levels["lmdb"] == {SyncLevel.BUFFERED, SyncLevel.END, SyncLevel.BATCH}
    assert levels["rocksdb"] == {SyncLevel.FORCED, SyncLevel.END, SyncLevel.BATCH}
    buffered, forced = (next(c for c in cells if c.sync is level) for level in (SyncLevel.BUFFERED, SyncLevel.FORCED))
    assert buffered.contest != forced.contest, "they are never ranked against each other"
