"""Rounds of several clients on the screen: their chart, their tables, what the advice says of them."""

from __future__ import annotations

import pytest

from imgstore_tui.testing.fake_client_rounds import fake_client_run
from imgstore_tui.tui.panes import PaneName
from imgstore_tui.tui.screens.advice import AdviceScreen
from imgstore_tui.tui.screens.workbench import Workbench
from tests.support.saved_runs import save_journal
from tests.support.screen import NARROW, WIDE, Driven, driven


async def jump(app: Driven, words: str) -> None:
    """Open what stands first in the list of charts and tables for some words."""
    await app.press("j")
    await app.write(words)
    await app.press("enter")


async def opened(app: Driven) -> None:
    """Open the one saved run."""
    await app.press("f")
    await app.until(lambda: "2026-01-02" in app.picture)
    await app.press("enter")
    await app.until(lambda: app.shows(Workbench) and app.workbench.results is not None)


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE], ids=str)
async def test_chart_tables_and_advice_of_clients_are_reached_from_the_list(size: tuple[int, int]) -> None:
    save_journal(fake_client_run(late=((4, 2),)))
    async with driven(size=size) as app:
        await opened(app)
        await jump(app, "clients read-random")
        await app.until(lambda: "clients, log" in app.picture)
        assert app.workbench.pane is PaneName.CHART
        assert "Clients: read-random, cache hot, 1,000 images" in app.picture
        await app.press("j", "up")
        await app.press("escape")
        await jump(app, "clients: read")
        await app.until(lambda: app.workbench.pane is PaneName.TABLE)
        await app.until(lambda: "scaling" in app.picture)
        assert "5 of 6" in app.picture
        await jump(app, "law")
        await app.until(lambda: "contention" in app.picture)
        await jump(app, "machines")
        await app.until(lambda: "host-2" in app.picture)
        await jump(app, "advice")
        assert app.shows(AdviceScreen)
        await app.until(lambda: "gains up to" in app.picture or "for training" in app.picture)


async def test_shared_cores_are_said_and_no_ideal_line_is_drawn() -> None:
    save_journal(fake_client_run(("lmdb",), (1, 2, 4), 3, shares_cores=True))
    async with driven(size=WIDE) as app:
        await opened(app)
        await jump(app, "clients read-random")
        await app.until(lambda: "clients, log" in app.picture)
        assert "ideal" not in app.picture
        await jump(app, "clients: read")
        await app.until(lambda: "no scaling is claimed" in app.picture)
