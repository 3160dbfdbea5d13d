"""The last choice, from one start to the next; and the plans that a key steps through."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import PLAN_NAMES, named_plan
from imgstore_tui.bench.system.app_folders import last_choice_file
from imgstore_tui.core.errors import ImgstoreError
from imgstore_tui.core.operations import CacheState, SyncLevel
from imgstore_tui.jobs.plans import save_plan, saved_plans
from imgstore_tui.plugins import registry
from imgstore_tui.plugins.registry import resolve_spec
from imgstore_tui.tui.forms.choice import Choice, PlanCycle
from imgstore_tui.tui.forms.last_choice import load_choice, save_choice
from tests.support.screen import NARROW, WIDE, driven

QUICK = Choice.of(named_plan("quick"))


def test_the_first_start_has_nothing_to_recall() -> None:
    assert load_choice() == (None, "")


def test_a_choice_comes_back_as_it_was() -> None:
    choice = (
        QUICK.with_spec_added("lmdb+png")
        .with_spec_toggled("hdf5")
        .with_spec_edited("disk", resolve_spec("disk:preset=article"), another=True)
        .with_cutoffs_added("500")
        .with_cutoff_toggled(500)
        .with_conditions({"cache": (CacheState.HOT, CacheState.COLD), "sync": (SyncLevel.END,), "seed": 7})
    )
    save_choice(choice)
    again, note = load_choice()
    assert note == ""
    assert again is not None
    assert again.plan == choice.plan
    assert (again.ticked, again.cutoffs_offered) == (choice.ticked, choice.cutoffs_offered)
    assert {spec.label for spec in again.offered} == {spec.label for spec in choice.offered}


def test_a_name_lasts_as_long_as_it_is_true() -> None:
    save_choice(QUICK)
    again, _ = load_choice()
    assert again is not None
    assert again.plan.name == "quick"
    save_choice(QUICK.with_cutoff_toggled(10))
    again, _ = load_choice()
    assert again is not None
    assert again.plan.name == "custom"


def test_paths_mean_the_same_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a,b").mkdir()
    monkeypatch.chdir(tmp_path)
    save_choice(QUICK.with_rest(datasets=('folder:"a,b",seed=3', "synthetic,size=64"), scratch="."))
    monkeypatch.chdir("/")
    again, _ = load_choice()
    assert again is not None
    assert again.plan.datasets == (f'folder:"{tmp_path}/a,b",seed=3', "synthetic,size=64")
    assert again.plan.scratch == str(tmp_path)


def test_data_that_is_gone_is_a_problem_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    save_choice(QUICK.with_rest(datasets=(f"folder:{tmp_path}/x",)))
    (tmp_path / "x").rmdir()
    again, _ = load_choice()
    assert again is not None
    assert "There is no" in again.problem("dataset")


def test_what_is_not_installed_any_more_takes_nothing_else_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    save_choice(QUICK)
    monkeypatch.setattr(registry.backends.get("hdf5"), "requires", ("no_such_module",))
    again, note = load_choice()
    assert again is not None
    assert [spec.label for spec in again.plan.specs] == ["disk", "lmdb"]
    assert "hdf5" in note
    assert again.plan.name == "custom"


@pytest.mark.sample_first
@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"\x00[red]",
        b"[]",
        b"{}",
        b'{"kind": "imgstore-tui choice", "version": 2}',
        b'{"kind": "imgstore-tui choice", "version": 1}',
        b'{"kind": "imgstore-tui choice", "version": 1, "plan": 7, "ticked": [], "offered": [], "cutoffs_offered": []}',
        b'{"kind": "imgstore-tui choice", "version": 1, "plan": "", "ticked": 7, "offered": [], "cutoffs_offered": []}',
        b'{"kind": "imgstore-tui choice", "version": 1, "plan": "", "ticked": [], "offered": [], '
        b'"cutoffs_offered": [1e999]}',
        b"[" * 100_000,
        b" " * (2 << 20),
    ],
)
async def test_a_broken_or_foreign_file_is_left_aside_with_a_log_line(words: bytes) -> None:
    last_choice_file().parent.mkdir(parents=True, exist_ok=True)
    last_choice_file().write_bytes(words)
    async with driven() as app:
        assert app.workbench.choice.plan == named_plan("quick")
        assert any("was left aside" in line for line in app.workbench.panes.log_lines.lines)
        assert "\x00" not in "".join(app.workbench.panes.log_lines.lines)


async def test_the_choice_is_kept_when_a_run_starts_and_taken_up_by_the_next() -> None:
    async with driven() as app:
        await app.press("space")
        await app.run()
    assert json.loads(last_choice_file().read_text())["ticked"] == ["lmdb", "hdf5"]
    async with driven() as app:
        assert "[ ]   disk" in app.picture
    async with driven(plan=named_plan("quick")) as app:
        assert "[x] o disk" in app.picture, "what the command line says wins"


async def test_a_choice_that_cannot_be_kept_is_said_and_the_run_goes_on(own_home: Path) -> None:
    last_choice_file().mkdir()
    with pytest.raises(ImgstoreError):
        save_choice(QUICK)
    async with driven() as app:
        await app.run()
        assert any("last-choice.json" in line for line in app.workbench.panes.log_lines.lines)
        assert "finished" in app.picture


def test_nothing_half_written_is_ever_left(monkeypatch: pytest.MonkeyPatch) -> None:
    save_choice(QUICK)
    before = last_choice_file().read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ImgstoreError, match="No space left"):
        save_choice(QUICK.with_cutoff_toggled(1))
    assert last_choice_file().read_bytes() == before
    assert [path.name for path in last_choice_file().parent.iterdir()] == [last_choice_file().name]


def test_the_ring_passes_a_broken_plan() -> None:
    for name in ("a", "b"):
        save_plan(replace(named_plan("quick"), rounds=9), name)
    saved_plans()["a"].write_text("[red")
    ring = PlanCycle()
    assert [ring.after(name).name for name in ("quick", "article", "custom")] == ["article", "full", "quick"]
    with pytest.raises(ImgstoreError, match=r"a\.toml"):
        ring.after(PLAN_NAMES[-1])
    assert ring.after(PLAN_NAMES[-1]).name == "b"
    assert ring.after("b").name == "quick"


@pytest.mark.parametrize("size", [NARROW, WIDE])
@pytest.mark.sample_first
async def test_a_saved_plan_is_stepped_to_and_a_broken_one_is_said_in_place(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.press("space", "w")
        await app.write("mine")
        await app.press("enter")
        assert "plan mine" in app.picture
        await app.press("p")
        assert "plan quick" in app.picture
        saved_plans()["mine"].write_text("[red")
        await app.press(*"p" * len(PLAN_NAMES))
        assert "mine.toml" in app.picture
        await app.press("p")
        assert "plan quick" in app.picture


@pytest.mark.full
async def test_a_plan_is_replaced_only_when_asked_twice() -> None:
    async with driven() as app:
        for replaced in (False, True):
            await app.press("space", "w", "ctrl+u")
            await app.write("mine")
            await app.press("enter")
            assert ("Press enter again" in app.picture) is replaced
        await app.press("enter")
        assert app.app.screen is app.workbench
        await app.press("w", "ctrl+u")
        await app.write("quick")
        await app.press("enter")
        assert "the program's own" in " ".join(app.picture.split())
