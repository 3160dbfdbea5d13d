from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.analysis.advice.weights import Use
from imgstore_tui.analysis.growth import LEAST_CUTOFFS
from imgstore_tui.bench.plan.grid import plan_blocks, plan_cells, shuffled_blocks
from imgstore_tui.bench.plan.plans import (
    SYSTEMS,
    changed_plan,
    check_plan,
    dump_plan,
    is_utf8,
    load_plan,
    missing_systems,
    named_plan,
    parse_plan,
)
from imgstore_tui.bench.plan.use_plans import USE_PLAN_NAMES
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.core.operations import Operation, SyncLevel
from imgstore_tui.core.text import safe_text
from imgstore_tui.plugins.registry import resolve_spec, sorted_backends


def test_quick_is_what_the_design_says() -> None:
    plan = named_plan("quick")
    assert [spec.label for spec in plan.specs] == ["disk", "lmdb", "hdf5"]
    assert plan.cutoffs == (10, 100, 1000)
    assert (plan.rounds, plan.budget_s, plan.looks) == (12, 60.0, True)
    assert plan.operations == (Operation.WRITE_MANY, Operation.READ_MANY, Operation.READ_RANDOM)


def test_a_plan_file_of_before_keeps_the_defaults_of_its_time() -> None:
    old, new = parse_plan('specs = ["disk", "lmdb"]'), parse_plan('specs = ["disk", "lmdb"]\nversion = 2')
    assert (old.cutoffs, old.rounds, old.looks, len(old.operations)) == ((1, 10, 100, 1000), 6, False, 5)
    quick = named_plan("quick")
    assert replace(new, name="quick", specs=quick.specs) == quick
    with pytest.raises(UsageError, match="version: this program knows plans of version 1 and 2, not 3"):
        parse_plan("version = 3")


@pytest.mark.parametrize("name", ["full", "article"])
def test_other_plans_keep_their_six_rounds(name: str) -> None:
    plan = named_plan(name)
    assert (plan.rounds, plan.looks, plan.version) == (6, False, 1)


def test_an_unknown_plan_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Did you mean 'quick'"):
        named_plan("quik")


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    plan = replace(
        named_plan("quick"),
        specs=(resolve_spec("disk+raw"), resolve_spec("lmdb:preset=article")),
        datasets=('folder:"/a \\"b\\"/ü,c",resize=8x8',),
        budget_s=None,
        sync=(SyncLevel.BUFFERED, SyncLevel.END),
        scratch="/tmp",
    )
    path = tmp_path / "plan.toml"
    path.write_text(dump_plan(plan), encoding="utf-8")
    assert load_plan(path) == plan


def test_whatever_is_in_a_path_is_spelled_harmlessly(tmp_path: Path) -> None:
    plan = replace(named_plan("quick"), datasets=("folder:/a\x7fb\x9b2Jc\u202ed\ue000\U000e0001\tü",), scratch="/\x85")
    text = dump_plan(plan)
    assert all(safe_text(line) == line for line in text.splitlines())
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    assert load_plan(path) == plan
    assert is_utf8(plan)
    assert not is_utf8(replace(plan, datasets=("folder:/\udcff",)))


def test_a_plan_file_without_an_end_is_refused() -> None:
    with pytest.raises(UsageError, match="/dev/zero: It is larger than any plan"):
        load_plan(Path("/dev/zero"))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("cutoff = [1]", "Did you mean 'cutoffs'"),
        ("cutoffs = 7", "cutoffs: expected a list"),
        ("rounds = 'six'", "rounds: expected int"),
        ("specs = ['lmdbb']", "Did you mean 'lmdb'"),
        ("specs = 3", "specs"),
        ("operations = ['read']", "operations"),
        ("= 3", "not TOML"),
        ("budget_s = 'soon'", "not a time"),
        (f"rounds = {10**400}", "too large"),
        (f"cutoffs = [{10**30}]", "too large"),
        ("budget_s = inf", "not finite"),
    ],
)
def test_a_plan_file_that_is_off_is_named_with_its_key(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        load_plan(path)
    assert word in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_plan_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load_plan(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"specs": ()}, "no storage method"),
        ({"datasets": ()}, "no dataset"),
        ({"cutoffs": (0,)}, "1 or more"),
        ({"rounds": 0}, "1 round"),
        ({"batch": 0}, "1 image"),
        ({"cutoffs": (5, 5)}, "'5' twice"),
        ({"workers": 0}, "1 to 64 workers"),
        ({"sync": (SyncLevel.FORCED,)}, "buffered, end or batch"),
    ],
)
def test_an_impossible_plan_is_refused_in_a_sentence(change: dict[str, object], word: str) -> None:
    with pytest.raises(ImgstoreError) as caught:
        check_plan(replace(named_plan("quick"), **change))  # type: ignore[arg-type]
    assert word in str(caught.value)


def test_write_one_has_one_cell_a_spec_whatever_the_cutoffs() -> None:
    plan = replace(named_plan("quick"), cutoffs=(10, 100), operations=tuple(Operation))
    cells = [cell for cell in plan_cells(plan) if cell.operation is Operation.WRITE_ONE]
    assert [(cell.spec, cell.cutoff) for cell in cells] == [("disk", 1), ("lmdb", 1), ("hdf5", 1)]
    assert not any(cell.cutoff == 1 for cell in plan_cells(plan) if cell.operation is not Operation.WRITE_ONE)


def test_writes_have_sync_levels_and_reads_have_cache_states() -> None:
    plan = replace(named_plan("quick"), sync=(SyncLevel.BUFFERED, SyncLevel.END))
    for cell in plan_cells(plan):
        assert (cell.sync is not None) == cell.operation.writes
        assert (cell.cache is not None) != cell.operation.writes
    assert len(plan_cells(plan)) == 3 * 3 * (2 + 2)


def test_rounds_are_shuffled_anew_but_repeatably() -> None:
    blocks = plan_blocks(named_plan("quick"))
    first, again, second = shuffled_blocks(blocks, 0, 0), shuffled_blocks(blocks, 0, 0), shuffled_blocks(blocks, 0, 1)
    assert first == again
    assert first != second
    assert first != list(blocks)
    assert sorted(map(repr, first)) == sorted(map(repr, blocks))


def test_a_number_that_no_journal_could_keep_is_refused_before_the_run() -> None:
    quick = named_plan("quick")
    for name, plan in (("seed", replace(quick, seed=2**70)), ("batch", replace(quick, batch=2**70))):
        with pytest.raises(UsageError, match=f"The {name} has too many digits"):
            check_plan(plan)


def test_the_plan_systems_has_the_article_s_systems_and_keeps_its_name() -> None:
    plan, missing = named_plan("systems"), missing_systems()
    assert len(SYSTEMS) == 11
    assert {spec.backend for spec in plan.specs} | set(missing) == set(SYSTEMS)
    assert not {spec.backend for spec in plan.specs} & set(missing)
    assert {"disk", "lmdb", "hdf5"} <= {spec.backend for spec in plan.specs}
    assert all(missing.values())
    assert changed_plan(plan, cutoffs=(1, 10)).name == "systems"
    assert changed_plan(plan, workers=2).name == "custom"


@pytest.mark.parametrize("name", USE_PLAN_NAMES)
def test_the_plan_of_a_use_measures_what_its_advice_weighs(name: str) -> None:
    plan = named_plan(name)
    for criterion in Use(name).weights:
        assert not criterion.operations or set(criterion.operations) & set(plan.operations), criterion
    assert len(plan.specs) >= 2
    assert len(plan.cutoffs) >= LEAST_CUTOFFS
    check_plan(plan)
    assert changed_plan(plan, cutoffs=(1, 10, 100), datasets=("synthetic,size=8",)).name == name
    assert changed_plan(plan, specs=plan.specs[:1]).name == "custom"
    listed = [backend.name for backend in sorted_backends()]
    assert [spec.backend for spec in plan.specs] == sorted((spec.backend for spec in plan.specs), key=listed.index)
    assert parse_plan(dump_plan(plan)) == plan


@pytest.mark.parametrize("name", USE_PLAN_NAMES)
def test_the_plan_of_a_use_keeps_the_files_of_a_folder_as_they_are(name: str, tmp_path: Path) -> None:
    plan = changed_plan(named_plan(name), datasets=(f"folder:{tmp_path}",))
    assert plan.name == name
    assert {spec.codec for spec in plan.specs if spec.label != "lmdb"} == {"original"}
    assert ("lmdb" in {spec.label for spec in plan.specs}) == (name == "training")
    assert changed_plan(plan, datasets=("synthetic",)) == named_plan(name)
    assert changed_plan(plan, datasets=(f"folder:{tmp_path},resize=8x8",)).specs == named_plan(name).specs
    own = changed_plan(named_plan(name), specs=plan.specs[:1], datasets=(f"folder:{tmp_path}",))
    assert (own.specs, own.name) == (plan.specs[:1], "custom")
    assert changed_plan(own, datasets=("synthetic",)).specs == plan.specs[:1]


def test_every_use_has_a_plan() -> None:
    assert set(USE_PLAN_NAMES) == set(Use)
