"""Gives tests the servers that are installed here: one node of each for a whole session, shared by its processes.

A test that needs one lives in ``tests/servers`` and calls ``server("postgres")``. The first that does so starts the
node; it ends with the session, or when whoever runs the session is killed. ``own_node`` is for tests that stop or kill
a server.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import state, supervisor
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.jobs.servers.node import Node
from imgstore_tui.plugins import registry
from tests.support.nodes import running_node

FOLDER_VARIABLE = "IMGSTORE_TUI_TEST_NODES"
"""Environment variable with the folder of state files of the session, which its processes inherit."""
CONTROLLER_VARIABLE = "IMGSTORE_TUI_TEST_CONTROLLER"
"""Environment variable with the process that runs the session: its nodes end with it."""

PREFIX = f"f{os.getpid()}_"
"""Stores that a test makes on a shared node are called so, lest another process of the session removes them."""


@dataclass(frozen=True, slots=True)
class Server:
    """A node that answers."""

    name: str
    url_variable: str
    variables: dict[str, str] = field(repr=False)

    @property
    def url(self) -> str:
        """Its address, with the password where it has one."""
        return self.variables[self.url_variable]

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Point the backend at it, in this process and in programs that the test starts."""
        for name, value in self.variables.items():
            monkeypatch.setenv(name, value)
        credentials.hold(self.variables)


def server(name: str) -> Server:
    """Return the session's node of a recipe; skip the test where it or its client is not installed."""
    skip_without(name)
    folder = Path(os.environ[FOLDER_VARIABLE])
    failure = folder / f"{name}.failed"
    with supervisor.only_one(folder, name):
        found = state.read(folder / f"{name}.json")
        if found is None or not found.is_alive:
            assert not failure.exists(), failure.read_text()
            started = supervisor.start(name, folder, fast=True, companion=int(os.environ[CONTROLLER_VARIABLE]))
            try:
                found = started.wait()
            except UnavailableError as error:
                # The others of the session need not wait for it once more.
                failure.write_text(str(error))
                raise
    return Server(name, _url_variable(name), dict(found.variables))


def skip_without(name: str) -> None:
    """Skip the test where a server or the client of its backend is not installed."""
    kind = registry.backends.all()[recipe(name).backend]
    for module in kind.requires:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed (extra {kind.extra})")
    if recipe(name).programs() is None:
        pytest.skip(f"{recipe(name).title} is not installed ({recipe(name).how_to_get})")


@contextlib.contextmanager
def own_node(name: str, *, fast: bool = True, password: str | None = None) -> Iterator[Node]:
    """Start a node that belongs to the test alone: it may stop, kill and start it again."""
    skip_without(name)
    with running_node(recipe(name), fast=fast, password=password) as node:
        yield node


def _url_variable(name: str) -> str:
    variable: str = registry.backends.all()[recipe(name).backend].url_variable  # type: ignore[attr-defined]
    return variable


def begin_session(config: pytest.Config) -> None:
    """Name the folder of nodes, unless this is a process of a session that has one."""
    if FOLDER_VARIABLE not in os.environ:
        os.environ[FOLDER_VARIABLE] = tempfile.mkdtemp(prefix="imgstore-tui-tests-")
        os.environ[CONTROLLER_VARIABLE] = str(os.getpid())


def end_session() -> None:
    """End the nodes, if this is the process that runs the session."""
    if os.environ.get(CONTROLLER_VARIABLE) == str(os.getpid()):
        folder = Path(os.environ.pop(FOLDER_VARIABLE))
        del os.environ[CONTROLLER_VARIABLE]
        for node in state.read_all(folder):
            supervisor.end(node)
        shutil.rmtree(folder, ignore_errors=True)
