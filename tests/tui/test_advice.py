"""The page of advice, which the list of charts and tables opens."""

from __future__ import annotations

import pytest

from imgstore_tui.tui.screens.advice import AdviceScreen
from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, WIDE, driven


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=str)
async def test_the_list_opens_the_advice_and_escape_closes_it(size: tuple[int, int]) -> None:
    async with driven(FakeRunner(), size) as app:
        await app.run()
        await app.press("j")
        await app.write("advice")
        await app.press("enter")
        assert app.shows(AdviceScreen)
        await app.until(lambda: "for training" in app.picture)
        assert "Take " in app.picture or "will do" in app.picture or "too close" in app.picture
        await app.press("escape")
        assert app.shows(Workbench)
