"""Starts servers, each below a guardian of its own, lists those that run, and ends them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imgstore_tui.core.errors import UnavailableError
from imgstore_tui.jobs.servers import state
from imgstore_tui.jobs.servers.catalogue import recipe
from imgstore_tui.jobs.servers.node import PREFIX
from imgstore_tui.jobs.servers.recipe import ServerRecipe
from imgstore_tui.jobs.servers.state import NodeState
from imgstore_tui.storekit import child_python
from imgstore_tui.storekit.file_lock import lock

_MODULE = "imgstore_tui.jobs.servers.guardian"
_END_S = 30.0
_guardians: dict[int, subprocess.Popen[str]] = {}
"""Those that this process has started, to be reaped when they have ended."""


@dataclass(frozen=True, slots=True)
class Started:
    """A guardian that was started."""

    name: str
    file: Path
    process: subprocess.Popen[str]

    def wait(self) -> NodeState:
        """Wait until the server answers.

        Raises:
            UnavailableError: If it does not start.
        """
        line = ""
        if self.process.stdout is not None:
            with self.process.stdout as answer:
                line = answer.readline()
        words = json.loads(line) if line.startswith("{") else {}
        found = state.read(self.file)
        if "error" in words:
            raise UnavailableError(words["error"])
        if not words or found is None:
            raise UnavailableError(f"{recipe(self.name).title} does not start: its guardian has ended.")
        return found


def start(
    name: str, folder: Path, *, fast: bool = False, parent: Path | None = None, companion: int | None = None
) -> Started:
    """Start a server; it answers when ``Started.wait`` returns.

    Args:
        name: Name of its recipe.
        folder: Folder of state files.
        fast: Whether settings are allowed that lose data in a crash.
        parent: Folder in which its data is, None for ``/var/tmp``.
        companion: Process with which it ends; None for this one, or sooner, when ``process.stdin`` is closed.

    The environment of this process must hold no secret any more: the guardian inherits it.
    """
    file = folder / f"{name}.json"
    words = [name, str(file), *(["--fast"] if fast else [])]
    words += ["--folder", str(parent)] if parent else []
    words += ["--with", str(companion)] if companion is not None else []
    process = subprocess.Popen[str](
        child_python.command(_MODULE, *words),
        stdin=subprocess.PIPE if companion is None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        env=child_python.environment(),
    )
    _guardians[process.pid] = process
    return Started(name, file, process)


def running(folder: Path) -> list[NodeState]:
    """Return the servers that run and answer."""
    return [node for node in state.read_all(folder) if node.is_alive and node.variables]


def end(node: NodeState) -> None:
    """End a server in order, wait for it, and remove what is left of it.

    Raises:
        UnavailableError: If its guardian does not end.
    """
    if node.is_alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(node.guardian, signal.SIGTERM)
        deadline = time.monotonic() + _END_S
        while node.is_alive:
            if time.monotonic() > deadline:
                raise UnavailableError(f"The guardian of {node.name} (process {node.guardian}) does not end. Kill it.")
            time.sleep(0.02)
    if process := _guardians.pop(node.guardian, None):
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
    if node.folder.name.startswith(PREFIX):
        shutil.rmtree(node.folder, ignore_errors=True)
    node.file.unlink(missing_ok=True)


@contextlib.contextmanager
def only_one(folder: Path, name: str) -> Iterator[None]:
    """Let no other process start a server of this name meanwhile."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.lock").open("w") as file:
        lock(file.fileno())
        yield


def merged(nodes: Sequence[NodeState]) -> Mapping[str, str]:
    """Return the variables of several servers; of two for one backend the first is the one that is meant."""
    variables: dict[str, str] = {}
    for node in nodes:
        for name, value in node.variables.items():
            variables.setdefault(name, value)
    return variables


def up(recipes: Sequence[ServerRecipe], *, fast: bool, parent: Path | None) -> Iterator[NodeState | UnavailableError]:
    """Start servers together, for the terminal session, or find them running; yield each, or why it does not start.

    They end with the leader of the terminal session, which is its shell, or with ``end``.
    """
    folder = state.default_folder()
    with contextlib.ExitStack() as locks:
        started: list[Started | NodeState] = []
        for chosen in recipes:
            locks.enter_context(only_one(folder, chosen.name))
            found = state.read(folder / f"{chosen.name}.json")
            if found is not None and found.is_alive:
                started.append(found)
                continue
            if found is not None:
                end(found)
            started.append(start(chosen.name, folder, fast=fast, parent=parent, companion=session_leader()))
        for one in started:
            try:
                yield one.wait() if isinstance(one, Started) else one
            except UnavailableError as error:
                yield error


def session_leader() -> int:
    """Return the process whose end is that of the terminal session: its leader, else the parent of this process."""
    leader = os.getsid(0)
    return leader if leader not in (0, os.getpid()) else os.getppid()
