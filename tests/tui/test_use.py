"""The question what the pictures are for: the plan of the answer, of the data that the user has named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.plan.use_plans import USE_PLAN_NAMES
from imgstore_tui.tui.screens.use import ANSWERS
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, driven


@pytest.mark.sample_first
@pytest.mark.parametrize("name", [*USE_PLAN_NAMES, "quick"])
async def test_the_data_that_the_user_has_named_stays(name: str, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    data = f"folder:{tmp_path}"
    async with driven(FakeRunner(), NARROW, plan=replace(named_plan("quick"), datasets=(data,))) as app:
        await app.press("U", "home", *["down"] * list(ANSWERS).index(name), "enter")
        plan = app.workbench.choice.plan
        assert plan.datasets == (data,)
        expected = named_plan(name)
        assert (plan.operations, plan.cache, plan.cutoffs) == (expected.operations, expected.cache, expected.cutoffs)
        # The name of the plan is what the advice on its run is for.
        assert plan.name == (name if name in USE_PLAN_NAMES else "custom")
