"""The plan ``article``, and plans with several datasets of which some stop at fewer images."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.grid import cutoffs_of, images_needed, plan_cells
from imgstore_tui.bench.plan.plans import LARGER_IMAGES, changed_plan, check_plan, dump_plan, load_plan, named_plan
from imgstore_tui.bench.results.journal import read_journal
from imgstore_tui.bench.run.preflight import DataSize, check_space, space_needed
from imgstore_tui.bench.run.runner import run_plan
from imgstore_tui.bench.system.app_folders import runs_folder
from imgstore_tui.core.errors import UnavailableError, UsageError
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.plugins import registry
from imgstore_tui.testing.fake_executor import FakeExecutor

SIZES = ("synthetic,size=8", "synthetic,size=16,upto=10")


def two_sizes(**changes: object) -> Plan:
    plan = Plan(
        datasets=SIZES,
        specs=tuple(registry.resolve_spec(spec) for spec in ("disk", "lmdb:preset=article")),
        cutoffs=(1, 10, 100),
        operations=(Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_MANY),
        rounds=1,
        probes=True,
    )
    return replace(plan, **changes)  # type: ignore[arg-type]


def test_the_article_plan_is_the_articles() -> None:
    plan = named_plan("article")
    check_plan(plan)
    assert [spec.label for spec in plan.specs] == [f"{name}:preset=article" for name in ("disk", "lmdb", "hdf5")]
    assert plan.cutoffs == (1, 10, 100, 1000, 10_000, 100_000)
    assert set(plan.operations) == {Operation.WRITE_ONE, Operation.WRITE_MANY, Operation.READ_ONE, Operation.READ_MANY}
    assert (plan.sync, plan.rounds, plan.budget_s) == ((SyncLevel.BUFFERED, SyncLevel.END), 6, None)


def test_no_store_of_larger_images_holds_more_pixels_than_the_largest_of_the_article() -> None:
    plan = named_plan("article")
    largest = 100_000 * 32 * 32 * 3
    for dataset, size in zip(LARGER_IMAGES, (256, 512), strict=True):
        assert images_needed(plan, dataset) * size * size * 3 <= largest
        assert images_needed(plan, dataset) >= 100


def test_the_name_stays_while_the_experiment_does() -> None:
    plan = named_plan("article")
    named = changed_plan(plan, datasets=("cifar10:/data",), cutoffs=(1, 10), rounds=2, scratch="/x", budget_s=9.0)
    assert (named.name, named.datasets) == ("article", ("cifar10:/data", *LARGER_IMAGES))
    assert changed_plan(plan, datasets=("cifar10:/data", "synthetic")).datasets == ("cifar10:/data", "synthetic")
    assert changed_plan(plan, workers=2).name == "custom"
    assert changed_plan(plan, cutoffs=(1,), sync=(SyncLevel.END,)).name == "custom"
    assert changed_plan(named_plan("quick"), cutoffs=(1,)).name == "custom"
    assert changed_plan(named_plan("quick")).name == "quick"


def test_a_plan_with_sizes_survives_its_file(tmp_path: Path) -> None:
    plan = changed_plan(named_plan("article"), cutoffs=(1, 10))
    path = tmp_path / "plan.toml"
    path.write_text(dump_plan(plan), encoding="utf-8")
    assert load_plan(path) == plan


def test_upto_bounds_the_cutoffs_of_its_dataset() -> None:
    plan = two_sizes()
    assert [cutoffs_of(plan, text) for text in plan.datasets] == [(1, 10, 100), (1, 10)]
    cells = plan_cells(plan)
    assert {cell.cutoff for cell in cells if cell.dataset == SIZES[1]} == {1, 10}
    assert {cell.cutoff for cell in cells if cell.dataset == SIZES[0]} == {1, 10, 100}
    beyond = two_sizes(cutoffs=(100,))
    assert {(cell.operation, cell.cutoff) for cell in plan_cells(beyond) if cell.dataset == SIZES[1]} == {
        (Operation.WRITE_ONE, 1)
    }


def test_a_plan_that_upto_leaves_empty_is_refused() -> None:
    with pytest.raises(UsageError, match="the option upto of its datasets leaves no cutoff"):
        check_plan(two_sizes(datasets=SIZES[1:], cutoffs=(100,), operations=(Operation.READ_MANY,)))
    with pytest.raises(UsageError, match="'upto' of dataset synthetic takes a whole number"):
        registry.make_dataset("synthetic,upto=0")


def test_space_is_asked_for_by_what_each_dataset_runs_to(tmp_path: Path) -> None:
    plan = changed_plan(named_plan("article"), rounds=1)
    datasets = {text: registry.make_dataset(text) for text in (*plan.datasets, "synthetic,size=2048")}
    for dataset in datasets.values():
        dataset.scan()
    sizes = {text: DataSize.of(dataset) for text, dataset in datasets.items()}
    whole = sizes.popitem()
    check_space(space_needed(plan, sizes), tmp_path)
    with pytest.raises(UnavailableError, match="The stores need about"):
        check_space(space_needed(replace(plan, datasets=whole[:1]), dict([whole])), tmp_path)


def test_a_run_of_two_sizes_measures_each_to_its_end_and_says_so() -> None:
    run = run_plan(two_sizes(), executor=FakeExecutor())
    assert set(plan_cells(run.plan)) == {trial.cell for trial in run.measurements}
    assert [facts.used for facts in run.datasets] == [100, 10]
    assert not any(facts.repeated for facts in run.datasets)
    assert any("synthetic,size=16,upto=10 is run with up to 10 images" in text for text in run.warnings)


def test_probes_are_asked_of_the_backends_that_have_one_and_kept() -> None:
    run = run_plan(two_sizes(cutoffs=(1, 10)))
    (probe,) = run.probes
    assert (probe.spec, probe.dataset, probe.images, probe.reason) == ("lmdb:preset=article", SIZES[0], 10, None)
    assert probe.values["length_bytes"]
    assert read_journal(runs_folder() / f"{run.id}.jsonl") == run
    assert list(Path.cwd().iterdir()) == []
