"""The pages of a lecture, one large figure at a time."""

from __future__ import annotations

from tests.support.fake_runs import FakeRunner
from tests.support.screen import NARROW, driven


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
