"""What is chosen, without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import changed_plan, named_plan
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.operations import Operation
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.tui.forms.choice import DECADES, Choice, dataset_text, first_plan


@pytest.fixture
def choice() -> Choice:
    return Choice.of(named_plan("quick"))


def test_a_plan_comes_back_as_it_went_in(choice: Choice) -> None:
    assert choice.plan == named_plan("quick")
    assert choice.check() == named_plan("quick")


def test_the_first_plan_is_quick() -> None:
    assert first_plan().name == "quick"


def test_a_changed_plan_is_quick_no_more(choice: Choice) -> None:
    assert choice.with_cutoff_toggled(1000).plan.name == "custom"
    assert choice.with_cutoff_toggled(1000).with_cutoff_toggled(1000).plan.name == "quick"


def test_specs_keep_the_order_in_which_they_are_listed(choice: Choice) -> None:
    changed = choice.with_spec_toggled("disk").with_spec_added("lmdb+png").with_spec_toggled("disk")
    assert [spec.label for spec in changed.plan.specs] == ["disk", "lmdb", "hdf5", "lmdb+png"]


def test_a_spec_added_twice_is_there_once(choice: Choice) -> None:
    twice = choice.with_spec_added("lmdb+png").with_spec_added("lmdb+png")
    assert [spec.label for spec in twice.offered].count("lmdb+png") == 1


@pytest.mark.parametrize("text", ["lmbd", "lmdb+pgn", "lmdb:colour=red", "", "[/foo]", "lmdb:preset=mine"])
def test_a_spec_that_means_nothing_is_refused(choice: Choice, text: str) -> None:
    with pytest.raises(UsageError):
        choice.with_spec_added(text)


def test_own_numbers_of_images_take_their_place(choice: Choice) -> None:
    changed = choice.with_cutoffs_added("500,2k")
    assert changed.cutoffs_offered == (1, 10, 100, 500, 1000, 2000, 10_000, 100_000)
    assert changed.plan.cutoffs == (10, 100, 500, 1000, 2000)


def test_all_and_none(choice: Choice) -> None:
    assert choice.with_all_cutoffs(True).plan.cutoffs == DECADES
    assert choice.with_all_operations(True).plan.operations == tuple(Operation)
    nothing = choice.with_all_specs(False).with_all_cutoffs(False).with_all_operations(False)
    with pytest.raises(UsageError, match="Choose at least one"):
        nothing.check()


@pytest.mark.parametrize(
    ("name", "text"),
    [("rounds", "0"), ("rounds", "many"), ("rounds", ""), ("budget", "soon"), ("dataset", "nonsense"), ("dataset", "")],
)
def test_a_field_that_means_nothing_is_a_problem_and_no_plan(choice: Choice, name: str, text: str) -> None:
    changed = choice.with_field(name, text)
    assert changed.problem(name)
    with pytest.raises(ImgstoreError):
        changed.check()
    assert not changed.with_field(name, {"rounds": "3", "budget": "2m", "dataset": "synthetic"}[name]).problem(name)


def test_fields_change_the_plan(choice: Choice) -> None:
    plan = (
        choice.with_field("rounds", "9").with_field("budget", "1m30s").with_field("dataset", "synthetic,size=64").plan
    )
    assert (plan.rounds, plan.budget_s, plan.datasets) == (9, 90.0, ("synthetic,size=64",))
    assert choice.with_field("budget", "").plan.budget_s is None
    assert choice.with_field("budget", "none").plan.budget_s is None


def test_a_bare_path_is_a_folder(choice: Choice, tmp_path: Path) -> None:
    assert choice.with_field("dataset", str(tmp_path)).plan.datasets == (f"folder:{tmp_path}",)
    assert dataset_text("/a,b") == 'folder:"/a,b"'
    assert choice.with_field("dataset", str(tmp_path / "missing")).problem("dataset")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("dataset", f"/{'a' * 5000}"),
        ("dataset", "folder:~nobody-at-all/x"),
        ("rounds", "9" * 5000),
        ("budget", "9" * 400),
    ],
)
def test_what_is_longer_than_it_can_be_is_a_problem(choice: Choice, name: str, text: str) -> None:
    changed = choice.with_field(name, text)
    assert changed.problem(name)
    assert changed.plan == choice.plan


def test_a_spec_is_edited_in_its_place_or_beside_it(choice: Choice) -> None:
    article = resolve_spec("lmdb:preset=article")
    changed = choice.with_spec_edited("lmdb", article, another=False)
    assert [spec.label for spec in changed.plan.specs] == ["disk", "lmdb:preset=article", "hdf5"]
    both = choice.with_spec_edited("lmdb", article, another=True)
    assert [spec.label for spec in both.plan.specs] == ["disk", "lmdb", "lmdb:preset=article", "hdf5"]
    merged = both.with_spec_edited("lmdb", article, another=False)
    assert [spec.label for spec in merged.plan.specs] == ["disk", "lmdb:preset=article", "hdf5"]
    assert choice.with_spec_edited("lmdb", choice.offered[1], another=False) == choice


def test_what_was_added_can_be_removed_and_a_backend_never_vanishes(choice: Choice) -> None:
    article = resolve_spec("lmdb:preset=article")
    both = choice.with_spec_edited("lmdb", article, another=True)
    assert both.with_spec_removed(article.label).offered == choice.offered
    alone = choice.with_spec_edited("lmdb", article, another=False).with_spec_removed(article.label)
    assert alone.offered == choice.offered
    assert alone.ticked == choice.ticked - {"lmdb"}
    with pytest.raises(UsageError, match="Clear it"):
        choice.with_spec_removed("lmdb")


def test_the_plan_of_a_use_keeps_the_files_of_a_folder_that_is_named_after_it_was_chosen(tmp_path: Path) -> None:
    training = Choice.of(named_plan("training"))
    by_field = training.with_field("dataset", str(tmp_path))
    by_form = training.with_datasets((f"folder:{tmp_path}",))
    for choice in (by_field, by_form):
        assert choice.plan == changed_plan(named_plan("training"), datasets=(f"folder:{tmp_path}",))
        assert choice.plan.name == "training"
        assert "lmdb+original" in choice.ticked
        assert choice.with_field("dataset", "synthetic").plan == named_plan("training")
    own = training.with_all_specs(on=False).with_spec_toggled("lmdb").with_field("dataset", str(tmp_path))
    assert [spec.label for spec in own.plan.specs] == ["lmdb"]
