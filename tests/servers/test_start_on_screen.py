"""A server is started from the screen, used for the session, and ends with the program, a kill of it too."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("psycopg", reason="psycopg is not installed (extra postgres)")

from imgstore_tui.core import credentials
from imgstore_tui.tui.screens.server import ServerScreen
from imgstore_tui.tui.widgets.choose_lists import MethodList
from imgstore_tui.tui.widgets.choose_pane import FoldedText
from tests.support.processes import descendants, have_ended
from tests.support.program import program
from tests.support.screen import NARROW, WIDE, Driven, driven
from tests.support.servers import server, skip_without

VARIABLE = "IMGSTORE_POSTGRES_URL"
pytestmark = pytest.mark.timeout(170)


@pytest.fixture(autouse=True)
def secrets() -> Iterator[None]:
    skip_without("postgres")
    before = credentials.held()
    credentials.forget(VARIABLE)
    yield
    credentials.forget()
    credentials.hold(before)


async def until(app: Driven, shown: Callable[[], bool]) -> None:
    for _ in range(1200):
        if shown():
            return
        await asyncio.sleep(0.05)
        await app.pilot.pause()
    raise AssertionError(app.picture)


def words(app: Driven) -> str:
    return " ".join(app.picture.replace("│", " ").split())


async def press_u(app: Driven) -> set[int]:
    """Press the key on the method; return the processes that this has started."""
    await app.tab_to(MethodList)
    await app.point_at("postgres")
    assert "No server here: press u to start PostgreSQL" in app.app.screen.query_one(FoldedText).text
    before = set(descendants(os.getpid()))
    await app.press("u")
    assert app.shows(ServerScreen)
    assert "Starting PostgreSQL on this machine" in words(app)
    return set(descendants(os.getpid())) - before


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_server_is_started_and_then_measured_like_any_other(size: tuple[int, int]) -> None:
    async with driven(size=size) as app:
        started = await press_u(app)
        assert started
        await app.press("enter")  # too early: it has not answered, and nothing is asked for
        assert "Write the address" not in words(app)
        await until(app, lambda: "It answers: PostgreSQL" in words(app))
        await app.press("enter")
        await until(app, lambda: not app.shows(ServerScreen))
        assert "postgres" in app.workbench.choice.ticked
        url = credentials.get(VARIABLE)
        assert url is not None
        settings: dict[str, Any] = {VARIABLE: url}
        done = program("run", "-b", "postgres", "-n", "3", "--rounds", "1", "--quiet", **settings)
        assert done.returncode == 0, done.stderr
    for pid in started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    assert have_ended(started)


async def test_a_server_that_is_not_taken_ends() -> None:
    async with driven() as app:
        started = await press_u(app)
        assert started
        await app.press("escape")
        assert have_ended(started)
        assert credentials.get(VARIABLE) is None
        assert "postgres" not in app.workbench.choice.ticked


@pytest.mark.parametrize("moment", ["starting", "started"])
def test_nothing_survives_a_kill_of_the_program(moment: str) -> None:
    script = (
        "import sys, time; from imgstore_tui.jobs.servers.session import SessionServer, startable\n"
        "server = SessionServer(startable('postgres'))\n"
        "node = server.wait() if sys.argv[1] == 'started' else time.sleep(1)\n"
        "print('up', flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", script, moment], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter.stdout:
        assert starter.stdout.readline() == "up\n"
    family = descendants(starter.pid)
    assert family
    starter.kill()
    starter.wait()
    assert have_ended(family)


def test_a_store_is_named_by_its_backend_alone() -> None:
    settings: dict[str, Any] = {VARIABLE: server("postgres").url}
    name = f"postgres#by%20name%20{os.getpid()}"
    made = program("convert", "synthetic,size=8,count=20", "postgres", name, **settings)
    assert made.returncode == 0, made.stderr
    assert "@127.0.0.1" in made.stdout
    back = program("convert", f"store:{name}", "npy", "back.npy", **settings)
    assert back.returncode == 0, back.stderr
    assert made.stdout.splitlines()[-1] == back.stdout.splitlines()[-1]
    without = program("convert", "synthetic,size=8,count=20", "postgres", "postgres#photos")
    assert without.returncode == 3
    assert f"set the variable {VARIABLE}" in without.stderr
