"""The pages of a lecture, one large figure at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from imgstore_tui.bench.run.controls import RunControls
from imgstore_tui.core.events import Event
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.tui.screens.present import PresentScreen
from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, driven


@pytest.mark.full
async def test_the_axis_of_each_figure_is_seen_above_its_text() -> None:
    async with driven(FakeRunner(), NARROW) as app:
        await app.run()
        await app.press("P")
        for number in range(1, 4):
            await app.until(lambda number=number: f" {number} of " in app.picture)  # type: ignore[misc]
            for _ in range(5):  # the text takes its room after the figure
                await app.pilot.pause(0.1)
            assert "images, log →" in app.picture
            await app.press("space")


@pytest.mark.parametrize("name", ["quick", "article"])
async def test_it_opens_by_itself_when_the_article_has_been_run_and_only_then(name: str) -> None:
    runner = FakeRunner()

    def run(plan: Plan, *, cancel: threading.Event, controls: RunControls, listen: Callable[[Event], None]) -> Run:
        return runner(replace(plan, name=name), cancel=cancel, controls=controls, listen=listen)

    async with driven(run, NARROW) as app:
        await app.run()
        if name == "article":
            await app.until(lambda: isinstance(app.app.screen, PresentScreen))
            assert "The article: " in app.picture
        else:
            await app.pilot.pause(0.2)
            assert app.app.screen is app.workbench
