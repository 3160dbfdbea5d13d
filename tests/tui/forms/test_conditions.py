"""The conditions of a run: written, checked, taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.core.model import Plan
from imgstore_tui.core.operations import CacheState, Payload, SyncLevel
from imgstore_tui.tui.forms.conditions import Conditions
from imgstore_tui.tui.screens.conditions import ConditionsScreen
from imgstore_tui.tui.widgets.option_field import OptionField
from tests.support.screen import NARROW, SMALL, WIDE, Driven, driven

MIDDLE = (120, 35)
OTHER = Plan(
    cache=(CacheState.COLD,), sync=(SyncLevel.BUFFERED, SyncLevel.END), payload=Payload.RAW, workers=2, rounds=3,
    budget_s=None, scratch="/tmp", batch=64, seed=9, baseline=False, drop_caches=True, probes=True, looks=True,
    ceilings=True, clients=(1, 4), client_window_s=0.0, cluster="tls://scheduler:8786",
)  # fmt: skip


def field(app: Driven, key: str) -> OptionField:
    return next(field for field in app.app.screen.query(OptionField) if field.key == key)


@pytest.mark.parametrize(
    "plan",
    [Plan(), OTHER, Plan(budget_s=1_440_000.5), replace(Plan(), sync=(SyncLevel.BATCH,)), named_plan("article")],
)
def test_conditions_that_are_not_touched_leave_the_plan_as_it_is(plan: Plan) -> None:
    assert replace(plan, **Conditions.of(plan).changes()) == plan


def test_every_field_of_a_plan_can_be_edited_somewhere() -> None:
    elsewhere = {"datasets", "specs", "cutoffs", "operations", "name", "version"}
    assert set(Conditions.of(Plan()).changes()) | elsewhere == set(Plan.__dataclass_fields__)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("workers", "0", "1..64"),
        ("workers", "many", "a whole number"),
        ("rounds", "", "a whole number"),
        ("budget", "soon", "not a time"),
        ("seed", "-1", "in 0.."),
        ("batch", "0", "in 1.."),
        ("clients", "two", "numbers such as 1,2,4"),
        ("client-window", "soon", "not a time"),
    ],
)
def test_what_means_nothing_is_a_problem_of_its_field(name: str, text: str, word: str) -> None:
    problems = Conditions.of(Plan()).with_value(name, text).problems()
    assert list(problems) == [name]
    assert word in problems[name]


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [SMALL, NARROW, MIDDLE, WIDE])
async def test_conditions_are_taken_and_shown(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.press("c", "left", "tab", "right")
        field(app, "rounds").query_one(Input).value = "9"
        field(app, "budget").query_one(Input).value = "none"
        await app.pilot.pause()
        assert "trials" in app.picture
        assert max(len(line) for line in app.picture.splitlines()) <= size[0]
        await app.press("enter")
        plan = app.workbench.choice.plan
        assert (plan.cache, plan.sync, plan.rounds, plan.budget_s) == (
            (CacheState.HOT, CacheState.COLD), (SyncLevel.END,), 9, None,
        )  # fmt: skip
        if size != SMALL:
            assert "rounds 9" in app.picture


@pytest.mark.parametrize(
    ("place", "word"),
    [("/no/such/[red]place", "is no folder"), ("/proc", "cannot be written"), ("{data}", "lies in the data")],
)
@pytest.mark.full
async def test_a_place_that_will_not_do_is_said_in_place(tmp_path: Path, place: str, word: str) -> None:
    (tmp_path / "data").mkdir()
    plan = replace(named_plan("quick"), datasets=(f"folder:{tmp_path}/data",))
    async with driven(size=WIDE, plan=plan) as app:
        await app.press("c")
        field(app, "scratch").query_one(Input).value = place.format(data=tmp_path / "data")
        await app.until(lambda: word in field(app, "scratch").problem)
        await app.press("escape", "c", "enter")
        assert not app.shows(ConditionsScreen), "the place that is found by itself will do"


@pytest.mark.full
async def test_a_place_that_is_too_small_is_said(tmp_path: Path) -> None:
    plan = replace(named_plan("quick"), datasets=("synthetic,size=2048",), cutoffs=(100_000_000,))
    async with driven(size=WIDE, plan=plan) as app:
        await app.press("c")
        field(app, "scratch").query_one(Input).value = str(tmp_path)
        await app.until(lambda: "Ask for fewer cutoffs" in " ".join(app.picture.split()))
        await app.press("enter")
        assert app.workbench.choice.plan.scratch == str(tmp_path), "other cutoffs may fit"


@pytest.mark.full
async def test_nothing_wrong_is_taken() -> None:
    async with driven() as app:
        await app.press("c")
        field(app, "workers").query_one(Input).value = "[red]"
        await app.pilot.pause()
        await app.press("enter")
        assert app.shows(ConditionsScreen)
        assert "[red]" in field(app, "workers").problem
        assert "Not ready" in app.picture
