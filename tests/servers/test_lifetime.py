"""Servers that the program starts end with whoever started them, however that ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from imgstore_tui.core import credentials
from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import leftovers, state, supervisor
from imgstore_tui.jobs.servers.catalogue import all_recipes
from imgstore_tui.jobs.servers.node import PREFIX
from imgstore_tui.jobs.servers.state import NodeState
from imgstore_tui.plugins import registry
from imgstore_tui.storekit.server import ServerBackend
from imgstore_tui.testing.store_material import is_sentence
from tests.support.nodes import processes_in
from tests.support.processes import descendants, have_ended
from tests.support.servers import own_node, server, skip_without


def start(folder: Path) -> tuple[NodeState, list[int]]:
    """Start PostgreSQL below a guardian of this process; return its state and all processes."""
    skip_without("postgres")
    started = supervisor.start("postgres", folder, fast=True)
    node = started.wait()
    family = [node.guardian, *descendants(node.guardian)]
    assert len(family) > 3
    return node, family


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_a_node_is_shared_and_answers() -> None:
    first, second = server("postgres"), server("postgres")
    assert first == second
    assert "127.0.0.1" in first.url


def test_it_ends_in_order(tmp_path: Path) -> None:
    node, family = start(tmp_path)
    assert listens(node.port)
    supervisor.end(node)
    assert have_ended(family)
    assert not listens(node.port)
    assert not node.folder.exists()
    assert state.read_all(tmp_path) == []


@pytest.mark.parametrize("victim", ["starter", "guardian", "server"])
def test_nothing_survives_a_kill(tmp_path: Path, victim: str) -> None:
    skip_without("postgres")
    words = (
        "import sys, time; from pathlib import Path; from imgstore_tui.jobs.servers import supervisor;"
        " supervisor.start('postgres', Path(sys.argv[1]), fast=True).wait(); print('up', flush=True); time.sleep(600)"
    )
    starter = subprocess.Popen([sys.executable, "-c", words, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    with starter.stdout:
        assert starter.stdout.readline() == "up\n"
    (node,) = supervisor.running(tmp_path)
    family = [node.guardian, *descendants(node.guardian)]
    os.kill({"starter": starter.pid, "guardian": node.guardian, "server": node.pids[0]}[victim], signal.SIGKILL)
    assert have_ended(family)
    assert not listens(node.port)
    starter.kill()
    starter.wait()
    for left in leftovers.find():
        leftovers.remove(left)
    assert not node.folder.exists()
    assert state.read_all(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["postgres", *(pytest.param(name, marks=pytest.mark.full) for name in (
        "mariadb", "mysql", "mongodb", "cassandra", "seaweedfs", "s3proxy", "fake-gcs", "azurite"))],
)  # fmt: skip
def test_a_node_of_a_test_or_benchmark_ends_with_it(name: str) -> None:
    skip_without(name)
    words = (
        "import sys, time; from tests.support.servers import own_node\n"
        "with own_node(sys.argv[1]) as node:\n    print(node.folder, flush=True); time.sleep(600)"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", words, name], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert program.stdout is not None
    with program.stdout:
        folder = Path(program.stdout.readline().strip())
    assert folder.name.startswith(PREFIX)
    family = processes_in(folder)
    assert family
    os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    assert have_ended(family)
    deadline = time.monotonic() + 10
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_state_file_is_closed_to_others_and_arguments_hold_no_secret(tmp_path: Path) -> None:
    node, family = start(tmp_path)
    password = node.variables["IMGSTORE_POSTGRES_URL"].partition("@")[0].rpartition(":")[2]
    assert len(password) > 10
    assert node.file.stat().st_mode & 0o077 == 0
    for pid in family:
        assert password.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
        assert password.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    supervisor.end(node)


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with own_node("postgres") as node:
        node.stop()
        (node.folder / "data" / "postgresql.conf").write_text("no_such_setting = 1\n")
        with pytest.raises(UnavailableError, match=r"PostgreSQL does not start: it ended with 1: .*no_such_setting"):
            node.start()


def test_every_recipe_names_a_backend_and_what_to_do_without_it() -> None:
    for name, recipe in all_recipes().items():
        assert recipe.name == name
        assert recipe.title
        assert not recipe.how_to_get.endswith(".")
        programs = recipe.programs()
        assert programs is None or all(path.exists() for path in programs.values()), name


def test_a_missing_address_names_the_command_that_starts_a_server() -> None:
    before = credentials.held()
    credentials.forget()
    own = [kind for kind in registry.backends.all().values() if kind.__module__.startswith("imgstore_tui.")]
    servers = [kind for kind in own if issubclass(kind, ServerBackend)]
    assert len(servers) == 7
    for kind in servers:
        assert all_recipes()[kind.local_server].backend == kind.name
        # It is what is started where none is named.
        usual = [name for name, one in all_recipes().items() if one.backend == kind.name and not one.for_tests]
        assert usual == [kind.local_server]
        with pytest.raises(UnavailableError) as caught:
            kind.address()
        assert is_sentence(f"{caught.value}.")
        assert str(caught.value).endswith(f', or start one: eval "$(imgstore-tui servers up {kind.local_server})"')
    credentials.hold(before)
