"""The app under a pilot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget

from imgstore_tui.bench.plan.plans import named_plan
from imgstore_tui.bench.results.state import RunPhase
from imgstore_tui.bench.system.app_folders import last_choice_file
from imgstore_tui.core.model import Plan, Run
from imgstore_tui.tui.app import ImgstoreApp
from imgstore_tui.tui.run.run_thread import RunFunction
from imgstore_tui.tui.widgets.check_list import CheckList
from tests.support.fake_runs import SETTINGS, FakeRunner

NARROW, WIDE, SMALL = (80, 24), (160, 45), (60, 15)
PATIENCE_S = 60.0
"""What a test waits: a busy machine is no failure."""


def five_operations() -> Plan:
    """Return the plan ``quick`` of version 1, whose screen is full: five operations, four numbers of images."""
    return replace(Plan(), specs=named_plan("quick").specs, name="quick")


class Driven:
    """The app, with what tests ask of it."""

    def __init__(self, app: ImgstoreApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot
        self.workbench = app.workbench

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def write(self, text: str) -> None:
        names = {" ": "space", ".": "full_stop"}
        await self.press(*(names.get(letter, letter) for letter in text))

    async def tab_to(self, place: type[Widget] | str) -> None:
        """Press tab until a widget of this kind, or the line of the field with this id, has the keys."""
        for _ in range(20):
            focused = self.app.focused
            if focused is not None and (
                place in {above.id for above in focused.ancestors_with_self}
                if isinstance(place, str)
                else isinstance(focused, place)
            ):
                return
            await self.press("tab")
        raise AssertionError(f"no way to {place}:\n{self.picture}")

    async def point_at(self, key: object) -> None:
        """Press down until the cursor of the list that has the keys is at this entry."""
        entries = self.app.focused
        assert isinstance(entries, CheckList)
        for _ in range(entries.option_count):
            if entries.pointed is not None and entries.pointed.key == key:
                return
            await self.press("down")
        raise AssertionError(f"no {key} in the list:\n{self.picture}")

    async def hold(self, after: int) -> FakeRunner:
        """Start a run that waits after so many trials, and wait until it does."""
        runner = FakeRunner(hold_after=after)
        self.app.run_thread._run = runner
        await self.press("r")
        await self.until(runner.held.is_set)
        return runner

    async def finish(self) -> Run:
        """Wait until the run is over; return it."""
        await self.until(lambda: self.workbench.run_state.phase is RunPhase.FINISHED)
        run = self.workbench.run_state.run
        assert run is not None
        return run

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has come to be, however busy the machine is."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"this never came to be:\n{self.picture}"
            await asyncio.sleep(0.02)
        await self.pilot.pause()

    async def run(self) -> None:
        """Press r and wait until the run is over and taken in."""
        await self.press("r")
        await self.until(lambda: not self.app.run_thread.busy and self.workbench.check_action("run", ()) is True)
        await self.until(lambda: self.workbench.run_line.ended is not None)

    def shows(self, kind: type[Screen[Any]]) -> bool:
        """Whether a screen of this kind is in front."""
        return isinstance(self.app.screen, kind)

    @property
    def picture(self) -> str:
        """The text on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


@asynccontextmanager
async def driven(
    runner: RunFunction | None = None,
    size: tuple[int, int] = NARROW,
    *,
    plan: Plan | None = None,
    theme: str | None = None,
    ascii_only: bool = False,
) -> AsyncIterator[Driven]:
    if plan is None and not last_choice_file().exists():
        plan = five_operations()
    app = ImgstoreApp(replace(SETTINGS, theme=theme, ascii=ascii_only), plan, runner or FakeRunner())
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        yield Driven(app, pilot)
