"""Tests plans saved under a name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgstore_tui.bench.plan.plans import PLAN_NAMES, named_plan
from imgstore_tui.bench.system.app_folders import plans_folder
from imgstore_tui.core.errors import ImgstoreError, UsageError
from imgstore_tui.jobs.plans import name_if_unchanged, plan_by_name, save_plan, saved_plans

MINE = replace(named_plan("quick"), cutoffs=(3, 5), budget_s=None)


def test_a_plan_comes_back_under_its_name() -> None:
    assert saved_plans() == {}
    path = save_plan(MINE, "my photos")
    assert path.parent == plans_folder()
    assert list(saved_plans()) == ["my photos"]
    assert plan_by_name("my photos") == replace(MINE, name="my photos")


def test_paths_in_a_plan_mean_the_same_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_plan(replace(MINE, datasets=('folder:"a,b",seed=3', "folder:/c/", "synthetic"), scratch="d"), "a")
    monkeypatch.chdir("/")
    plan = plan_by_name("a")
    assert plan.datasets == (f'folder:"{tmp_path}/a,b",seed=3', "folder:/c/", "synthetic")
    assert plan.scratch == f"{tmp_path}/d"


def test_a_path_that_is_not_utf8_cannot_be_saved() -> None:
    with pytest.raises(UsageError, match=r"not UTF-8\. Make a link"):
        save_plan(replace(MINE, datasets=("folder:/\udcff",)), "a")
    assert saved_plans() == {}


def test_a_plan_is_replaced_only_when_asked() -> None:
    save_plan(MINE, "a")
    with pytest.raises(UsageError, match="exists already"):
        save_plan(named_plan("quick"), "a")
    save_plan(named_plan("quick"), "a", overwrite=True)
    assert plan_by_name("a").cutoffs == named_plan("quick").cutoffs


@pytest.mark.parametrize("name", ["", " ", "../x", "a/b", ".hidden", "x" * 41, "[red]", "a\x1b", "a ", *PLAN_NAMES])
def test_what_no_plan_can_be_called_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        save_plan(MINE, name)
    assert saved_plans() == {}


def test_a_broken_file_is_named() -> None:
    save_plan(MINE, "a")
    path = saved_plans()["a"]
    for text in ("[red", "rounds = 'six'", "colour = 1", "specs = ['lmdbb']"):
        path.write_text(text)
        with pytest.raises(ImgstoreError, match=r"a\.toml"):
            plan_by_name("a")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not TOML"):
        plan_by_name("a")


def test_a_name_that_is_not_true_any_more_is_dropped() -> None:
    save_plan(MINE, "a")
    mine = plan_by_name("a")
    assert name_if_unchanged(mine) == "a"
    assert name_if_unchanged(replace(mine, rounds=7)) == "custom"
    assert name_if_unchanged(replace(mine, name="gone")) == "custom"
    assert name_if_unchanged(named_plan("quick")) == "quick"
    assert name_if_unchanged(replace(MINE, name="quick")) == "custom"
