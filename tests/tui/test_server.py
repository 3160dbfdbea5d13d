"""A server whose address is not known is asked for on the screen; what is secret is neither shown nor kept."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.tui.screens.server import ServerScreen
from imgstore_tui.tui.widgets.choose_lists import MethodList
from imgstore_tui.tui.widgets.choose_pane import FoldedText
from imgstore_tui.tui.widgets.field import Field
from tests.support.entry_points import ROOT, offer
from tests.support.screen import NARROW, WIDE, Driven, driven

PASSWORD = "canary-Of@the:screen"
VARIABLE = "IMGSTORE_SHELF_URL"


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The port of a server that this package does not know; its backend comes by an entry point."""
    before = credentials.held()
    offer(tmp_path / "package", {"imgstore_tui.backends": {"shelf": "tests.outside.shelf:Shelf"}}, monkeypatch)
    command = [sys.executable, "-m", "tests.outside.shelf", f"me:{PASSWORD}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()
    credentials.forget()
    credentials.hold(before)


def words(app: Driven) -> str:
    return " ".join(app.picture.replace("│", " ").split())


async def ask_for_the_server(app: Driven) -> None:
    await app.tab_to(MethodList)
    await app.point_at("shelf")
    assert "press space to name it" in app.app.screen.query_one(FoldedText).text
    await app.press("space")
    assert app.shows(ServerScreen)
    assert "Server of shelf" in app.picture


async def write(app: Driven, address: str, password: str) -> None:
    """Write both lines, as a paste does, and press enter."""
    for field, text in zip(app.app.screen.query(Field), (address, password), strict=True):
        field.input.value = text
    await app.press("enter")


async def until(app: Driven, shown: Callable[[], bool]) -> None:
    for _ in range(600):
        if shown():
            return
        await asyncio.sleep(0.05)
        await app.pilot.pause()
    raise AssertionError(app.picture)


@pytest.mark.sample_first
@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_server_is_named_and_then_measured_like_any_other(size: tuple[int, int], port: str) -> None:
    async with driven(size=size) as app:
        await ask_for_the_server(app)
        await write(app, f"shelf://me@127.0.0.1:{port}/books", PASSWORD)
        await until(app, lambda: "It answers: " in words(app))
        assert "Press enter again to take it" in words(app)
        assert PASSWORD not in app.picture
        await app.press("enter")
        await until(app, lambda: not app.shows(ServerScreen))
        assert "shelf" in app.workbench.choice.ticked
        assert "Needs a server" not in app.app.screen.query_one(FoldedText).text
        assert [spec.backend for spec in app.workbench.choice.check().specs if spec.backend == "shelf"] == ["shelf"]
        assert PASSWORD not in app.picture
    assert PASSWORD not in str(app.workbench.choice)


REFUSED = [
    ("", "", "Write the address of the server, e.g. shelf://"),
    ("books", "", "Write the address of the server"),
    ("shelf://127.0.0.1:{port}/books", PASSWORD, "A password is that of a user"),
    ("shelf://me:{password}@127.0.0.1:{port}/books", "", "does not belong into the address"),
    ("postgresql://me@127.0.0.1/books", "", "another kind of server"),
    ("shelf://me@127.0.0.1:x/books", "", "no valid host and port"),
    ("shelf://me@127.0.0.1:{port}/books", "wrong", "refuses the password"),
    ("shelf://me@127.0.0.1:1/books", PASSWORD, "does not answer"),
]


@pytest.mark.full
async def test_what_cannot_be_a_server_is_refused_and_forgotten(port: str) -> None:
    async with driven() as app:
        await ask_for_the_server(app)
        field = app.app.screen.query(Field).first()
        for address, password, problem in REFUSED:
            await write(app, address.format(port=port, password="canary"), password)
            await until(app, lambda: bool(field.problem))
            assert problem in " ".join(field.problem.split())
            assert credentials.get(VARIABLE) is None
        await app.press("escape")
        assert not app.shows(ServerScreen)
        assert "shelf" not in app.workbench.choice.ticked


@pytest.mark.full
async def test_a_server_that_was_not_taken_is_forgotten(port: str) -> None:
    async with driven() as app:
        await ask_for_the_server(app)
        await write(app, f"shelf://me@127.0.0.1:{port}/books", PASSWORD)
        await until(app, lambda: "It answers: " in words(app))
        await app.press("escape")
        assert credentials.get(VARIABLE) is None
        assert "shelf" not in {spec.label for spec in app.workbench.choice.offered}
