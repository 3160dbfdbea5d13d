"""What the pane says of trials, disk and time."""

from __future__ import annotations

import platform
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from textual.widgets import Input

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.journal import Journal
from imgstore_tui.testing.fake_runs import fake_run
from tests.support.screen import NARROW, WIDE, driven


def save_run(trial_s: float) -> None:
    """Save a run of this machine whose trials began so many seconds apart."""
    run = fake_run()
    journal = Journal.begin(replace(run, environment=replace(run.environment, host=platform.node())))
    first = datetime.fromisoformat(run.started_at) + timedelta(seconds=1)
    for number, trial in enumerate(run.measurements):
        journal.add(replace(trial, started_at=(first + timedelta(seconds=number * trial_s)).isoformat()))
    journal.end("finished", "2026-01-02T03:05:00+00:00")


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, (120, 35), WIDE])
async def test_trials_disk_and_time_are_said_at_every_size(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        await app.until(lambda: "306 trials ~48 MiB ~" in app.picture)
        assert "Press r to run: 306 trials, about 48 MiB of disk" in app.picture
        assert "an answer in roughly" in app.picture
        await app.press("space")
        await app.until(lambda: "204 trials" in app.picture)


async def test_what_past_runs_took_is_what_is_expected() -> None:
    save_run(0.5)
    async with driven() as app:
        await app.until(lambda: "stops after 1 min, ~2 of 6 rounds; an answer: ~2.5 min" in app.picture)


async def test_one_key_takes_fewer_images_and_one_a_budget_that_suffices() -> None:
    save_run(0.5)
    async with driven(size=WIDE) as app:
        await app.until(lambda: "> longer budget" in app.picture)
        await app.press("greater_than_sign")
        await app.until(lambda: "an answer in about 2.5 min" in app.picture)
        assert app.workbench.choice.plan.budget_s == 300.0
        assert "> longer budget" not in app.picture
        before = app.workbench.choice.plan.cutoffs
        await app.press("less_than_sign")
        await app.until(lambda: app.workbench.choice.plan.cutoffs == before[:-1])


@pytest.mark.full
async def test_a_folder_that_cannot_be_used_is_said_at_its_field(tmp_path: Path) -> None:
    (tmp_path / "[red]empty").mkdir()
    plan = replace(named_plan("quick"), datasets=(f"folder:{tmp_path}/[red]empty",))
    async with driven(size=WIDE, plan=plan) as app:
        await app.until(lambda: "There are no pictures" in app.picture)
        assert "[red]empty" in app.picture
        field = next(field for field in app.workbench.query("Field") if field.id == "dataset")
        field.query_one(Input).value = "synthetic"
        await app.until(lambda: "There are no pictures" not in app.picture)
